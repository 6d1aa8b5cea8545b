"""Wall and shoulders, at half the frame's resolution: both are out of focus or smooth."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from capture.simulator.colour import ArrayF, ImageU8, codes_of_root_codes, root_codes
from capture.simulator.lighting import (
    ArrayD,
    RoomOptions,
    SimulatedScreenOptions,
    vector_irradiance,
)
from capture.simulator.person.body import BODY_PX_PER_CM, SHADE_STEP, wall_albedo
from capture.simulator.person.pose import Lens, project
from capture.simulator.person.shape import CENTRE_CM
from capture.simulator.raster import (
    channel,
    dimmed,
    lay_cut_out,
    merged,
    moved,
    resized,
    square_root,
    without_cover,
)
from capture.simulator.scene.shading import RowLight
from capture.simulator.scene.stage import PosedPerson

_BODY_BEHIND_CM = 6.0
_LIGHT_ROWS, _LIGHT_COLUMNS = 8, 32
"""Rows of the frame for one of the wall's light, and how many columns that has."""


class Backdrop:
    """What is behind the faces.

    All products of reflectance and light are made of their square roots, which need no more than
    8 bits; the light itself is worked out on a coarse grid.
    """

    def __init__(
        self, lens: Lens, screen: SimulatedScreenOptions, room: RoomOptions, seed: int
    ) -> None:
        self._screen = screen
        self._size_wh = lens.size_wh
        width, height = lens.size_wh[0] // 2, lens.size_wh[1] // 2
        self._lens = Lens((width, height), lens.focal_px / 2)
        self._wall = np.sqrt(wall_albedo(seed, (width, height)))
        rows = max(2, lens.size_wh[1] // _LIGHT_ROWS)
        x, y = np.meshgrid(_centres(_LIGHT_COLUMNS), -_centres(rows))
        depth = room.wall_cm + 40.0
        reach = depth / self._lens.focal_px * width / 2
        place = np.stack([x * reach, y * reach * height / width, np.full_like(x, -depth)], -1)
        self._spill = vector_irradiance(place, screen)[..., 2].astype(np.float32)
        self._lamps = (0.85 + 0.12 * y - 0.10 * x).astype(np.float32)

    def render(self, figures: Sequence[PosedPerson], light: RowLight) -> ImageU8:
        """Return (H, W, 3) uint8 sRGB B, G, R without faces and noise."""
        lamps, screen = light.averaged(0, self._size_wh[1], len(self._lamps))
        screen = screen * np.float32(max((figure.lit for figure in figures), default=1.0))
        level = merged(*(self._lamps * lamps[c] + self._spill * screen[c] for c in range(3)))
        wall = resized(square_root(level), self._lens.size_wh)
        wall *= self._wall
        roots = root_codes(wall)
        for figure in figures:
            self._shoulders(roots, figure, light)
        return resized(codes_of_root_codes(roots), self._size_wh)

    def _shoulders(self, roots: ImageU8, figure: PosedPerson, light: RowLight) -> None:
        """Lay the shoulders of a figure over ``roots`` in place."""
        body, lens = figure.person.body, self._lens
        base = figure.pose.centre_cm - CENTRE_CM
        base = base * np.array([0.97, 1.0, 1.0])
        left, top = body.left_top_cm
        corner = project(lens, base + np.array([left, top, -1.0 - _BODY_BEHIND_CM + 4.0]))
        scale = lens.focal_px / -(base[2] - 3.0) / BODY_PX_PER_CM
        height, width = body.cut_out.shape[:2]
        x0, y0 = max(0, int(corner[0])), max(0, int(corner[1]))
        x1 = min(roots.shape[1], int(corner[0] + width * scale) + 1)
        y1 = min(roots.shape[0], int(corner[1] + height * scale) + 1)
        if x1 - x0 < 4 or y1 - y0 < 4:
            return
        flux = vector_irradiance(base + np.array([0.0, -14.0, 0.0]), self._screen)
        rows = corner[1] + (np.arange(len(body.open_sky)) + 0.5) * SHADE_STEP * scale
        level = square_root(_body_light(figure, flux.astype(np.float32), light, 2 * rows))
        wh = (x1 - x0, y1 - y0)
        left_top = corner - (x0, y0)
        cut_out = moved(body.cut_out, _placing(scale, left_top), wh)
        coarse_wh = max(1, wh[0] // SHADE_STEP), max(1, wh[1] // SHADE_STEP)
        shrink = np.divide(coarse_wh, wh)
        coarse = _placing(scale * SHADE_STEP, left_top) * shrink[:, None]
        level = resized(moved(level, coarse, coarse_wh, cv2.BORDER_REPLICATE), wh)
        lit = dimmed(without_cover(cut_out), level)
        lay_cut_out(roots[y0:y1, x0:x1], lit, channel(cut_out, 3))


def _placing(scale: float, left_top: ArrayD) -> ArrayD:
    """Return the (2, 3) map that scales a picture and puts its corner at ``left_top``."""
    return np.array([[scale, 0.0, left_top[0]], [0.0, scale, left_top[1]]])


def _centres(count: int) -> ArrayD:
    """Return the middles of ``count`` cells from -1 to 1."""
    middles: ArrayD = (np.arange(count) + 0.5) / count * 2 - 1
    return middles


def _body_light(figure: PosedPerson, flux: ArrayF, light: RowLight, frame_rows: ArrayD) -> ArrayF:
    """Return (h, w, 3) float32: the light on every shading cell of the body, B, G, R."""
    body = figure.person.body
    of_screen: ArrayF = np.maximum(body.normals @ flux, np.float32(0.0)) * body.open_sky
    of_screen *= np.float32(figure.lit)
    at = np.clip(np.rint(frame_rows), 0, len(light.lamps) - 1).astype(np.intp)
    level = np.empty((*of_screen.shape, 3), np.float32)
    for c in range(3):
        lamps, screen = light.lamps[at, c, None], light.screen[at, c, None]
        level[..., c] = body.lamps * lamps + of_screen * screen
    return level
