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


def wide_preview(pixels: ImageU8, height: int, most_width: int) -> pygame.Surface:
    """Return the whole frame, grey and mirrored; wider ones than ``most_width`` lose both sides.

    Parameters
    ----------
    pixels : (H, W, 3) uint8 BGR.
    height : of the picture on the screen, px: that of the oval, so that a face keeps its place and
        size when the oval alone is left.
    """
    full_height, full_width = pixels.shape[:2]
    width = min(most_width, round(height * full_width / full_height))
    crop_width = min(full_width, round(width * full_height / height))
    left = (full_width - crop_width) // 2
    small = cv2.resize(pixels[:, left : left + crop_width], (width, height))
    grey = cv2.flip(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), 1)
    rgb = cv2.merge([grey, grey, grey])
    return pygame.image.frombuffer(rgb.tobytes(), (width, height), "RGB")


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
