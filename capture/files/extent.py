"""How much a session may hold: what claims more is refused before it costs time or memory.

A few hundred kilobytes can claim pictures and frames without end. The limits lie above every camera
and every session, and far below what a machine can take.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from capture.errors import SourceError

MAX_SIDE_PX: Final = 16_384
"""WebP ends at 16383."""

MAX_PIXELS: Final = 25_000_000
"""5K video has 15 million, a phone's picture 12 or 24; in BGR they take 75 MB."""

MAX_FRAMES: Final = 36_000
"""Ten minutes at 60 a second; a session takes seconds."""

MAX_ELEMENTS: Final = 1_000_000
"""Of a container (blocks, boxes, packets of any stream): ten times what so many frames need."""


def check_size(path: Path, width: int, height: int, what: str = "is") -> None:
    """Raise SourceError for a picture that is larger than any camera's.

    Parameters
    ----------
    what : the sentence up to the size.
    """
    size = f"{width}x{height}"
    if max(width, height) > MAX_SIDE_PX:
        raise SourceError(path, f"{what} {size}, expected {MAX_SIDE_PX} pixels at most a side")
    if width * height > MAX_PIXELS:
        most = MAX_PIXELS // 1_000_000
        raise SourceError(path, f"{what} {size}, expected {most} million pixels at most; scale it")


def check_frames(path: Path, count: int) -> None:
    """Raise SourceError for more frames than any session has."""
    if count > MAX_FRAMES:
        raise SourceError(path, f"over {MAX_FRAMES} frames, expected a session of seconds; cut it")


def check_elements(path: Path, count: int) -> None:
    """Raise SourceError for a container of more pieces than so many frames need."""
    if count > MAX_ELEMENTS:
        problem = f"over {MAX_ELEMENTS} blocks or packets, expected a session of seconds; cut it"
        raise SourceError(path, problem)
