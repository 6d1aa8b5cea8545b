"""The person in an oval: mirrored, without colour, so that it adds no light of its own."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
import pygame
from numpy.typing import NDArray

from capture.frame import ImageU8


def oval_preview(pixels: ImageU8, size_wh: tuple[int, int]) -> pygame.Surface:
    """Return the middle of a frame as a grey, mirrored oval with an alpha edge.

    Parameters
    ----------
    pixels : (H, W, 3) uint8 BGR.
    size_wh : of the oval, px.
    """
    width, height = size_wh
    full_height, full_width = pixels.shape[:2]
    scale = min(full_width / width, full_height / height)
    crop_width, crop_height = int(width * scale), int(height * scale)
    left, top = (full_width - crop_width) // 2, (full_height - crop_height) // 2
    crop = pixels[top : top + crop_height, left : left + crop_width]
    small = cv2.resize(crop, (width, height), interpolation=cv2.INTER_LINEAR)
    grey = cv2.flip(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), 1)
    rgba = cv2.merge([grey, grey, grey, oval_mask(width, height)])
    return pygame.image.frombuffer(rgba.tobytes(), size_wh, "RGBA")


@lru_cache(maxsize=8)
def oval_mask(width: int, height: int) -> NDArray[np.uint8]:
    """Return (H, W) uint8, 255 inside the oval, with a soft edge of one pixel."""
    y, x = np.mgrid[0:height, 0:width]
    across = (x + 0.5 - width / 2) / (width / 2)
    down = (y + 0.5 - height / 2) / (height / 2)
    radius = np.sqrt(across**2 + down**2)
    edge = (1 - radius) * min(width, height) / 2
    mask: NDArray[np.uint8] = (np.clip(edge + 0.5, 0, 1) * 255).astype(np.uint8)
    return mask
