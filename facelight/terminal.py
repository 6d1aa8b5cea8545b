"""Text from elsewhere, made safe for a terminal."""

from __future__ import annotations


def one_line(text: str, limit: int = 1000) -> str:
    """Return printable text of one line and bounded length; escapes become question marks."""
    flat = " ".join(text.split())
    return "".join(c if c.isprintable() else "?" for c in flat)[:limit]
