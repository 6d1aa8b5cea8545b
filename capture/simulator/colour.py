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


_DARKEST = 0.00099
"""Where the approximation below reaches 0."""


def codes_of_linear(linear: ArrayF) -> ImageU8:
    """Encode linear light (any shape, float32) to 8-bit sRGB, clipping to 0..1.

    Two square roots instead of a power: within 0.1 code of the standard above code 25 and within 1
    above code 7 (least squares over 0.002 to 1); darker light goes to 0 four codes early.
    """
    light = np.clip(linear, np.float32(_DARKEST), np.float32(1.0))
    root = cv2.sqrt(light)
    coded = cv2.addWeighted(root, 0.80412633, cv2.sqrt(root), 0.32299626, -0.08221934)
    coded = cv2.scaleAdd(light, -0.04512911, coded)
    return cast("ImageU8", cv2.convertScaleAbs(coded, alpha=255.0)).reshape(linear.shape)
