"""The few OpenCV calls of the simulator, with the array types that OpenCV's stubs lose."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from capture.simulator.colour import ArrayF, ImageU8

_Array = TypeVar("_Array", bound=NDArray[Any])

_SUBPIXEL_BITS = 4
SUBPIXEL = 1 << _SUBPIXEL_BITS
"""Steps a pixel of the drawing functions' coordinates."""


def resized(image: _Array, wh: tuple[int, int], how: int = cv2.INTER_LINEAR) -> _Array:
    """Return ``image`` at width and height ``wh``."""
    return cast("_Array", cv2.resize(image, wh, interpolation=how))


def blurred(image: _Array, sigma_px: float) -> _Array:
    """Return ``image`` under a Gaussian."""
    return cast("_Array", cv2.GaussianBlur(image, (0, 0), sigma_px))


def box_blurred(image: _Array, wh: tuple[int, int]) -> _Array:
    """Return the mean over ``wh`` around each pixel."""
    return cast("_Array", cv2.blur(image, wh))


def looked_up(image: _Array, column: ArrayF, row: ArrayF) -> _Array:
    """Return ``image`` at the given places, bilinear, its border continued."""
    return cast(
        "_Array",
        cv2.remap(image, column, row, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE),
    )


def moved(
    image: _Array, affine: NDArray[np.float64], wh: tuple[int, int], border: int = 0
) -> _Array:
    """Return ``image`` under a (2, 3) affine map, bilinear."""
    return cast(
        "_Array", cv2.warpAffine(image, affine, wh, flags=cv2.INTER_LINEAR, borderMode=border)
    )


def tilted(
    image: _Array, homography: NDArray[np.float64], wh: tuple[int, int], border: int = 0
) -> _Array:
    """Return ``image`` under a (3, 3) homography, bilinear."""
    return cast(
        "_Array",
        cv2.warpPerspective(image, homography, wh, flags=cv2.INTER_LINEAR, borderMode=border),
    )


def seen_through(image: _Array, homography: NDArray[np.float64], wh: tuple[int, int]) -> _Array:
    """Return ``image`` at the places to which ``homography`` sends the result's pixels."""
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cast(
        "_Array",
        cv2.warpPerspective(image, homography, wh, flags=how, borderMode=cv2.BORDER_REPLICATE),
    )


def planes(image: _Array) -> tuple[_Array, ...]:
    """Return the channels of ``image``, each contiguous."""
    return cast("tuple[_Array, ...]", tuple(cv2.split(image)))


def channel(image: _Array, index: int) -> _Array:
    """Return one channel of ``image``, contiguous."""
    return cast("_Array", cv2.extractChannel(image, index))


def without_cover(image: ImageU8) -> ImageU8:
    """Return the first three of four channels."""
    return cast("ImageU8", cv2.cvtColor(image, cv2.COLOR_BGRA2BGR))


def merged(*channels: ArrayF) -> ArrayF:
    """Return the channels as one image."""
    return cast("ArrayF", cv2.merge(channels))


def added(image: ArrayF, other: ArrayF, times: float) -> ArrayF:
    """Return ``image`` plus ``other`` times a factor."""
    return cast("ArrayF", cv2.scaleAdd(other, times, image))


def mixed(image: ArrayF, matrix: NDArray[np.float64]) -> ArrayF:
    """Return (h, w, n) mixtures of the first channels of ``image``, ``matrix`` (n, k)."""
    widened = np.zeros((len(matrix), image.shape[2]))
    widened[:, : matrix.shape[1]] = matrix
    return cast("ArrayF", cv2.transform(image, widened))


def in_codes(shares: ArrayF) -> ImageU8:
    """Return shares, not negative, in 8 bits: 255 is 1 and more."""
    return cast("ImageU8", cv2.convertScaleAbs(shares, alpha=255.0))


def dimmed(codes: ImageU8, factor: ArrayF) -> ImageU8:
    """Return ``codes`` times ``factor``, rounded and clipped to 8 bits."""
    return cast("ImageU8", cv2.multiply(codes, factor, dtype=cv2.CV_8U))


def lay_over(under: ImageU8, over: ImageU8, cover: ImageU8) -> None:
    """Lay ``over`` on ``under`` (h, w, 3) in place, as far as ``cover`` (h, w) says: 255 is all."""
    dim = cast("ImageU8", cv2.multiply(over, spread(cover), scale=1 / 255))
    lay_cut_out(under, dim, cover)


def lay_cut_out(under: ImageU8, over: ImageU8, cover: ImageU8) -> None:
    """Lay ``over``, black where ``cover`` is 0 and dimmed by it between, on ``under`` in place."""
    rest = cv2.multiply(under, cv2.bitwise_not(spread(cover)), scale=1 / 255)
    cv2.add(rest, over, dst=under)


def spread(channel: _Array) -> _Array:
    """Return an image of three channels, each ``channel``."""
    return cast("_Array", cv2.merge((channel, channel, channel)))


def filtered(image: _Array, kernel: ArrayF) -> _Array:
    """Return ``image`` correlated with ``kernel``."""
    return cast("_Array", cv2.filter2D(image, -1, kernel))


def slopes(image: ArrayF) -> tuple[ArrayF, ArrayF]:
    """Return the derivatives along columns and rows, a pixel apart, by Sobel."""
    across = cv2.Sobel(image, cv2.CV_32F, 1, 0, ksize=3, scale=1 / 8)
    down = cv2.Sobel(image, cv2.CV_32F, 0, 1, ksize=3, scale=1 / 8)
    return cast("ArrayF", across), cast("ArrayF", down)


def square_root(image: ArrayF) -> ArrayF:
    """Return the square root, twice as fast as numpy's."""
    return cast("ArrayF", cv2.sqrt(image))


def table(codes: ImageU8, values: _Array) -> _Array:
    """Return ``values`` (256,) at every code; the type of ``values``."""
    return cast("_Array", cv2.LUT(codes, values))


def draw_dot(sheet: ImageU8, centre: Sequence[float], radius: float, value: int) -> None:
    """Draw an antialiased disc of pixels ``radius`` around ``centre`` in place."""
    at = round(centre[0] * SUBPIXEL), round(centre[1] * SUBPIXEL)
    size = round(radius * SUBPIXEL)
    cv2.circle(sheet, at, size, (value,), -1, cv2.LINE_AA, _SUBPIXEL_BITS)


def draw_lines(sheet: ImageU8, lines: NDArray[np.float64]) -> None:
    """Draw (n, k, 2) antialiased open lines a pixel wide, value 255, in place."""
    steps = np.round(lines * SUBPIXEL).astype(np.int32)
    cv2.polylines(sheet, list(steps), False, (255,), 1, cv2.LINE_AA, _SUBPIXEL_BITS)
