"""How fast the head moves: the one measure that needs the frames before."""

from __future__ import annotations

import math
from collections import deque
from typing import Final

import numpy as np
from numpy.typing import NDArray

from preprocess.face.landmarks import FACE_OVAL, RIGID, inter_eye_px

HEAD: Final = tuple(sorted({*RIGID, *FACE_OVAL}))
"""The 66 points that move with the head; eyes and lips would read a blink as motion."""

_HEAD: Final = np.array(HEAD)

LONGEST_GAP_S: Final = 0.5
"""Beyond this the two frames are two stretches of a session, not one motion."""

SMOOTHED_FRAMES: Final = 3


def landmark_speed(
    before_px: NDArray[np.float32], now_px: NDArray[np.float32], dt_s: float
) -> float:
    """Return the median displacement of the head's points in IED a second.

    An exposure t smears a point by v*t: sigma of the blur = v*t/sqrt(12).
    """
    moved = now_px.take(_HEAD, axis=0).astype(np.float64) - before_px.take(_HEAD, axis=0)
    ordered = np.sort(np.hypot(moved[:, 0], moved[:, 1]))
    median = float(ordered[_HEAD.size // 2 - 1] + ordered[_HEAD.size // 2]) / 2
    return median / max(inter_eye_px(now_px), 1e-6) / dt_s


class SpeedMeter:
    """Landmark speed of a stream, the mean of the last three."""

    def __init__(self) -> None:
        self._last: tuple[int, NDArray[np.float32]] | None = None
        self._speeds: deque[float] = deque(maxlen=SMOOTHED_FRAMES)

    def reset(self) -> None:
        """Forget the frames before: another person or another session."""
        self._last = None
        self._speeds.clear()

    def add(self, t_ns: int, landmarks_px: NDArray[np.float32]) -> float:
        """Return the speed up to this frame, NaN for the first one after a gap."""
        last, self._last = self._last, (t_ns, landmarks_px)
        dt_s = (t_ns - last[0]) / 1e9 if last else math.inf
        if last is None or not 0 < dt_s <= LONGEST_GAP_S:
            self._speeds.clear()
            return math.nan
        self._speeds.append(landmark_speed(last[1], landmarks_px, dt_s))
        return sum(self._speeds) / len(self._speeds)
