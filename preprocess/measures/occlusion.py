"""Whether something other than this face's skin covers its lower half."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from preprocess.measures.patch import Patch

FOREHEAD_AND_NOSE: Final = (151, 9, 8, 6, 197, 195, 5, 108, 337)
LOWER: Final = (205, 425, 187, 411, 192, 416, 202, 422, 210, 430, 169, 394, 199, 200)
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
    values = []
    for x, y in np.round(patch.points[list(indices)]).astype(int):
        spot = patch.bgr[max(y - 2, 0) : y + 3, max(x - 2, 0) : x + 3]
        inside = patch.skin[max(y - 2, 0) : y + 3, max(x - 2, 0) : x + 3]
        if not inside.any():
            continue
        blue, green, red = np.log(spot[inside].mean(axis=0) + 4.0)
        values.append((red - green, blue - green))
    return np.array(values).reshape(-1, 2)
