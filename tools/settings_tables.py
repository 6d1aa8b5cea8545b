"""Write the tables of settings in ``docs/kiosk.md`` from the option classes themselves.

Run ``uv run tools/settings_tables.py``; with ``--check`` it only says whether that is needed.
"""

from __future__ import annotations

import dataclasses
import re
import sys
from pathlib import Path
from typing import Any

from capture.light.plan import PlanOptions
from capture.live.options import LiveOptions
from facelight.config.kiosk_options import KioskOptions, TimingOptions
from facelight.config.session_options import SessionOptions

PAGE = Path(__file__).parents[1] / "docs" / "kiosk.md"
SECTIONS: dict[str, Any] = {
    "kiosk": KioskOptions,
    "session": SessionOptions,
    "plan": PlanOptions,
    "timing": TimingOptions,
    "camera": LiveOptions,
}


def table(options: Any) -> str:
    """Return one section as a Markdown table."""
    rows = ["| key | default | unit | range | why |", "|---|---|---|---|---|"]
    for field in dataclasses.fields(options):
        meta = field.metadata
        low, high = meta.get("low"), meta.get("high")
        within = "" if low is None else f"{low:g} to {high:g}"
        cells = (f"`{field.name}`", f"`{shown(field.default)}`", meta.get("unit", ""), within)
        rows.append("| " + " | ".join((*cells, meta.get("why", ""))) + " |")
    return "\n".join(rows)


def shown(value: Any) -> str:
    """Return a value as it stands in TOML."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return "[" + ", ".join(shown(item) for item in value) + "]"
    return f'"{value}"' if isinstance(value, str) else f"{value:.9g}"


def rewritten(page: str) -> str:
    """Return the page with each table between its markers renewed."""
    for name, options in SECTIONS.items():
        begin, end = f"<!-- settings:{name} -->", "<!-- end -->"
        pattern = re.compile(rf"{re.escape(begin)}\n.*?{re.escape(end)}", re.S)
        fresh = f"{begin}\n{table(options)}\n{end}"
        page, count = pattern.subn(lambda _, text=fresh: text, page)  # type: ignore[misc]
        if count != 1:
            raise SystemExit(f"{PAGE}: expected the marker {begin} once, found it {count} times")
    return page


def main() -> None:
    """Renew the page, or with ``--check`` say whether it needs that."""
    page = PAGE.read_text(encoding="utf-8")
    fresh = rewritten(page)
    if "--check" in sys.argv[1:]:
        raise SystemExit(0 if fresh == page else f"{PAGE}: run tools/settings_tables.py")
    PAGE.write_text(fresh, encoding="utf-8")


if __name__ == "__main__":
    main()
