"""Pictures made smaller without skipping pixels."""

from __future__ import annotations

import numpy as np

from capture.frame import ImageU8


def shrunk(bgr: ImageU8, side_px: int) -> ImageU8:
    """Return the picture with no side longer than ``side_px``; itself where none is.

    Halves are means of 2x2 pixels; the rest, by less than 2, is bilinear, which then looks at every
    pixel as well: a tenth of the time of one reduction by area.

    Parameters
    ----------
    bgr : (H, W, 3) uint8.
    """
    import cv2  # noqa: PLC0415

    while max(bgr.shape[:2]) >= 2 * side_px:
        half = max(1, bgr.shape[1] // 2), max(1, bgr.shape[0] // 2)
        bgr = np.asarray(cv2.resize(bgr, half, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    factor = side_px / max(bgr.shape[:2])
    if factor >= 1:
        return bgr
    size = max(1, round(bgr.shape[1] * factor)), max(1, round(bgr.shape[0] * factor))
    return np.asarray(cv2.resize(bgr, size, interpolation=cv2.INTER_LINEAR), dtype=np.uint8)
