"""Pictures of 16 bits a channel: how many of these bits they use, and as 8 bits.

Sensors of 10 or 12 bits are often written unscaled into 16: taken as 16 they would be black.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final, cast

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from capture.files.extent import check_size
from capture.frame import ImageU8

FORMATS: Final = ("JPEG", "PNG", "BMP", "WEBP", "GIF")
"""What is read, by Pillow's names."""

_PNG: Final = b"\x89PNG\r\n\x1a\n"


def bits_in_use(paths: Iterable[Path]) -> int:
    """Return how many bits the pictures of 16 bits use, 8 where there are none.

    Only the first is looked at where it has 8: a folder comes from one camera.
    """
    largest = 0
    for path in paths:
        try:
            with Image.open(path, formats=FORMATS) as image:
                if not is_deep(image):
                    return 8
                check_size(path, *image.size)
                largest = max(largest, int(deep_values(path, image).max()))
        except (OSError, ValueError, SyntaxError, EOFError):
            return 8  # its reading says what is wrong with it
    return next((bits for bits in (10, 12, 14, 16) if largest < 1 << bits), 16)


def is_deep(image: Image.Image) -> bool:
    """Return whether a picture has 16 bits a channel; Pillow shows colour ones as 8."""
    tiles = getattr(image, "tile", ())
    raw = str(tiles[0][3]) if tiles else ""
    return image.mode.startswith("I") or "16B" in raw


def deep_values(path: Path, image: Image.Image) -> NDArray[np.uint16]:
    """Return the values of a picture of 16 bits, (H, W) or (H, W, 3) BGR.

    Raises
    ------
    ValueError
        it cannot be decoded.
    """
    if image.mode.startswith("I"):
        return np.asarray(image, dtype=np.uint32).clip(0, 65535).astype(np.uint16)
    content = path.read_bytes()
    if not content.startswith(_PNG):  # OpenCV's other decoders are older than Pillow's
        raise ValueError("no PNG")
    flags = cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH | cv2.IMREAD_IGNORE_ORIENTATION
    found: object = cv2.imdecode(np.frombuffer(content, np.uint8), flags)
    if not isinstance(found, np.ndarray) or found.dtype != np.uint16:
        raise ValueError("no picture of 16 bits")
    return cast("NDArray[np.uint16]", found)


def scaled(values: NDArray[np.uint16], bits: int) -> ImageU8:
    """Return values of so many bits as (H, W, 3) of 8."""
    eight = (values >> max(0, bits - 8)).clip(0, 255).astype(np.uint8)
    return eight if eight.ndim == 3 else np.repeat(eight[..., np.newaxis], 3, axis=2)
