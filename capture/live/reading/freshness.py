"""Is a frame new? That ``read`` returns True proves nothing: drivers repeat the last frame."""

from __future__ import annotations

import zlib
from collections.abc import Callable

from capture.live.reading.feed import RawFrame

_ROWS = 16


def digest(raw: RawFrame) -> int:
    """Return a number that differs between frames of any sensor: its noise sees to that."""
    if raw.jpeg is not None:
        return zlib.crc32(raw.jpeg)
    return 0 if raw.pixels is None else zlib.crc32(raw.pixels[::_ROWS].tobytes())


def textured(raw: RawFrame, level_of: Callable[[RawFrame], float]) -> bool:
    """Return whether a picture has noise that must change: not black, not white."""
    return 8 < level_of(raw) < 247


class Freshness:
    """Tells new frames of one feed from repeats.

    Other pixels are a new frame. The same pixels are one only if the source's stamp has advanced,
    and not for longer than ``frozen_ns``: firmware can hang with the stream running. A black or
    white picture may stay the same for ever, a covered lens is no fault of the camera.

    Parameters
    ----------
    frozen_ns : None where a stamp alone proves a frame, as with a stream's sender.
    """

    def __init__(self, frozen_ns: int | None) -> None:
        self._frozen_ns = frozen_ns
        self._digest: int | None = None
        self._same_since_ns = 0

    def is_new(
        self, number: int, advanced: bool, now_ns: int, has_texture: Callable[[], bool]
    ) -> bool:
        """Return whether a frame is new; ``advanced`` says that its stamp could be a new one's."""
        if number != self._digest:
            self._digest = number
            self._same_since_ns = now_ns
            return True
        if not advanced:
            return False
        short = self._frozen_ns is None or now_ns - self._same_since_ns < self._frozen_ns
        return short or not has_texture()
