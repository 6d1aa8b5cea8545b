"""Blur of the face as the standard deviation of its edges' spread, by direction."""

from __future__ import annotations

import math
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from preprocess.measures.patch import F32, IED, Mask

REBLUR: Final = 1.0
FINE, COARSE = 0.7, 1.0
NOISY_CODES: Final = 6.0
KEPT_PERCENTILE: Final = 93.0
LEAST_EDGES, LEAST_VALID = 20, 8
_LAPLACE2: Final = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], dtype=np.float32)


class Blur(NamedTuple):
    """Spread of the edges in % of the inter-eye distance, worst direction; ratio to the best."""

    blur_pct: float
    blur_ratio: float


def noise_codes(grey: F32, where: Mask) -> float:
    """Return the noise's standard deviation in codes.

    Median of abs(N*I)/(6*.6745) with N the difference of two Laplacians (Immerkaer 1996): it
    cancels everything that is linear or quadratic in x and y.
    """
    import cv2  # noqa: PLC0415

    values = np.abs(cv2.filter2D(grey, -1, _LAPLACE2))[where]
    return float(np.median(values)) / (6 * 0.6745) if values.size else math.nan


def edge_blur(grey: F32, where: Mask, noise: float) -> Blur:
    """Return the directional blur of a patch with 96 px between the eyes.

    An edge of spread s, blurred once more by s0, loses gradient by R = sqrt((s^2+s0^2)/s^2), so
    s = s0/sqrt(R^2-1): contrast, gain and skin cancel (Zhuo and Sim, defocus map, 2011). Edges are
    local maxima of the gradient in four sectors of its direction; each sector gives the median of
    its strongest, the worst sector counts, for motion blurs only the edges it crosses.
    """
    import cv2  # noqa: PLC0415

    fine = COARSE if noise > NOISY_CODES else FINE
    first = cv2.GaussianBlur(grey, (0, 0), fine)
    second = cv2.GaussianBlur(first, (0, 0), REBLUR)
    gx, gy = _gradient(first)
    hx, hy = _gradient(second)
    magnitude = np.hypot(gx, gy)
    sector = np.floor((np.degrees(np.arctan2(gy, gx)) % 180 + 22.5) / 45).astype(int) % 4
    spreads = []
    for k in range(4):
        rows, cols = _maxima(magnitude, where & (sector == k), k)
        if rows.size < LEAST_EDGES:
            continue
        strength = magnitude[rows, cols]
        keep = strength >= np.percentile(strength, KEPT_PERCENTILE)
        rows, cols, strength = rows[keep], cols[keep], strength[keep]
        along = np.abs(hx[rows, cols] * gx[rows, cols] + hy[rows, cols] * gy[rows, cols]) / strength
        ratio = strength / np.maximum(along, 1e-6)
        ratio = ratio[ratio > 1.001]
        if ratio.size < LEAST_VALID:
            continue
        spread = np.sqrt(np.maximum(REBLUR**2 / (ratio**2 - 1) - fine**2, 0))
        spreads.append(float(np.median(spread)))
    if not spreads:
        return Blur(math.nan, math.nan)
    return Blur(max(spreads) / IED * 100, max(spreads) / max(min(spreads), 1e-3))


def _gradient(image: Any) -> tuple[F32, F32]:
    import cv2  # noqa: PLC0415

    gx = cv2.Sobel(image, cv2.CV_32F, 1, 0, ksize=3, scale=1 / 8)
    gy = cv2.Sobel(image, cv2.CV_32F, 0, 1, ksize=3, scale=1 / 8)
    return np.asarray(gx, dtype=np.float32), np.asarray(gy, dtype=np.float32)


_STEPS: Final = ((0, 1), (1, 1), (1, 0), (1, -1))


def _maxima(magnitude: F32, where: Mask, sector: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return rows and columns of the local maxima along the sector's gradient direction."""
    rows, cols = np.nonzero(where)
    dy, dx = _STEPS[sector]
    here = magnitude[rows, cols]
    top = (here >= magnitude[rows + dy, cols + dx]) & (here >= magnitude[rows - dy, cols - dx])
    return rows[top], cols[top]
