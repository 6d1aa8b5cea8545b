"""What others wrote (services, files, operators), made safe to show on a terminal or in a log."""

from __future__ import annotations

import re
from typing import Final

SHOWN_LIMIT = 300
"""Characters of a foreign text that a message repeats: enough for every known server text."""

_FORMULA: Final = frozenset("=+-@\t\r")
_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def shown(text: object, limit: int = SHOWN_LIMIT) -> str:
    """Return ``text`` as one printable line: no escapes, no line breaks, no bidi marks, bounded."""
    raw = str(text)[: limit * 4]
    flat = " ".join(raw.split())
    safe = "".join(char if char.isprintable() else "?" for char in flat)
    return safe if len(safe) <= limit else safe[: limit - 1] + "…"


def csv_cell(value: object) -> str:
    r"""Return a cell that no spreadsheet executes.

    Text that begins like a formula gets an apostrophe, a number does not; control characters
    become escapes (``\n``). None is an empty cell.
    """
    text = "" if value is None else str(value)
    if text[:1] in _FORMULA and not _NUMBER.fullmatch(text):
        text = f"'{text}"
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)
