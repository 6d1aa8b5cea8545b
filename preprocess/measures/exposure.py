"""Light on the face: clipping, contrast, signal over noise, side light."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from capture.frame import ImageU8
from capture.light.illumination import Rgb
from preprocess.face.landmarks import eye_centres
from preprocess.measures.patch import F32, HALVED_PX2, IED, SIDE, Mask, Patch

CLIPPED: Final = 250
"""Code from which a channel counts as clipped: JPEG and chroma subsampling blur 255."""

NOISE_FLOOR_CODES: Final = 0.35
"""Rounding to 8 bits has a standard deviation of .29 codes: less noise cannot be told."""

CONTRAST_TAILS: Final = (0.10, 0.99)
BRIGHTEST_TAIL: Final = 99.8
"""Percentile of the face: what shines on any skin, forehead, nose, teeth, a white of an eye."""

BRIGHT_TAIL: Final = 99.0
"""Percentile of the whole frame: a window or a lamp of 1 % of it is a bright spot."""

FRAME_SAMPLES: Final = 20_000
"""Pixels that the frame is judged by, on a regular grid: the percentile is good to half a code."""

MOUTH: Final = (13, 14)
CHEEK_SIDE: Final = round(0.3 * IED)
"""Pixels of the patch."""

LINEAR: Final = np.where(
    np.arange(256) / 255 <= 0.04045,
    np.arange(256) / 255 / 12.92,
    ((np.arange(256) / 255 + 0.055) / 1.055) ** 2.4,
).astype(np.float32)
_BT709_BGR: Final = (0.0722, 0.7152, 0.2126)


def clipped_shares(patch: Patch) -> tuple[float, float, float]:
    """Return the shares of the face at >= 250 in grey, in any channel, in two channels at once.

    One clipped channel (red under warm lamps) leaves two that still show the face; where two clip,
    shape and colour are gone.
    """
    import cv2  # noqa: PLC0415

    blue, green, red = cv2.split(patch.bgr)
    low = cv2.min(blue, green)
    second = cv2.max(low, cv2.min(cv2.max(blue, green), red))
    return (
        _clipped(patch, patch.grey_codes),
        _clipped(patch, patch.brightest_codes),
        _clipped(patch, np.asarray(second, dtype=np.uint8)),
    )


def lit_clipped_share(patch: Patch, lit: Rgb) -> float:
    """Return the share of the face at >= 250 in a channel that the screen lights.

    A channel is lit when its sRGB value is at least half the colour's largest.
    """
    bgr = lit[::-1]
    channels = [i for i in range(3) if bgr[i] > 0 and 2 * bgr[i] >= max(bgr)]
    if not channels:
        return math.nan
    return _clipped(patch, np.max(patch.bgr[..., channels], axis=2))


def tones_codes(patch: Patch) -> tuple[float, float]:
    """Return contrast and highlights, P99 - P10 and P99 of gamma-encoded grey on the face.

    In codes. Contrast says how flat the light and how dark the skin is, besides how dark the
    picture: alone it is no exposure. Evenly lit people read 40 to 57 at an ordinary exposure,
    ordinary light at -3 EV 50 to 74. Highlights near white tell a face that is too bright from one
    whose red channel clips under warm lamps.
    """
    counts = _histogram(patch.grey_codes, patch.skin)
    if not counts.any():
        return math.nan, math.nan
    reached = np.cumsum(counts) / counts.sum()
    low, high = np.searchsorted(reached, CONTRAST_TAILS)
    return float(high - low), float(high)


def face_bright_codes(patch: Patch) -> float:
    """Return the 99.8th percentile of the face's brightest channel, in codes.

    Dark skin shines where light falls on it: 92 and more at a fifth of the albedo.
    """
    brightest = patch.brightest_codes[patch.skin]
    if not brightest.size:
        return math.nan
    return percentile_of_codes(np.bincount(brightest, minlength=256), BRIGHTEST_TAIL)


def frame_bright_codes(pixels: ImageU8) -> float:
    """Return the 99th percentile of the whole frame's brightest channel, in codes.

    Skin can be dark and light flat; a whole scene without one bright spot is under-exposed: white
    itself stays below 140 at -2 EV and below 104 at -3. The brightest channel rather than grey,
    because a coloured wall is as well exposed as a white one.

    Parameters
    ----------
    pixels : (H, W, 3) uint8, BGR, the full frame.
    """
    import cv2  # noqa: PLC0415

    step = max(1, math.isqrt(pixels.shape[0] * pixels.shape[1] // FRAME_SAMPLES))
    # whole rows: taking single pixels out of a frame, and the largest of each three, costs more
    blue, green, red = cv2.split(pixels[::step])
    brightest = np.asarray(cv2.max(cv2.max(blue, green), red), dtype=np.uint8)[:, ::step]
    return percentile_of_codes(np.bincount(brightest.ravel(), minlength=256), BRIGHT_TAIL)


def percentile_of_codes(counts: NDArray[np.intp], percent: float) -> float:
    """Return what ``np.percentile`` gives of codes that were counted, (256,)."""
    reached = np.cumsum(counts)
    place = percent / 100 * float(reached[-1] - 1)
    low, high = np.searchsorted(reached, (math.floor(place), math.ceil(place)), side="right")
    return float(low + (high - low) * (place - math.floor(place)))


def snr(patch: Patch, grey: F32, noise_codes: float) -> float:
    """Return rms of the band between Gaussians of 1.6 and 8 px over the noise's sd.

    Both are taken of means of 2x2 pixels, where nothing of the band is lost.
    """
    import cv2  # noqa: PLC0415

    half = SIDE // 2
    small = cv2.resize(grey[: 2 * half, : 2 * half], (half, half), interpolation=cv2.INTER_AREA)
    narrow = np.asarray(cv2.GaussianBlur(small, (0, 0), math.sqrt(1.6**2 - HALVED_PX2) / 2))
    wide = np.asarray(cv2.GaussianBlur(narrow, (0, 0), math.sqrt(8**2 - 1.6**2) / 2))
    values = (
        (narrow - wide).ravel().take(np.flatnonzero(patch.core[: 2 * half : 2, : 2 * half : 2]))
    )
    if not values.size or math.isnan(noise_codes):
        return math.nan
    return math.sqrt(float(np.dot(values, values)) / values.size) / max(
        noise_codes, NOISE_FLOOR_CODES
    )


def luminance(patch: Patch) -> float:
    """Return the mean linear luminance (BT.709) of the face, 0..1 (OFIQ, LuminanceMean).

    Of every second row of the patch.
    """
    total = 0.0
    for channel, weight in enumerate(_BT709_BGR):
        counts = _histogram(patch.bgr[::2], patch.skin[::2], channel)
        if not counts.any():
            return math.nan
        total += weight * float(counts @ LINEAR) / float(counts.sum())
    return total


def side_light_stops(patch: Patch) -> float:
    """Return abs(log2) of the median linear luminance of the left cheek over the right one's."""
    medians = []
    for cheek in cheeks(patch):
        if cheek.size < CHEEK_SIDE**2 // 4:
            return math.nan
        values = _luminance(patch.bgr.reshape(-1, 3).take(cheek, axis=0))
        medians.append(max(_median(values), float(LINEAR[1])))
    return abs(math.log2(medians[0] / medians[1]))


def cheeks(patch: Patch) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the skin's pixels of the left and the right cheek, as indices of the flat patch.

    Squares of .3 IED half-way between eyes and mouth, inwards from each eye (OFIQ's zones).
    """
    (left, right), mouth = eye_centres(patch.points), patch.points.take(MOUTH, axis=0)
    across = (right - left) / max(math.dist(left, right), 1e-6)
    down = np.array([-across[1], across[0]])
    middle = (left + right) / 2
    half_way = float((mouth.sum(axis=0) / len(mouth) - middle) @ down) / 2
    reach = np.arange(CHEEK_SIDE) - (CHEEK_SIDE - 1) / 2
    square = reach[:, None, None] * down + reach[:, None] * across
    aside = (IED - CHEEK_SIDE) / 2 * across
    below = middle + half_way * down
    return _on_skin(patch, below - aside + square), _on_skin(patch, below + aside + square)


def _on_skin(patch: Patch, places: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return which pixels lie nearest to (..., 2) x, y, where they belong to the skin."""
    columns, rows = np.rint(places.reshape(-1, 2)).astype(np.intp).T
    on = (np.minimum(rows, columns) >= 0) & (np.maximum(rows, columns) < SIDE)
    pixels: NDArray[np.intp] = (rows * SIDE + columns)[on]
    return np.asarray(pixels[patch.skin.ravel().take(pixels)], dtype=np.intp)


def _median(values: F32) -> float:
    ordered = np.sort(values)  # numpy's own median takes five times as long for so few
    return float(ordered[(values.size - 1) // 2] + ordered[values.size // 2]) / 2


def _clipped(patch: Patch, codes: ImageU8) -> float:
    area = np.count_nonzero(patch.skin)
    return float(np.count_nonzero((codes >= CLIPPED) & patch.skin)) / area if area else math.nan


def _histogram(codes: ImageU8, skin: Mask, channel: int = 0) -> NDArray[np.float64]:
    """Return the counts of the 256 codes on the face."""
    import cv2  # noqa: PLC0415

    where = skin.view(np.uint8)
    return np.asarray(cv2.calcHist([codes], [channel], where, [256], [0, 256]), float).ravel()


def _luminance(bgr: ImageU8) -> F32:
    return np.asarray(LINEAR[bgr] @ np.array(_BT709_BGR, dtype=np.float32), dtype=np.float32)
