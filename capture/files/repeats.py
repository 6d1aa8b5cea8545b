"""Pictures that are in a file more than once, recognised by their pixels.

A camera's frame written twice, to fill a nominal rate, was exposed when it came first; its second
stamp says nothing about its light.
"""

from __future__ import annotations

import numpy as np

from capture.frame import Frame, ImageU8

_STEP = 4
_EQUAL_SHARE = 0.97
"""Of sampled values; [measured] repeats after H.264 keep .98 and more, MJPEG all of them, other
frames of a talking face .6 at most."""
_MEAN_CODES = 0.05
"""A faint light moves every value by one code sooner than it leaves this mean."""


class Repeats:
    """Tells of each frame of a file, in order, whether it is the picture of an earlier one."""

    def __init__(self) -> None:
        self._first_ns = 0
        self._picture: ImageU8 | None = None

    def first_ns(self, frame: Frame) -> int:
        """Return the time at which this frame's picture first came; its own for a new picture."""
        picture = frame.pixels[_STEP // 2 :: _STEP, _STEP // 2 :: _STEP]
        if self._picture is None or not _same(picture, self._picture):
            self._first_ns = frame.t_frame_ns
            self._picture = picture.copy()
        return self._first_ns


def _same(picture: ImageU8, other: ImageU8) -> bool:
    if picture.shape != other.shape:
        return False
    apart = np.maximum(picture, other) - np.minimum(picture, other)
    equal = np.count_nonzero(apart == 0) >= _EQUAL_SHARE * apart.size
    return equal and float(apart.mean()) <= _MEAN_CODES
