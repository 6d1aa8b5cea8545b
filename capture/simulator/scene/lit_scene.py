"""Everything before the lens, lit row by row and encoded to 8-bit sRGB."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from capture.simulator.colour import ArrayF, ImageU8, codes_of_linear
from capture.simulator.lighting import RoomOptions, SimulatedScreenOptions, vector_irradiance
from capture.simulator.person.body import BODY_PX_PER_CM, SHADE_STEP, wall_albedo
from capture.simulator.person.expression import Expression
from capture.simulator.person.person import LAMPS_FROM, Person, Shaded, lamp_level, shade_head
from capture.simulator.person.raycast import HeadPose, Lens, project
from capture.simulator.person.shape import CENTRE_CM
from capture.simulator.raster import draw_lines, filtered, moved, resized

_BODY_BEHIND_CM = 6.0
_FACE_CM = np.array([0.0, 0.0, 4.5])
_SMEAR_MAX_PX = 60.0


@dataclass(frozen=True, slots=True, eq=False)
class RowLight:
    """The light of every row, exposure and white balance included; (H, 3) float32 B, G, R.

    ``lamps`` scales the signal of albedo 1 facing the camera; ``screen`` that of albedo 1 under
    1 lx of the white screen. ``unit`` (3,) is the signal of a source of 1 cd/m2.
    """

    lamps: ArrayF
    screen: ArrayF
    unit: ArrayF


@dataclass(frozen=True, slots=True)
class PosedPerson:
    """A person at a moment.

    ``lit`` is the share of the screen's light that reaches them, ``until`` the pose at the end of
    the exposure, for motion blur.
    """

    person: Person
    pose: HeadPose
    expression: Expression
    lit: float = 1.0
    until: HeadPose | None = None


class Backdrop:
    """Wall and shoulders at half resolution: both are out of focus or smooth."""

    def __init__(
        self, lens: Lens, screen: SimulatedScreenOptions, room: RoomOptions, seed: int
    ) -> None:
        self._screen = screen
        width, height = lens.size_wh[0] // 2, lens.size_wh[1] // 2
        self._lens = Lens((width, height), lens.focal_px / 2)
        self._wall = wall_albedo(seed, (width, height))
        x, y = np.meshgrid(np.linspace(-1, 1, width), np.linspace(1, -1, height))
        depth = room.wall_cm + 40.0
        reach = depth / self._lens.focal_px * width / 2
        flux = vector_irradiance(
            np.stack([x * reach, y * reach * height / width, np.full_like(x, -depth)], -1)[
                ::20, ::20
            ],
            screen,
        )[..., 2]
        self._spill = resized(flux.astype(np.float32), (width, height))
        falloff = 0.85 + 0.12 * y - 0.10 * x
        self._lamps = falloff.astype(np.float32)

    def render(self, figures: Sequence[PosedPerson], light: RowLight) -> ArrayF:
        """Return (h, w, 3) float32 linear B, G, R."""
        rows = RowLight(_half(light.lamps, self._wall), _half(light.screen, self._wall), light.unit)
        lit = max((figure.lit for figure in figures), default=1.0)
        image = np.empty_like(self._wall)
        for c in range(3):
            level = self._lamps * rows.lamps[:, c : c + 1]
            level += self._spill * (rows.screen[:, c : c + 1] * np.float32(lit))
            np.multiply(self._wall[..., c], level, out=image[..., c])
        for figure in figures:
            self._shoulders(image, figure, rows)
        return image

    def _shoulders(self, image: ArrayF, figure: PosedPerson, rows: RowLight) -> None:
        body, pose, lens = figure.person.body, figure.pose, self._lens
        base = pose.centre_cm - CENTRE_CM
        base = base * np.array([0.97, 1.0, 1.0])
        left, top = body.left_top_cm
        corner = project(lens, base + np.array([left, top, -1.0 - _BODY_BEHIND_CM + 4.0]))
        scale = lens.focal_px / -(base[2] - 3.0) / BODY_PX_PER_CM
        height, width = body.albedo.shape[:2]
        x0, y0 = max(0, int(corner[0])), max(0, int(corner[1]))
        x1 = min(image.shape[1], int(corner[0] + width * scale) + 1)
        y1 = min(image.shape[0], int(corner[1] + height * scale) + 1)
        if x1 - x0 < 4 or y1 - y0 < 4:
            return
        warp = np.array([[scale, 0, corner[0] - x0], [0, scale, corner[1] - y0]])
        flux = vector_irradiance(base + np.array([0.0, -14.0, 0.0]), self._screen)
        level = np.maximum(body.normals @ flux.astype(np.float32), 0.0) * body.open_sky
        lamps = lamp_level(body.normals, LAMPS_FROM.astype(np.float32)) * body.open_sky
        packed = np.dstack([lamps, level * np.float32(figure.lit)])
        wh = (x1 - x0, y1 - y0)
        albedo = moved(body.albedo, warp, wh)
        coarse = warp * np.array([[SHADE_STEP, SHADE_STEP, 1]])
        packed = moved(packed, coarse, wh, cv2.BORDER_REPLICATE)
        part = image[y0:y1, x0:x1]
        cover = albedo[..., 3]
        for c in range(3):
            lit = packed[..., 0] * rows.lamps[y0:y1, c : c + 1]
            lit += packed[..., 1] * rows.screen[y0:y1, c : c + 1]
            part[..., c] += cover * (albedo[..., c] * lit - part[..., c])


def _half(rows: ArrayF, like: ArrayF) -> ArrayF:
    return resized(rows, (3, like.shape[0]), cv2.INTER_AREA)


def light_surface(surface: Shaded, light: RowLight, lit: float) -> ArrayF:
    """Return (h, w, 3) float32 linear B, G, R of a shaded surface."""
    rows = slice(surface.top, surface.top + surface.cover.shape[0])
    image = np.empty_like(surface.albedo)
    for c in range(3):
        screen = light.screen[rows, c : c + 1] * np.float32(lit)
        level = surface.lamps * light.lamps[rows, c : c + 1]
        level += surface.screen * screen
        level *= surface.albedo[..., c]
        level += surface.gleam * light.lamps[rows, c : c + 1]
        level += surface.mirror * screen
        image[..., c] = level
    return image


def compose(codes: ImageU8, part: ImageU8, cover: ArrayF, left_top: tuple[int, int]) -> None:
    """Lay ``part`` over ``codes`` in place; coverage is mixed in code values, as edges are thin."""
    left, top = left_top
    height, width = cover.shape
    under = codes[top : top + height, left : left + width]
    under[:] = cv2.blendLinear(part, np.ascontiguousarray(under), cover, 1 - cover)


def _smear(figure: PosedPerson, lens: Lens) -> ArrayF | None:
    """Return the line along which the face moves during the exposure, None under a pixel."""
    if figure.until is None:
        return None
    before, after = (project(lens, pose.to_world(_FACE_CM)) for pose in (figure.pose, figure.until))
    x, y = np.clip(after - before, -_SMEAR_MAX_PX, _SMEAR_MAX_PX)
    if np.hypot(x, y) < 1.0:
        return None
    side = int(max(abs(x), abs(y))) // 2 * 2 + 3
    ends = side / 2 - 0.5 + np.array([[[-x, -y], [x, y]]]) / 2
    kernel = np.zeros((side, side), np.uint8)
    draw_lines(kernel, ends)
    weights = kernel.astype(np.float32)
    smear: ArrayF = weights / weights.sum()
    return smear


class LitScene:
    """The room of one session."""

    def __init__(
        self, lens: Lens, screen: SimulatedScreenOptions, room: RoomOptions, seed: int
    ) -> None:
        self.lens = lens
        self._screen = screen
        self._backdrop = Backdrop(lens, screen, room, seed)

    def render(self, figures: Sequence[PosedPerson], light: RowLight) -> ImageU8:
        """Return (H, W, 3) uint8 sRGB B, G, R without noise; farther figures first."""
        backdrop = codes_of_linear(self._backdrop.render(figures, light))
        codes = resized(backdrop, self.lens.size_wh)
        for figure in figures:
            surface = shade_head(
                figure.person, figure.pose, figure.expression, self.lens, self._screen
            )
            if surface is not None:
                part = codes_of_linear(light_surface(surface, light, figure.lit))
                smear = _smear(figure, self.lens)
                cover = surface.cover
                if smear is not None:
                    part, cover = filtered(part, smear), filtered(cover, smear)
                compose(codes, part, cover, (surface.left, surface.top))
        return codes
