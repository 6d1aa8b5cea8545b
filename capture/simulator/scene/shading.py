"""The head as a lit surface: shaded once for its pose, lit row by row for each exposure."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from capture.simulator.colour import (
    LINEAR_OF_CODE,
    ArrayF,
    ImageU8,
    codes_of_root_codes,
    root_codes,
)
from capture.simulator.lighting import (
    LAMPS_FROM,
    SimulatedScreenOptions,
    lamp_level,
    vector_irradiance,
)
from capture.simulator.person.expression import Expression
from capture.simulator.person.person import Person
from capture.simulator.person.pose import HeadPose, Lens
from capture.simulator.person.shape import CENTRE_CM
from capture.simulator.person.views import Hits, cast_head
from capture.simulator.raster import (
    in_codes,
    looked_up,
    merged,
    mixed,
    planes,
    resized,
    square_root,
    table,
)

_SPECULAR = 0.04
"""Share of the light that skin mirrors instead of scattering (Fresnel at n = 1.4)."""
_GLOSS_OF_CODE = (np.arange(256) * (1.5 / 255)).astype(np.float32)
_FLUX_CELLS = 8
"""Places across the head at which the screen's light is worked out: it changes slowly."""


@dataclass(frozen=True, slots=True, eq=False)
class RowLight:
    """The light of every row, exposure and white balance included; (H, 3) float32 B, G, R.

    ``lamps`` scales the signal of albedo 1 facing the camera; ``screen`` that of albedo 1 under
    1 lx of the white screen. ``unit`` (3,) is the signal of a source of 1 cd/m2.
    """

    lamps: ArrayF
    screen: ArrayF
    unit: ArrayF

    def averaged(self, top: int, bottom: int, count: int) -> tuple[ArrayF, ArrayF]:
        """Return lamps and screen over rows ``top`` to ``bottom`` as (3, ``count``, 1) each."""
        lamps, screen = (
            resized(rows[top:bottom].reshape(-1, 1, 3), (1, count), cv2.INTER_AREA)
            for rows in (self.lamps, self.screen)
        )
        return lamps.transpose(2, 0, 1), screen.transpose(2, 0, 1)


@dataclass(frozen=True, slots=True, eq=False)
class Shaded:
    """A head in a rectangle of the frame, before the colours of the light are known.

    The linear signal of channel c in row r is ``albedo_c * (lamps * A_rc + screen * S_rc) + gleam
    * A_rc + mirror * S_rc`` where A and S are the row's light.

    Attributes
    ----------
    left, top : place in the frame.
    albedo : (h, w, 3) float32 B, G, R.
    lamps, screen, gleam, mirror : float32 on the coarser grid of the rays: they are smooth.
    cover : (h, w) uint8, 0 where the head is not, 255 where it is.
    """

    left: int
    top: int
    albedo: ArrayF
    lamps: ArrayF
    screen: ArrayF
    gleam: ArrayF
    mirror: ArrayF
    cover: ImageU8


def shade_head(
    person: Person,
    pose: HeadPose,
    expression: Expression,
    lens: Lens,
    screen: SimulatedScreenOptions,
) -> Shaded | None:
    """Render the head; None when it is out of sight."""
    hits = cast_head(person.views, lens, pose)
    if hits is None:
        return None
    shape = person.views.shape
    half = np.float32(0.5)
    level_of_detail = 0 if hits.px_per_cm > 24 else 1 if hits.px_per_cm > 12 else 2
    texture = person.paint.texture(expression, level_of_detail)
    side = np.float32(texture.gloss.shape[0])
    column, row = hits.column * side - half, hits.row * side - half
    wh = hits.width, hits.height
    colour = looked_up(texture.colour, resized(column, wh), resized(row, wh))
    gloss = table(looked_up(texture.gloss, column, row), _GLOSS_OF_CODE)
    size = np.float32(shape.radius_cm.shape[0])
    surface = looked_up(shape.surface, hits.column * size - half, hits.row * size - half)
    lamps, level, gleam, mirror = _levels(surface, hits, pose, screen)
    cover = resized(hits.edge_cm, wh)
    cover *= np.float32(-hits.px_per_cm)
    cover += half
    return Shaded(
        hits.left,
        hits.top,
        table(colour, LINEAR_OF_CODE),
        lamps,
        level,
        gleam * gloss,
        mirror * gloss,
        in_codes(np.maximum(cover, 0.0, out=cover)),
    )


def _levels(
    surface: ArrayF, hits: Hits, pose: HeadPose, screen: SimulatedScreenOptions
) -> tuple[ArrayF, ArrayF, ArrayF, ArrayF]:
    """Return the light of lamps and white screen (lx) and what a glossy skin mirrors of both."""
    x, y, z, sky = planes(surface)
    up = pose.rotation.T @ LAMPS_FROM
    flux = _flux(hits, pose, screen)
    towards = flux[_FLUX_CELLS // 2, _FLUX_CELLS // 2].astype(np.float64)
    strength = float(np.linalg.norm(towards))
    halfway = [_halfway(light, pose) for light in (up, towards / max(strength, 1e-9))]
    upward, gleam, mirror = planes(mixed(surface, np.stack([up, *halfway])))
    lamps = lamp_level(upward)
    lamps *= sky
    flux_x, flux_y, flux_z = planes(resized(flux, (x.shape[1], x.shape[0])))
    level = flux_x * x
    level += flux_y * y
    level += flux_z * z
    np.maximum(level, 0.0, out=level)
    level *= sky
    return lamps, level, _lobe(gleam, sky, _SPECULAR), _lobe(mirror, sky, _SPECULAR * strength)


def _flux(hits: Hits, pose: HeadPose, screen: SimulatedScreenOptions) -> ArrayF:
    """Return (n, n, 3) lx of a white screen at points over the head, in the head's frame."""
    small = resized(hits.points_cm, (_FLUX_CELLS, _FLUX_CELLS), cv2.INTER_AREA)
    at_points = vector_irradiance(pose.to_world(small.astype(np.float64) + CENTRE_CM), screen)
    return (at_points @ pose.rotation).astype(np.float32)


def _halfway(towards: NDArray[np.float64], pose: HeadPose) -> NDArray[np.float64]:
    """Return the unit normal that mirrors light from ``towards`` into the camera."""
    camera = pose.rotation.T @ -pose.centre_cm
    half: NDArray[np.float64] = towards + camera / np.linalg.norm(camera)
    return half / np.linalg.norm(half)


def _lobe(facing: ArrayF, sky: ArrayF, strength: float) -> ArrayF:
    """Return the gloss of skin: a broad sheen and a highlight on it."""
    broad = np.maximum(facing, 0.0)
    broad *= broad
    broad *= broad
    sharp = broad * broad
    sharp *= sharp
    sharp *= np.float32(3.6 * strength)
    broad *= np.float32(0.8 * strength)
    broad += sharp
    broad *= sky
    return broad


def light_head(surface: Shaded, light: RowLight, lit: float) -> ImageU8:
    """Return (h, w, 3) uint8 sRGB B, G, R of a shaded head, ``lit`` the screen's share of 1."""
    height, width = surface.cover.shape
    lamps, screen = light.averaged(surface.top, surface.top + height, len(surface.lamps))
    screen = screen * np.float32(lit)
    scattered, mirrored = (
        [of_lamps * lamps[c] + of_screen * screen[c] for c in range(3)]
        for of_lamps, of_screen in (
            (surface.lamps, surface.screen),
            (surface.gleam, surface.mirror),
        )
    )
    signal = resized(merged(*scattered), (width, height))
    signal *= surface.albedo
    signal += resized(merged(*mirrored), (width, height))
    return codes_of_root_codes(root_codes(square_root(signal)))
