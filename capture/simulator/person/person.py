"""One simulated person, built once and rendered at any pose, expression and light."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import cv2
import numpy as np

from capture.simulator.colour import LINEAR_OF_CODE, ArrayF
from capture.simulator.lighting import SimulatedScreenOptions, vector_irradiance
from capture.simulator.person.body import UpperBody, build_body
from capture.simulator.person.canvas import new_canvas
from capture.simulator.person.expression import (
    Expression,
    ExpressivePaint,
    FaceSheets,
    Paint,
    StillPaint,
    cut_sheets,
)
from capture.simulator.person.identity import Identity, draw_identity
from capture.simulator.person.portrait import Eyes, lay_portrait
from capture.simulator.person.raycast import HeadPose, Hits, Lens, cast_head
from capture.simulator.person.shape import CENTRE_CM, HeadShape, build_shape
from capture.simulator.person.skin import paint_static
from capture.simulator.raster import looked_up, resized, table

LAMPS_FROM = np.array([-0.30, 0.62, 0.72]) / np.linalg.norm([-0.30, 0.62, 0.72])
"""Where most of the room's light comes from: the ceiling, before the person."""

_UPWARD = 0.75
SPECULAR = 0.04
"""Share of the light that skin mirrors instead of scattering (Fresnel at n = 1.4)."""


@dataclass(frozen=True, slots=True, eq=False)
class Shaded:
    """A lit surface in a rectangle of the frame, before the colours of the light are known.

    The linear signal of channel c in row r is ``albedo_c * (lamps * A_rc + screen * S_rc) + gleam
    * A_rc + mirror * S_rc`` where A and S are the row's light.

    Attributes
    ----------
    left, top : place in the frame.
    albedo : (h, w, 3) float32 B, G, R.
    lamps, screen, gleam, mirror : (h, w) float32.
    cover : (h, w) float32, 0 where the surface is not.
    """

    left: int
    top: int
    albedo: ArrayF
    lamps: ArrayF
    screen: ArrayF
    gleam: ArrayF
    mirror: ArrayF
    cover: ArrayF


@dataclass(frozen=True, slots=True, eq=False)
class Person:
    """Shape, paint and shoulders of one identity."""

    identity: Identity
    shape: HeadShape
    paint: Paint
    body: UpperBody


def build_person(
    seed: int, skin_tone: float, portrait: str = "", portrait_eyes: Eyes | None = None
) -> Person:
    """Build a person with a face of their own to move; half a second the first time.

    Raises
    ------
    CameraError
        a portrait that cannot be used.
    """
    if not portrait:
        identity, shape, sheets, body = _painted(seed, skin_tone)
        return Person(identity, shape, ExpressivePaint(sheets, identity), body)
    identity = draw_identity(seed, skin_tone)
    shape = build_shape(identity)
    canvas = new_canvas(shape, identity.skin, identity.seed)
    paint_static(canvas, identity)
    skin = lay_portrait(canvas, identity, portrait, portrait_eyes)
    identity = replace(identity, skin=skin)
    return Person(identity, shape, StillPaint(canvas), build_body(identity))


@lru_cache(maxsize=4)
def _painted(seed: int, skin_tone: float) -> tuple[Identity, HeadShape, FaceSheets, UpperBody]:
    """Build what a person keeps for life; some 25 MB."""
    identity = draw_identity(seed, skin_tone)
    shape = build_shape(identity)
    canvas = new_canvas(shape, identity.skin, identity.seed)
    paint_static(canvas, identity)
    return identity, shape, cut_sheets(canvas), build_body(identity)


def lamp_level(normals: ArrayF, up: ArrayF) -> ArrayF:
    """Return the room's light on ``normals`` (..., 3), 1 for a surface that faces the camera."""
    facing = 1 - _UPWARD + _UPWARD * LAMPS_FROM[2]
    level: ArrayF = (1 - _UPWARD + normals @ (up * np.float32(_UPWARD))) / np.float32(facing)
    return np.maximum(level, np.float32(0.1))


def _screen_level(
    hits: Hits, normals: ArrayF, pose: HeadPose, screen: SimulatedScreenOptions
) -> tuple[ArrayF, ArrayF]:
    """Return lx of a white screen on the hit points, and its mirrored lobe."""
    height, width = hits.edge_cm.shape
    small = resized(hits.points_cm, (12, 12), cv2.INTER_AREA).astype(np.float64)
    flux = vector_irradiance(pose.to_world(small + CENTRE_CM), screen) @ pose.rotation
    flux = resized(flux.astype(np.float32), (width, height))
    level = np.maximum(np.einsum("hwc,hwc->hw", normals, flux), 0.0)
    middle = flux[height // 2, width // 2]
    strength = float(np.linalg.norm(middle))
    lobe = _lobe(normals, middle / max(strength, 1e-9), pose)
    return level, lobe * np.float32(SPECULAR * strength)


def _lobe(normals: ArrayF, towards: ArrayF, pose: HeadPose) -> ArrayF:
    """Return the gloss of skin lit from ``towards``: a broad sheen and a highlight on it."""
    camera = pose.rotation.T @ -pose.centre_cm
    half = towards + camera / np.linalg.norm(camera)
    facing = np.maximum(normals @ (half / np.linalg.norm(half)).astype(np.float32), 0.0)
    broad = facing * facing
    broad *= broad
    sharp = broad * broad
    sharp = sharp * sharp
    lobe: ArrayF = np.float32(0.8) * broad + np.float32(3.6) * sharp
    return lobe


def shade_head(
    person: Person,
    pose: HeadPose,
    expression: Expression,
    lens: Lens,
    screen: SimulatedScreenOptions,
) -> Shaded | None:
    """Render the head; None when it is out of sight."""
    hits = cast_head(person.shape, lens, pose)
    if hits is None:
        return None
    size = np.float32(person.shape.radius_cm.shape[0])
    column, row = hits.column * size - np.float32(0.5), hits.row * size - np.float32(0.5)
    surface = looked_up(person.shape.surface, column, row)
    normals, sky = np.ascontiguousarray(surface[..., :3]), surface[..., 3]
    up = (pose.rotation.T @ LAMPS_FROM).astype(np.float32)
    lamps = lamp_level(normals, up) * sky
    gleam = _lobe(normals, up, pose) * (sky * np.float32(SPECULAR))
    level, lobe = _screen_level(hits, normals, pose, screen)
    wh = hits.width, hits.height
    level_of_detail = 0 if hits.px_per_cm > 24 else 1 if hits.px_per_cm > 12 else 2
    texture = person.paint.texture(expression, level_of_detail)
    side = np.float32(texture.shape[0])
    texels = looked_up(
        texture,
        resized(hits.column * side - np.float32(0.5), wh),
        resized(hits.row * side - np.float32(0.5), wh),
    )
    gloss = texels[..., 3].astype(np.float32) * np.float32(1.5 / 255)
    edge = resized(hits.edge_cm, wh)
    lit = resized(np.dstack([lamps, level * sky, gleam, lobe * sky]), wh)
    return Shaded(
        hits.left,
        hits.top,
        table(np.ascontiguousarray(texels[..., :3]), LINEAR_OF_CODE),
        lit[..., 0],
        lit[..., 1],
        lit[..., 2] * gloss,
        lit[..., 3] * gloss,
        np.clip(np.float32(0.5) - edge * np.float32(hits.px_per_cm), 0.0, 1.0),
    )
