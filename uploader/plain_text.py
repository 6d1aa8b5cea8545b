"""What others wrote (services, files, operators), made safe to show on a terminal or in a log."""

from __future__ import annotations

SHOWN_LIMIT = 300
"""Characters of a foreign text that a message repeats: enough for every known server text."""


def shown(text: object, limit: int = SHOWN_LIMIT) -> str:
    """Return ``text`` as one printable line: no escapes, no line breaks, no bidi marks, bounded."""
    raw = str(text)[: limit * 4]
    flat = " ".join(raw.split())
    safe = "".join(char if char.isprintable() else "?" for char in flat)
    return safe if len(safe) <= limit else safe[: limit - 1] + "…"
