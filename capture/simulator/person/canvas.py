"""The sheet on which the head is painted: map pixels that know their place on it in cm."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from capture.simulator.colour import ArrayF, ColourF, ImageU8
from capture.simulator.person.shape import CENTRE_CM, HeadShape, map_pixels
from capture.simulator.raster import looked_up, resized

TEXTURE_SIZE = 1280
"""About 40 texels a cm on the face: as fine as an inter-eye distance of 250 px needs."""

Window: TypeAlias = tuple[slice, slice]
WHOLE: Window = (slice(None), slice(None))
GLOSS = 3
"""Channel of the canvas that holds gloss; 0..2 are B, G, R."""


def encode(colour: ColourF) -> ArrayF:
    """Return linear R, G, B as (3,) sRGB 0..1 in the order B, G, R: the canvas's own values."""
    light = np.clip(np.asarray(colour, np.float64)[::-1], 0.0, 1.0)
    coded = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    return coded.astype(np.float32)


def ramp(value: ArrayF, width: float) -> ArrayF:
    """Return 0 below ``-width/2``, 1 above ``width/2``, linear between: an antialiased edge."""
    edge: ArrayF = np.clip(value / width + 0.5, 0.0, 1.0)
    return edge


def hill(x: ArrayF, y: ArrayF, at: tuple[float, float], spread: tuple[float, float]) -> ArrayF:
    """Gaussian of height 1."""
    return np.exp(-(((x - at[0]) / spread[0]) ** 2) - ((y - at[1]) / spread[1]) ** 2)


@dataclass(frozen=True, slots=True, eq=False)
class Canvas:
    """(N, N, 4) float32 of sRGB B, G, R and gloss, 0..1, with the head coordinates of each texel.

    ``x_cm`` and ``y_cm`` are those of the surface point, so that features are painted where the
    anatomy has them whatever the map does to their shape.
    """

    shape: HeadShape
    pixels: ArrayF
    x_cm: ArrayF
    y_cm: ArrayF
    rng: np.random.Generator = field(repr=False)

    def window(self, x: tuple[float, float], y: tuple[float, float]) -> Window:
        """Return the slices of the front of the map that cover ``x`` by ``y`` cm."""
        points = self.shape.points_cm
        inside = (points[..., 0] > x[0]) & (points[..., 0] < x[1]) & (points[..., 2] > -1.0)
        inside &= (points[..., 1] > y[0]) & (points[..., 1] < y[1])
        rows, columns = np.nonzero(inside.any(1))[0], np.nonzero(inside.any(0))[0]
        scale = TEXTURE_SIZE / points.shape[0]
        return (
            slice(int(rows[0] * scale), int((rows[-1] + 1) * scale)),
            slice(int(columns[0] * scale), int((columns[-1] + 1) * scale)),
        )

    def locate(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return (n, 2) texel column and row of points on the front of the head."""
        size = self.shape.radius_cm.shape[0]
        z = np.full(np.shape(x), 4.5)
        for _ in range(4):
            ray = np.stack([x, y, z], axis=-1) - CENTRE_CM
            far = np.linalg.norm(ray, axis=-1, keepdims=True)
            column, row = map_pixels((ray / far).astype(np.float32), size)
            radius = looked_up(self.shape.radius_cm, column, row).ravel()
            z = CENTRE_CM[2] + ray[..., 2] / far[..., 0] * radius
        texel = np.stack([column, row], axis=-1).astype(np.float64)
        return (texel + 0.5) * (TEXTURE_SIZE / size) - 0.5

    def blend(self, at: Window, mask: ArrayF, colour: ArrayF, gloss: float | None = None) -> None:
        """Cover the window with ``colour`` ((3,) or (h, w, 3)) where ``mask`` (0..1) says."""
        part = self.pixels[at]
        for index in range(3):  # numpy is three times as fast along rows as over three channels
            part[..., index] += mask * (colour[..., index] - part[..., index])
        if gloss is not None:
            part[..., GLOSS] += mask * (np.float32(gloss) - part[..., GLOSS])

    def tint(self, at: Window, mask: ArrayF, factor: tuple[float, float, float]) -> None:
        """Multiply R, G, B by ``factor`` where ``mask`` is 1."""
        part = self.pixels[at]
        for index, change in enumerate(np.asarray(factor[::-1], np.float32) - 1.0):
            part[..., index] *= 1.0 + mask * change

    def codes(self) -> ImageU8:
        """Return the (N, N, 4) uint8 texture."""
        codes: ImageU8 = np.clip(self.pixels * 255.0 + 0.5, 0, 255).astype(np.uint8)
        return codes


def grain(rng: np.random.Generator, shape: tuple[int, ...], cells: int) -> ArrayF:
    """Return smooth noise of unit variance with ``cells`` waves across the wider side."""
    small = (
        max(2, round(cells * shape[0] / max(shape))),
        max(2, round(cells * shape[1] / max(shape))),
    )
    noise = rng.standard_normal(small, dtype=np.float32)
    grown = resized(noise, (shape[1], shape[0]), cv2.INTER_CUBIC)
    return grown / max(float(grown.std()), 1e-6)


def new_canvas(shape: HeadShape, skin: ColourF, seed: int) -> Canvas:
    """Return a canvas of plain skin."""
    size = (TEXTURE_SIZE, TEXTURE_SIZE)
    pixels = np.empty((*size, 4), np.float32)
    pixels[..., :3] = encode(skin)
    pixels[..., GLOSS] = 0.35
    x, y = (resized(np.ascontiguousarray(shape.points_cm[..., i]), size) for i in (0, 1))
    return Canvas(shape, pixels, x, y, np.random.default_rng(np.random.SeedSequence([seed, 0xA1B])))
