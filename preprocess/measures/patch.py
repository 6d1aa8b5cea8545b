"""The face brought to one size and place: 96 px between the eyes.

One change of size serves all pixel measures, so that their thresholds mean the same on every
camera. A tilted head stays tilted: turning it would mix pixels once more, by an amount that changes
over the face, and cost ten times as much; what asks for left and right of a face follows its axes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from capture.frame import ImageU8
from preprocess.face.landmarks import FACE_OVAL, eye_centres

IED: Final = 96
"""Pixels between the eyes on the patch, its own unit."""

SIDE: Final = int(2.6 * IED)
"""Side of the square patch: oval, cheeks and chin of any face fit."""

EYES_ABOVE_CENTRE: Final = 0.1 * SIDE
"""From the patch's centre to the eyes' midpoint, up along the face."""

REDUCTION_SIGMA: Final = 0.45
"""Gaussian before a reduction by s, times sqrt(1/s^2 - 1): a sharp face reads the same at any s."""

HALVED_PX2: Final = 0.25
"""Spread^2 of a mean of two pixels, (2^2 - 1) / 12: what a halving by area has low-passed."""

_OVAL: Final = np.array(FACE_OVAL)

F32 = NDArray[np.float32]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Patch:
    """The normalised face.

    Attributes
    ----------
    bgr : (249, 249, 3) uint8, BGR.
    grey_codes : (249, 249) uint8, grey as BT.601 weighs gamma-encoded channels.
    brightest_codes : (249, 249) uint8, the largest of the three channels.
    skin : (249, 249) bool, hull of the face oval inside the frame, eroded by one pixel.
    core : the same eroded by two, where gradients see no outline.
    points : (n, 2) float64 x, y of the landmarks on the patch, pixel centres at whole numbers.
    scale : patch pixels per frame pixel.
    """

    bgr: ImageU8
    grey_codes: ImageU8
    brightest_codes: ImageU8
    skin: Mask
    core: Mask
    points: NDArray[np.float64]
    scale: float

    def grey(self) -> F32:
        """Return (249, 249) float32 grey 0..255, not rounded.

        Rounded to whole codes it would make the noise a multiple of .25 codes.
        """
        import cv2  # noqa: PLC0415

        exact = self.bgr.astype(np.float32)
        return np.asarray(cv2.cvtColor(exact, cv2.COLOR_BGR2GRAY), dtype=np.float32)


def face_patch(pixels: ImageU8, landmarks_px: NDArray[np.float32]) -> Patch:
    """Return the normalised face: a square of the frame, low-passed where reduced, cubic.

    Parameters
    ----------
    pixels : (H, W, 3) uint8, BGR; beyond its edge the edge goes on.
    landmarks_px : (n >= 468, 3) float32 in pixels of the frame.
    """
    x0, y0, side = _window(landmarks_px)
    scale = SIDE / side
    points = (landmarks_px[:, :2].astype(np.float64) - (x0 - 0.5, y0 - 0.5)) * scale - 0.5
    bgr = _resized(_cut(pixels, x0, y0, side), scale)
    frame = np.array([[0, 0], pixels.shape[1::-1]])
    skin, core = _masks(points, (frame - (x0, y0)) * scale)
    grey, brightest = _single_channels(bgr)
    return Patch(bgr, grey, brightest, skin, core, points, scale)


def _window(landmarks_px: NDArray[np.float32]) -> tuple[int, int, int]:
    """Return left, top and side of the square in whole pixels of the frame."""
    (x0, y0), (x1, y1) = eye_centres(landmarks_px).tolist()
    dx, dy = x1 - x0, y1 - y0
    side = max(2, round(SIDE / IED * math.hypot(dx, dy)))
    down = EYES_ABOVE_CENTRE / IED
    x, y = (x0 + x1) / 2 - down * dy, (y0 + y1) / 2 + down * dx
    return round(x + 0.5 - side / 2), round(y + 0.5 - side / 2), side


def _cut(pixels: ImageU8, x0: int, y0: int, side: int) -> ImageU8:
    """Return the square, with the edge's pixels where it leaves the frame."""
    import cv2  # noqa: PLC0415

    height, width = pixels.shape[:2]
    left, top = min(max(x0, 0), width - 1), min(max(y0, 0), height - 1)
    right, bottom = max(min(x0 + side, width), left + 1), max(min(y0 + side, height), top + 1)
    part = pixels[top:bottom, left:right]
    if part.shape[:2] == (side, side):
        return part
    before_y, before_x = min(max(top - y0, 0), side - 1), min(max(left - x0, 0), side - 1)
    after_y, after_x = side - part.shape[0] - before_y, side - part.shape[1] - before_x
    whole = cv2.copyMakeBorder(part, before_y, after_y, before_x, after_x, cv2.BORDER_REPLICATE)
    return np.asarray(whole, dtype=np.uint8)


def _resized(part: ImageU8, scale: float) -> ImageU8:
    """Bring a square to ``SIDE`` pixels; more than twice as many are halved by area first."""
    import cv2  # noqa: PLC0415

    spread_px2 = REDUCTION_SIGMA**2 * (1 / min(scale, 1.0) ** 2 - 1)
    while part.shape[0] >= 2 * SIDE:
        half = part.shape[0] // 2
        part = np.asarray(cv2.resize(part, (half, half), interpolation=cv2.INTER_AREA), np.uint8)
        spread_px2 = (spread_px2 - HALVED_PX2) / 4
    if spread_px2 > 0:
        part = np.asarray(cv2.GaussianBlur(part, (0, 0), math.sqrt(spread_px2)), dtype=np.uint8)
    resized = cv2.resize(part, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    return np.asarray(resized, dtype=np.uint8)


def _single_channels(bgr: ImageU8) -> tuple[ImageU8, ImageU8]:
    import cv2  # noqa: PLC0415

    blue, green, red = cv2.split(bgr)
    brightest = cv2.max(cv2.max(blue, green), red)
    grey = cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY)
    return np.asarray(grey, dtype=np.uint8), np.asarray(brightest, dtype=np.uint8)


def _masks(points: NDArray[np.float64], frame: NDArray[np.float64]) -> tuple[Mask, Mask]:
    """Return the hull of the oval inside the frame, eroded by one and by two pixels.

    ``frame`` is its first and last corner on the patch, pixel edges at whole numbers.
    """
    import cv2  # noqa: PLC0415

    oval = np.rint(points.take(_OVAL, axis=0)).astype(np.int32)
    hull = np.asarray(cv2.convexHull(oval), dtype=np.int32)
    face = np.asarray(cv2.fillConvexPoly(np.zeros((SIDE, SIDE), np.uint8), hull, (1,)), np.uint8)
    (left, top), (right, bottom) = np.rint(frame).astype(int).clip(0, SIDE)
    face[:top], face[bottom:], face[:, :left], face[:, right:] = 0, 0, 0, 0
    return _eroded(face, 3), _eroded(face, 5)


def _eroded(filled: ImageU8, side: int) -> Mask:
    import cv2  # noqa: PLC0415

    kernel = np.ones((side, side), np.uint8)
    inner = cv2.erode(filled, kernel, borderType=cv2.BORDER_CONSTANT, borderValue=(0,))
    return np.asarray(inner, dtype=bool)
