"""The face brought to one size and place: 96 px between the eyes, eyes level.

One warp serves all pixel measures, so that their thresholds mean the same on every camera.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from capture.frame import ImageU8
from preprocess.landmarks import FACE_OVAL, eye_centres

IED: Final = 96
"""Pixels between the eyes on the patch, its own unit."""

SIDE: Final = int(2.6 * IED)
"""Side of the square patch: oval, cheeks and chin of any face fit."""

EYE_ROW: Final = 0.4 * SIDE

REDUCTION_SIGMA: Final = 0.45
"""Gaussian before a reduction by s, times sqrt(1/s^2 - 1): a sharp face reads the same at any s."""

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
    points : (n, 2) float64 x, y of the landmarks on the patch.
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
    """Return the normalised face: similarity warp, cubic, edge replicated, low-passed if reduced.

    Parameters
    ----------
    pixels : (H, W, 3) uint8, BGR.
    landmarks_px : (n >= 468, 3) float32 in pixels of the frame.
    """
    to_patch = _similarity(landmarks_px)
    scale = math.hypot(to_patch[0, 0], to_patch[1, 0])
    points = landmarks_px[:, :2].astype(np.float64) @ to_patch[:, :2].T + to_patch[:, 2]
    skin, core = _masks(points, to_patch, pixels.shape)
    bgr = _warped(pixels, to_patch, scale)
    grey, brightest = _single_channels(bgr)
    return Patch(bgr, grey, brightest, skin, core, points, scale)


def _similarity(landmarks_px: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the (2, 3) matrix from the frame to the patch."""
    left, right = eye_centres(landmarks_px)
    across = right - left
    length = max(float(np.hypot(*across)), 1e-6)
    cos, sin = across / length * (IED / length)
    turn = np.array([[cos, sin], [-sin, cos]])
    shift = np.array([SIDE / 2, EYE_ROW]) - turn @ ((left + right) / 2)
    return np.hstack([turn, shift[:, None]])


def _warped(pixels: ImageU8, to_patch: NDArray[np.float64], scale: float) -> ImageU8:
    """Warp the part of the frame under the patch; a reduction is low-passed first."""
    import cv2  # noqa: PLC0415

    height, width = pixels.shape[:2]
    corners = np.array([[0, 0], [SIDE, 0], [SIDE, SIDE], [0, SIDE]], dtype=np.float64)
    back = (corners - to_patch[:, 2]) @ to_patch[:, :2] / scale**2  # a similarity's inverse
    air = 4 + math.ceil(2 / scale)
    x0, y0 = (np.floor(back.min(axis=0)) - air).astype(int).clip(0, (width - 1, height - 1))
    x1, y1 = (np.ceil(back.max(axis=0)) + air).astype(int).clip((x0 + 1, y0 + 1), (width, height))
    part = pixels[y0:y1, x0:x1]
    if scale < 1:
        sigma = REDUCTION_SIGMA * math.sqrt(1 / scale**2 - 1)
        part = np.asarray(cv2.GaussianBlur(part, (0, 0), sigma), dtype=np.uint8)
    moved = to_patch.copy()
    moved[:, 2] += to_patch[:, :2] @ (x0, y0)
    patch = cv2.warpAffine(
        part, moved, (SIDE, SIDE), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(patch, dtype=np.uint8)


def _single_channels(bgr: ImageU8) -> tuple[ImageU8, ImageU8]:
    import cv2  # noqa: PLC0415

    blue, green, red = cv2.split(bgr)
    brightest = cv2.max(cv2.max(blue, green), red)
    grey = cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY)
    return np.asarray(grey, dtype=np.uint8), np.asarray(brightest, dtype=np.uint8)


def _masks(
    points: NDArray[np.float64], to_patch: NDArray[np.float64], shape: tuple[int, ...]
) -> tuple[Mask, Mask]:
    """Return the hull of the oval inside the frame, eroded by one and by two pixels."""
    import cv2  # noqa: PLC0415

    oval = np.round(points[list(FACE_OVAL)]).astype(np.int32)
    hull = np.asarray(cv2.convexHull(oval), dtype=np.int32)
    filled = cv2.fillConvexPoly(np.zeros((SIDE, SIDE), np.uint8), hull, (1,))
    height, width = shape[:2]
    outline = np.array([[0, 0], [width - 1, 0], [width - 1, height - 1], [0, height - 1]], float)
    frame = np.round(outline @ to_patch[:, :2].T + to_patch[:, 2]).astype(np.int32)
    inside = cv2.fillConvexPoly(np.zeros((SIDE, SIDE), np.uint8), frame, (1,))
    face = np.asarray(cv2.bitwise_and(filled, inside), dtype=np.uint8)
    return _eroded(face, 3), _eroded(face, 5)


def _eroded(filled: ImageU8, side: int) -> Mask:
    import cv2  # noqa: PLC0415

    kernel = np.ones((side, side), np.uint8)
    inner = cv2.erode(filled, kernel, borderType=cv2.BORDER_CONSTANT, borderValue=(0,))
    return np.asarray(inner, dtype=bool)
