"""Lids and lips from landmarks, in eye-to-chin distances T (OFIQ, EyesOpen and MouthClosed)."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from preprocess.face.landmarks import INNER_LIPS, LEFT_LIDS, RIGHT_LIDS, eye_mouth_axis

Pairs = tuple[tuple[int, int], ...]


def eyes_open_t(landmarks_px: NDArray[np.float32]) -> float:
    """Return the largest lid gap of the more closed eye over T."""
    t_px = max(eye_mouth_axis(landmarks_px)[0], 1e-6)
    return min(_gap(landmarks_px, LEFT_LIDS), _gap(landmarks_px, RIGHT_LIDS)) / t_px


def mouth_open_t(landmarks_px: NDArray[np.float32]) -> float:
    """Return the largest gap of the inner lips over T."""
    return _gap(landmarks_px, INNER_LIPS) / max(eye_mouth_axis(landmarks_px)[0], 1e-6)


def _gap(landmarks_px: NDArray[np.float32], pairs: Pairs) -> float:
    return max(math.dist(*landmarks_px[pair, :2].tolist()) for pair in pairs)
