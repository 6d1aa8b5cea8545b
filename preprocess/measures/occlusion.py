"""Whether something other than this face's skin covers its lower half."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from preprocess.measures.patch import SIDE, Patch

FOREHEAD_AND_NOSE: Final = (151, 9, 8, 6, 197, 195, 5, 108, 337)
LOWER: Final = (205, 425, 187, 411, 192, 416, 202, 422, 210, 430, 169, 394, 199, 200)
_SPOT: Final = np.array([(row, column) for row in range(-2, 3) for column in range(-2, 3)])
CHROMA_STEP: Final = 0.35
"""Log chroma beyond which a spot is no skin of this face; lips and stubble stay below."""


def occluded_share(patch: Patch) -> float:
    """Return the share of 14 spots on cheeks, jaw and chin with another chroma than the nose.

    Own measure. Chroma is (ln R/G, ln B/G) of a 5x5 mean: shading cancels, a mask or a cup does
    not. Compared with the median of forehead and nose, which a hand or a mask leaves free.
    """
    upper = _chroma(patch, FOREHEAD_AND_NOSE)
    lower = _chroma(patch, LOWER)
    if len(upper) < 3 or len(lower) < 5:
        return math.nan
    away = np.hypot(*(lower - np.median(upper, axis=0)).T)
    return float((away > CHROMA_STEP).mean())


def _chroma(
    patch: Patch, indices: tuple[int, ...]
) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    x, y = np.round(patch.points[list(indices)]).astype(int).T
    rows, columns = (y[:, None] + _SPOT[:, 0]), (x[:, None] + _SPOT[:, 1])
    on = (rows >= 0) & (rows < SIDE) & (columns >= 0) & (columns < SIDE)
    rows, columns = rows.clip(0, SIDE - 1), columns.clip(0, SIDE - 1)
    on &= patch.skin[rows, columns]
    sums = (patch.bgr[rows, columns] * on[:, :, None]).sum(axis=1, dtype=np.float64)
    counts = on.sum(axis=1)
    seen = counts > 0
    blue, green, red = np.log(sums[seen] / counts[seen, None] + 4.0).T
    return np.stack([red - green, blue - green], axis=1)
