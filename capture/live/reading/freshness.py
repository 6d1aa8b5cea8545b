"""Is a frame new? That ``read`` returns True proves nothing: drivers repeat the last frame."""

from __future__ import annotations

import zlib
from collections import OrderedDict, deque
from collections.abc import Callable

from capture.live.reading.feed import RawFrame

_ROWS = 16
FROZEN_FRAMES = 150
"""Five seconds at 30 frames a second of one picture."""
LOOP_FRAMES = 3600
"""Two minutes at 30 frames a second: a still scene before a coarse sensor may look like a short
loop for moments, and a person is served meanwhile; minutes of it are no chance."""
REPEAT_SHARE = 0.8
REPEAT_AGE_NS = 1_000_000_000
REMEMBERED_FRAMES = 36_000
"""Twenty minutes at 30 frames a second, 4 MB."""


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


class Repetition:
    """Tells a source that sends again what it sent before: frozen, or a recording in a loop.

    The noise of a sensor never repeats a frame. A few equal frames may be chance (a covered lens, a
    driver's hiccup), so only a stretch of them counts: seconds of one picture, minutes of many.
    What was seen is kept over reconnections: who loops goes on looping.
    """

    def __init__(self) -> None:
        self._seen_ns: OrderedDict[int, int] = OrderedDict()
        self._last: int | None = None
        self._same = _Stretch(FROZEN_FRAMES)
        self._again = _Stretch(LOOP_FRAMES)

    def looped(self, number: int, now_ns: int, has_texture: Callable[[], bool]) -> bool:
        """Take in a frame's digest; return whether most of the last ones were there before."""
        before_ns = self._seen_ns.get(number)
        if before_ns is None:
            self._seen_ns[number] = now_ns
            if len(self._seen_ns) > REMEMBERED_FRAMES:
                self._seen_ns.popitem(last=False)
        again = before_ns is not None and now_ns - before_ns >= REPEAT_AGE_NS and has_texture()
        frozen = self._same.add(again and number == self._last)
        self._last = number
        return self._again.add(again) or frozen


class _Stretch:
    """Whether most of the last frames had something in common."""

    def __init__(self, frames: int) -> None:
        self._frames: deque[bool] = deque(maxlen=frames)
        self._count = 0

    def add(self, so: bool) -> bool:
        """Take in a frame; return whether enough were seen and most of them were so."""
        whole = self._frames.maxlen or 0
        if len(self._frames) == whole:
            self._count -= self._frames[0]
        self._frames.append(so)
        self._count += so
        return len(self._frames) == whole and self._count >= REPEAT_SHARE * whole
