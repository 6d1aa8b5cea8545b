"""What the eyes tell of the light, whatever the skin: whites that shine, or glasses that hide."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from preprocess.face.landmarks import LEFT_EYE, RIGHT_EYE
from preprocess.measures.exposure import LINEAR
from preprocess.measures.patch import SIDE, Patch

BRIGHT_TAIL: Final = 95.0
DARK_TAIL: Final = 5.0
BLACK: Final = 0.002
"""Linear light that is added to both tails, half a code near black: noise there is no contrast."""

LEAST_PX: Final = 60
"""Pixels of the patch inside an eye's outline; an open eye has 150 and more."""


def eyes_light(patch: Patch) -> tuple[float, float]:
    """Return the contrast of the duller eye, and the eyes' whites in codes.

    The contrast is the 95th over the 5th percentile of linear grey inside the eye's outline, for
    a white beside a pupil: 5 and more in ordinary light, 3 at -2 EV, 1.1 to 1.4 behind opaque
    glasses [measured]. The whites are the 95th percentile of the brightest channel in both
    outlines: they are no darker on dark skin.
    """
    import cv2  # noqa: PLC0415

    contrasts, seen = [], []
    for outline in (LEFT_EYE, RIGHT_EYE):
        inside = np.zeros((SIDE, SIDE), np.uint8)
        corners = np.rint(patch.points.take(outline, axis=0)).astype(np.int32)
        cv2.fillConvexPoly(inside, cv2.convexHull(corners), (1,))
        pixels = np.flatnonzero(inside.view(bool) & patch.skin)
        if len(pixels) < LEAST_PX:
            return math.nan, math.nan
        grey = LINEAR[patch.grey_codes.ravel().take(pixels)]
        dark, bright = np.percentile(grey, (DARK_TAIL, BRIGHT_TAIL))
        contrasts.append(float((bright + BLACK) / (dark + BLACK)))
        seen.append(patch.brightest_codes.ravel().take(pixels))
    return min(contrasts), float(np.percentile(np.concatenate(seen), BRIGHT_TAIL))
