"""Write ``docs/control-openapi.json`` from the models of the control port.

Run ``uv run tools/control_openapi.py``; with ``--check`` it only says whether that is needed.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from facelight.kiosk.control.openapi import document

PAGE = Path(__file__).parents[1] / "docs" / "control-openapi.json"


def main() -> None:
    """Renew the document, or with ``--check`` say whether it needs that."""
    fresh = json.dumps(document(), indent=1) + "\n"
    if "--check" in sys.argv[1:]:
        now = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
        raise SystemExit(0 if fresh == now else f"{PAGE}: run tools/control_openapi.py")
    PAGE.write_text(fresh, encoding="utf-8")


if __name__ == "__main__":
    main()
