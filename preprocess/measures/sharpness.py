"""Blur of the face as the spread of its edges, in every direction at once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from preprocess.measures.patch import F32, IED, SIDE, Mask

REBLUR_PX: Final = 1.0
"""s0 of the second image; the patch has 96 px between the eyes."""

FINE_PX, COARSE_PX = 0.8, 1.1
QUIET_CODES, NOISY_CODES = 5.0, 9.0
"""Pre-blur, from fine to coarse as the noise rises: noise makes false sharp edges."""

SECTORS: Final = 8
STRONGEST: Final = 80
"""Edges a sector: enough for a steady quantile, few enough to leave soft shading out."""

QUANTILE: Final = 0.4
"""Below the median: a face always has sharp edges, soft ones say less."""

STEEP: Final = 0.4
SPARSE: Final = 4
"""The steepest are told from the others by every fourth pixel."""

LARGEST_PX2: Final = 16.0
"""Spread beyond which re-blurring by s0 changes nothing that 8 bits can tell."""

PIXEL_PX2: Final = 0.2
"""Spread^2 of a camera pixel under cubic enlargement, in px^2 of the camera; measured on portraits
reduced to 45, 55 and 80 px between the eyes."""

NOISE_TOP_CODES, NOISE_BINS = 256.0, 8192
"""The median of the noise is read to .03 codes over 4; noise above 60 codes is read as that."""

LEAST_EDGES, LEAST_SECTORS = 12, 4
_LAPLACE2: Final = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], dtype=np.float32)
_FLAT: Final = np.float32(math.tan(math.pi / 8))
"""Slope up to which the next pixel along a gradient is the one beside it."""


class Blur(NamedTuple):
    """Spread along the worst direction in % of the inter-eye distance; over the best one's."""

    blur_pct: float
    blur_ratio: float


class Edges(NamedTuple):
    """Local maxima of the gradient, each array (n,).

    Direction 0..pi, gradient, and what is left of it along that direction after one more blur;
    ``fine_px`` is the blur before the first gradient.
    """

    angle_rad: NDArray[np.float32]
    strength: NDArray[np.float32]
    reblurred: NDArray[np.float32]
    fine_px: float

    def spread_px2(self, chosen: NDArray[np.intp]) -> NDArray[np.float64]:
        """Return the spread^2 of some of them, px^2."""
        strength = self.strength.take(chosen).astype(np.float64)
        ratio = strength / np.maximum(self.reblurred.take(chosen) / strength, 1e-6)
        spread = REBLUR_PX**2 / np.maximum(ratio**2 - 1, 1e-6) - self.fine_px**2
        return np.asarray(np.minimum(spread, LARGEST_PX2))


def noise_codes(grey: F32, where: Mask) -> float:
    """Return the noise's standard deviation in codes.

    Median of abs(N*I)/(6*.6745) with N the difference of two Laplacians (Immerkaer 1996): it
    cancels everything that is linear or quadratic in x and y.
    """
    import cv2  # noqa: PLC0415

    total = int(np.count_nonzero(where))
    if not total:
        return math.nan
    left = np.abs(np.asarray(cv2.filter2D(grey, -1, _LAPLACE2)))
    # counted rather than sorted: a fourth of the time; the codes of a bin are taken as spread out
    counts = cv2.calcHist([left], [0], where.view(np.uint8), [NOISE_BINS], [0.0, NOISE_TOP_CODES])
    reached = np.cumsum(counts.ravel(), dtype=np.float64)
    place = int(np.searchsorted(reached, total / 2))
    if place == NOISE_BINS:
        return NOISE_TOP_CODES / (6 * 0.6745)
    inside = (total / 2 - reached[place]) / float(counts[place, 0]) + 1
    return (place + float(inside)) * NOISE_TOP_CODES / NOISE_BINS / (6 * 0.6745)


def edge_blur(grey: F32, where: Mask, noise: float, scale: float = 1.0) -> Blur:
    """Return the blur of the (249, 249) patch inside ``where``; NaN without edges.

    ``scale`` is the patch's pixels per camera pixel: where it enlarges, the spread of the camera's
    own pixels is taken off, for a small face is not a blurred one.

    An edge of spread s, blurred once more by s0, loses gradient by R = sqrt((s^2+s0^2)/s^2), so
    s^2 = s0^2/(R^2-1): contrast, gain and skin cancel (Zhuo and Sim, Defocus map estimation, 2011).
    Motion blurs the edges it crosses only: spread^2 along direction t of any blur kernel is the
    quadratic form of its covariance, a + b cos 2t + c sin 2t. The form is fitted to a low quantile
    of the strongest edges in eight overlapping sectors; its larger eigenvalue is the worst
    direction's spread^2, diagonal or not. Codes are raised to 1.5 before, half-way to linear light,
    where blur happens: in gamma codes the dark side of a hard shadow looks sharp under any blur, in
    linear light highlights outweigh the rest. Own combination, measured in ``bench/quality``.
    """
    edges = find_edges(grey, where, noise)
    sampling = PIXEL_PX2 * max(scale * scale - 1, 0.0)
    sectors, spreads = [], []
    for k, inside in enumerate(_by_sector(edges.angle_rad)):
        if inside.size >= LEAST_EDGES:
            sectors.append(k)
            spread = edges.spread_px2(_strongest(inside, edges.strength))
            spreads.append(_lower_quantile(spread, QUANTILE) - sampling)
    if len(sectors) < LEAST_SECTORS:
        return Blur(math.nan, math.nan)
    worst, best = _eigenvalues(tuple(sectors), spreads)
    return Blur(math.sqrt(worst) / IED * 100, math.sqrt(worst / best))


def find_edges(grey: F32, where: Mask, noise: float) -> Edges:
    """Return the local maxima of the gradient along its own direction.

    Only of the steepest ``STEEP`` of the pixels: a sector never uses the others.
    """
    import cv2  # noqa: PLC0415

    rise = (noise - QUIET_CODES) / (NOISY_CODES - QUIET_CODES)
    fine = FINE_PX + (COARSE_PX - FINE_PX) * min(max(rise, 0.0), 1.0)
    pixels = np.flatnonzero(where)
    if not pixels.size:
        none = np.empty(0, np.float32)
        return Edges(none, none, none, fine)
    first = cv2.GaussianBlur(cv2.multiply(grey, cv2.sqrt(np.maximum(grey, 0))), (0, 0), fine)
    gx, gy = _gradient(first)
    hx, hy = _gradient(cv2.GaussianBlur(first, (0, 0), REBLUR_PX))
    strength = np.asarray(cv2.magnitude(gx, gy), dtype=np.float32).ravel()
    steep = strength.take(pixels)
    pixels = pixels[steep > max(_lower_quantile(steep[::SPARSE], 1 - STEEP), 1e-3)]
    x, y, here = gx.ravel().take(pixels), gy.ravel().take(pixels), strength.take(pixels)
    step = _steps(x, y)
    before, after = strength.take(pixels - step), strength.take(pixels + step)
    top = np.flatnonzero((here >= after) & (here >= before))
    pixels, x, y = pixels[top], x[top], y[top]
    left = np.abs(hx.ravel().take(pixels) * x + hy.ravel().take(pixels) * y)
    angle = np.arctan2(y, x)  # of these alone: a third of the steep ones
    return Edges(angle + (angle < 0) * np.float32(math.pi), here[top], left, fine)


def _steps(x: F32, y: F32) -> NDArray[np.intp]:
    """Return, for gradients (n,), the way to the next pixel of the patch along each."""
    across, down = np.abs(x), np.abs(y)
    slanted = SIDE + 2 * ((x > 0) == (y > 0)) - 1
    return np.where(down < _FLAT * across, 1, np.where(across < _FLAT * down, SIDE, slanted))


def _by_sector(angle_rad: NDArray[np.float32]) -> list[NDArray[np.intp]]:
    """Return the edges of each sector: those up to half a sector's width off its middle."""
    bins = (angle_rad * np.float32(SECTORS / math.pi)).astype(np.uint8) % SECTORS
    order = np.argsort(bins, kind="stable")
    ends = np.cumsum(np.bincount(bins, minlength=SECTORS))
    parts = np.split(order, ends[:-1])
    return [np.concatenate([parts[k - 1], parts[k]]) for k in range(SECTORS)]


def _strongest(edges: NDArray[np.intp], strength: NDArray[np.float32]) -> NDArray[np.intp]:
    """Return the ``STRONGEST`` of the edges, in any order."""
    if edges.size <= STRONGEST:
        return edges
    best = np.argpartition(strength.take(edges), edges.size - STRONGEST)[-STRONGEST:]
    return edges.take(best)


def _lower_quantile(values: NDArray[Any], share: float) -> float:
    """Return the quantile without interpolation: much quicker than numpy's."""
    place = int(share * (values.size - 1))
    return float(np.partition(values, place)[place])


def _eigenvalues(sectors: tuple[int, ...], spreads: Sequence[float]) -> tuple[float, float]:
    """Return the larger and the smaller eigenvalue of the fitted form, kept above 0."""
    mean, cos, sin = (_solver(sectors) @ np.array(spreads)).tolist()
    swing = math.hypot(cos, sin)
    return _positive(mean + swing), _positive(mean - swing)


@lru_cache(maxsize=2**SECTORS)
def _solver(sectors: tuple[int, ...]) -> NDArray[np.float64]:
    """Return the (3, n) matrix of least squares for spreads along these sectors."""
    angles = 2 * math.pi / SECTORS * np.array(sectors)
    terms = np.stack([np.ones_like(angles), np.cos(angles), np.sin(angles)], axis=1)
    return np.asarray(np.linalg.pinv(terms))


def _positive(spread_px2: float) -> float:
    """Return a spread^2 above 0, strictly rising: below .2 px^2 the pixel grid hides the rest."""
    return (spread_px2 + math.hypot(spread_px2, 0.2)) / 2


def _gradient(image: Any) -> tuple[F32, F32]:
    import cv2  # noqa: PLC0415

    gx = cv2.Sobel(image, cv2.CV_32F, 1, 0, ksize=3, scale=1 / 8)
    gy = cv2.Sobel(image, cv2.CV_32F, 0, 1, ksize=3, scale=1 / 8)
    return np.asarray(gx, dtype=np.float32), np.asarray(gy, dtype=np.float32)
