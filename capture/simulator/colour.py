"""Linear light and sRGB, in both directions."""

from __future__ import annotations

from typing import TypeAlias, cast

import cv2
import numpy as np
from numpy.typing import NDArray

ArrayF: TypeAlias = NDArray[np.float32]
ImageU8: TypeAlias = NDArray[np.uint8]
ColourF: TypeAlias = tuple[float, float, float]
"""Linear reflectance or relative irradiance, in the order red, green, blue."""

_CODES = np.arange(256) / 255.0
LINEAR_OF_CODE: ArrayF = np.where(
    _CODES <= 0.04045, _CODES / 12.92, ((_CODES + 0.055) / 1.055) ** 2.4
).astype(np.float32)
"""(256,) linear light of an 8-bit sRGB code (IEC 61966-2-1)."""


def linear_rgb(rgb: tuple[int, int, int]) -> NDArray[np.float64]:
    """Return the (3,) linear light of 8-bit sRGB, in the order given."""
    return LINEAR_OF_CODE[list(rgb)].astype(np.float64)


_ROOTS = (np.arange(256) / 255) ** 2
_CODE_OF_ROOT: ImageU8 = np.rint(
    255 * np.where(_ROOTS <= 0.0031308, _ROOTS * 12.92, 1.055 * _ROOTS ** (1 / 2.4) - 0.055)
).astype(np.uint8)


def root_codes(roots: ArrayF) -> ImageU8:
    """Return square roots of linear light, 0..1, in 8 bits; not negative, clipped at 1.

    Products of reflectance and light stay products, and 8 bits are finer than the noise of any
    camera that is simulated here.
    """
    return cast("ImageU8", cv2.convertScaleAbs(roots, alpha=255.0))


def codes_of_root_codes(roots: ImageU8) -> ImageU8:
    """Encode 8-bit square roots of linear light to 8-bit sRGB (IEC 61966-2-1)."""
    return cast("ImageU8", cv2.LUT(roots, _CODE_OF_ROOT))


def codes_of_linear(linear: ArrayF) -> ImageU8:
    """Encode linear light (any shape, float32) to 8-bit sRGB, clipping to 0..1; within a code."""
    roots = cast("ArrayF", cv2.sqrt(np.maximum(linear, np.float32(0.0))))
    return codes_of_root_codes(root_codes(roots)).reshape(linear.shape)
