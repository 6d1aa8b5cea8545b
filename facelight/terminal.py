"""Text from elsewhere, made safe for a terminal and for files in UTF-8."""

from __future__ import annotations

import re
from typing import Final

_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def one_line(text: str, limit: int = 1000) -> str:
    """Return printable text of one line and bounded length; escapes become question marks."""
    flat = " ".join(encodable(text).split())
    return "".join(c if c.isprintable() else "?" for c in flat)[:limit]


def encodable(text: str) -> str:
    r"""Return text that any UTF-8 file can hold: bytes of a name that are none become ``\xe9``.

    Python keeps such bytes as lone surrogates (PEP 383), which open the file and nothing else.
    """
    return _SURROGATE.sub(_escaped, text)


def _escaped(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code - 0xDC00:02x}" if 0xDC80 <= code <= 0xDCFF else f"\\u{code:04x}"
