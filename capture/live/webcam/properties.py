"""OpenCV's numbers for what we read and set, and how each backend means them.

Sources: OpenCV 4.11, ``cap_v4l.cpp`` and ``cap_msmf.cpp``. V4L2 takes menu entries for
AUTO_EXPOSURE: 1 is manual, 3 aperture priority, the usual automatic (the often quoted 0.25 and 0.75
round to 0 and to *manual*); EXPOSURE counts 100 us. MSMF takes EXPOSURE as log2 of seconds and
switches to manual by it, while writing AUTO_EXPOSURE 0 would set an exposure of one second.
AVFoundation has neither.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol


class Property(IntEnum):
    """Here, so that nothing imports cv2 for a number."""

    POS_MSEC = 0
    FRAME_WIDTH = 3
    FRAME_HEIGHT = 4
    FPS = 5
    FOURCC = 6
    GAIN = 14
    EXPOSURE = 15
    CONVERT_RGB = 16
    AUTO_EXPOSURE = 21
    TEMPERATURE = 23
    FOCUS = 28
    BUFFERSIZE = 38
    AUTOFOCUS = 39
    AUTO_WB = 44
    WB_TEMPERATURE = 45


class Port(Protocol):
    """Where properties are read and written: a device."""

    def get(self, number: int) -> float:
        """Return a property; 0 or -1 where there is none."""
        ...

    def set(self, number: int, value: float) -> bool:
        """Set a property; True proves nothing."""
        ...


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a backend speaks of its controls.

    Attributes
    ----------
    manual : values to write to AUTO_EXPOSURE for manual, one attempt after the other: some cameras
        must be told automatic first. Empty where writing EXPOSURE switches by itself.
    auto : the usual value of AUTO_EXPOSURE for automatic.
    reads_auto : AUTO_EXPOSURE can be read back.
    to_ms, from_ms : EXPOSURE's unit.
    white_balance : AUTO_WB and WB_TEMPERATURE work.
    """

    manual: tuple[tuple[float, ...], ...]
    auto: float
    reads_auto: bool
    to_ms: Callable[[float], float]
    from_ms: Callable[[float], float]
    white_balance: bool

    def is_manual(self, auto_exposure: float) -> bool:
        """Return whether a value read from AUTO_EXPOSURE says manual."""
        return self.reads_auto and auto_exposure == self.manual[0][-1]


V4L2 = Dialect(
    manual=((1.0,), (3.0, 1.0)),
    auto=3.0,
    reads_auto=True,
    to_ms=lambda value: value / 10,
    from_ms=lambda ms: max(1.0, float(round(ms * 10))),
    white_balance=True,
)

MSMF = Dialect(
    manual=((),),
    auto=1.0,
    reads_auto=False,
    to_ms=lambda value: 1000 * 2.0**value,
    from_ms=lambda ms: float(round(math.log2(ms / 1000))),
    white_balance=False,
)

DIALECTS = {"V4L2": V4L2, "MSMF": MSMF}
"""By OpenCV's name of the backend; others lock nothing."""
