"""Whether something other than this face's skin covers its lower half."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from preprocess.measures.patch import SIDE, Patch

FOREHEAD_AND_NOSE: Final = (151, 9, 8, 6, 197, 195, 5, 108, 337)
LOWER: Final = (205, 425, 187, 411, 192, 416, 202, 422, 210, 430, 169, 394, 199, 200)
_SPOTS: Final = np.array([*FOREHEAD_AND_NOSE, *LOWER])
_SPOT: Final = np.array([(row, column) for row in range(-2, 3) for column in range(-2, 3)])
CHROMA_STEP: Final = 0.35
"""Log chroma beyond which a spot is no skin of this face; lips and stubble stay below."""


def occluded_share(patch: Patch) -> float:
    """Return the share of 14 spots on cheeks, jaw and chin with another chroma than the nose.

    Own measure. Chroma is (ln R/G, ln B/G) of a 5x5 mean: shading cancels, a mask or a cup does
    not. Compared with the median of forehead and nose, which a hand or a mask leaves free.
    """
    chroma, seen = _chroma(patch)
    upper = np.sort(chroma[: len(FOREHEAD_AND_NOSE)][seen[: len(FOREHEAD_AND_NOSE)]], axis=0)
    lower = chroma[len(FOREHEAD_AND_NOSE) :][seen[len(FOREHEAD_AND_NOSE) :]]
    if len(upper) < 3 or len(lower) < 5:
        return math.nan
    skin = (upper[(len(upper) - 1) // 2] + upper[len(upper) // 2]) / 2
    away = lower - skin
    apart = np.hypot(away[:, 0], away[:, 1]) > CHROMA_STEP
    return int(np.count_nonzero(apart)) / len(lower)


def _chroma(patch: Patch) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return (n, 2) log chroma of each spot, and (n,) whether the skin has a pixel of it."""
    x, y = np.rint(patch.points[_SPOTS]).astype(np.intp).T
    rows, columns = y[:, None] + _SPOT[:, 0], x[:, None] + _SPOT[:, 1]
    on = (np.minimum(rows, columns) >= 0) & (np.maximum(rows, columns) < SIDE)
    place = np.where(on, rows * SIDE + columns, 0)
    on &= patch.skin.ravel().take(place)
    codes = patch.bgr.reshape(-1, 3).take(place, axis=0)
    sums = (codes * on[:, :, None]).sum(axis=1, dtype=np.float64)
    counts = on.sum(axis=1)
    mean = np.log(sums / np.maximum(counts, 1)[:, None] + 4.0)
    return mean[:, [2, 0]] - mean[:, [1]], counts > 0
