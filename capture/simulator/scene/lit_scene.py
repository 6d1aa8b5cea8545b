"""Everything before the lens, lit row by row and encoded to 8-bit sRGB."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from capture.simulator.colour import ArrayF, ImageU8
from capture.simulator.lighting import RoomOptions, SimulatedScreenOptions
from capture.simulator.person.expression import Expression
from capture.simulator.person.person import Person
from capture.simulator.person.pose import HeadPose, Lens, project
from capture.simulator.raster import draw_lines, filtered, lay_over
from capture.simulator.scene.backdrop import Backdrop
from capture.simulator.scene.shading import RowLight, Shaded, light_head, shade_head
from capture.simulator.scene.stage import PosedPerson

_FACE_CM = np.array([0.0, 0.0, 4.5])
_SMEAR_MAX_PX = 60.0

_Seen: TypeAlias = tuple[HeadPose, Expression, Shaded | None]


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
        self._seen: dict[Person, _Seen] = {}

    def render(self, figures: Sequence[PosedPerson], light: RowLight) -> ImageU8:
        """Return (H, W, 3) uint8 sRGB B, G, R without noise; farther figures first."""
        codes = self._backdrop.render(figures, light)
        for figure in figures:
            surface = self._shaded(figure)
            if surface is not None:
                part, cover = light_head(surface, light, figure.lit), surface.cover
                height, width = cover.shape
                smear = _smear(figure, self.lens)
                if smear is not None:
                    part, cover = filtered(part, smear), filtered(cover, smear)
                rows = slice(surface.top, surface.top + height)
                lay_over(codes[rows, surface.left : surface.left + width], part, cover)
        return codes

    def _shaded(self, figure: PosedPerson) -> Shaded | None:
        """Shade a head, unless it is as it was: light changes are cheap, poses are not."""
        before = self._seen.get(figure.person)
        if before is None or before[:2] != (figure.pose, figure.expression):
            surface = shade_head(
                figure.person, figure.pose, figure.expression, self.lens, self._screen
            )
            before = self._seen[figure.person] = figure.pose, figure.expression, surface
        return before[2]
