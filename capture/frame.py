"""One camera frame and the time it carries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

ImageU8: TypeAlias = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """A full camera frame; the pixels are read-only and never copied behind the camera.

    Attributes
    ----------
    seq : position in the source, from 0, gaps where frames were dropped.
    t_frame_ns : the frame's stamp on the session's monotonic clock, the driver's where it is sane.
    t_received_ns : when the frame reached us on the same clock; ``t_frame_ns`` for recordings.
    pixels : (H, W, 3) uint8, BGR, read-only.
    """

    seq: int
    t_frame_ns: int
    t_received_ns: int
    pixels: ImageU8

    @property
    def size_wh(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.pixels.shape[1], self.pixels.shape[0]
