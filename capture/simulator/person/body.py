"""Neck, shoulders and the wall: what is behind the face, at half the frame's resolution."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from capture.simulator.colour import ArrayF, ImageU8, root_codes
from capture.simulator.lighting import LAMPS_FROM, lamp_level
from capture.simulator.person.canvas import grain, hill, ramp
from capture.simulator.person.identity import Identity
from capture.simulator.raster import blurred, box_blurred, resized, slopes

BODY_PX_PER_CM = 10
SHADE_STEP = 4
"""Texels of albedo for one of shading: cloth is smooth."""
_LEFT_CM, _TOP_CM, _WIDTH_CM, _HEIGHT_CM = -27.0, -4.0, 54.0, 72.0

_OUTLINE = np.array(
    [
        (-80.0, 17.0, 3.0),
        (-40.0, 21.0, 3.0),
        (-26.0, 23.0, 3.5),
        (-20.5, 21.0, 3.0),
        (-18.0, 18.6, 1.5),
        (-16.2, 14.5, 0.0),
        (-14.8, 10.0, -1.0),
        (-13.4, 7.2, -0.8),
        (-11.5, 5.9, -0.2),
        (-8.0, 5.5, 0.3),
        (-4.0, 5.4, 0.3),
    ]
)
"""y, half width, midline depth in cm, head frame."""


@dataclass(frozen=True, slots=True, eq=False)
class UpperBody:
    """A sprite in the head frame, ``BODY_PX_PER_CM`` texels a cm.

    Attributes
    ----------
    cut_out : (h, w, 4) uint8 square root of the albedo, B, G, R, times coverage; then coverage.
    normals : (h / 4, w / 4, 3) float32.
    lamps : (h / 4, w / 4) float32 light of the room; shoulders do not turn.
    open_sky : (h / 4, w / 4) float32 ambient occlusion.
    """

    cut_out: ImageU8
    normals: ArrayF
    lamps: ArrayF
    open_sky: ArrayF

    @property
    def left_top_cm(self) -> tuple[float, float]:
        """Head-frame x and y of the sprite's upper left corner."""
        return _LEFT_CM, _TOP_CM


def build_body(person: Identity) -> UpperBody:
    """Shape and dress the shoulders of ``person``."""
    rng = np.random.default_rng(np.random.SeedSequence([person.seed, 0xB0D]))
    shape = int(_HEIGHT_CM * BODY_PX_PER_CM), int(_WIDTH_CM * BODY_PX_PER_CM)
    x, y = np.meshgrid(
        _LEFT_CM + (np.arange(shape[1], dtype=np.float32) + 0.5) / BODY_PX_PER_CM,
        _TOP_CM - (np.arange(shape[0], dtype=np.float32) + 0.5) / BODY_PX_PER_CM,
    )
    rows = y[:, 0]
    half = box_blurred(np.interp(rows, _OUTLINE[:, 0], _OUTLINE[:, 1])[:, None], (1, 15))
    front = box_blurred(np.interp(rows, _OUTLINE[:, 0], _OUTLINE[:, 2])[:, None], (1, 15))
    across = np.clip(1 - (x / half) ** 2, 0.0, 1.0)
    depth = (front + 5.0) * np.sqrt(across) + 0.9 * _neck(x, y)
    depth = blurred(depth.astype(np.float32), 4.0)
    cover = blurred(ramp(half - np.abs(x), 0.2).astype(np.float32), 1.0)
    across, down = slopes(depth)
    normals = np.dstack([-across, down, np.full_like(depth, 1 / BODY_PX_PER_CM)])
    normals /= np.linalg.norm(normals, axis=2, keepdims=True)
    chin = 0.62 * hill(x, y, (0.0, -7.6), (6.0, 2.6)) + 0.25 * hill(x, y, (0.0, -10.0), (5.0, 2.2))
    small = shape[1] // SHADE_STEP, shape[0] // SHADE_STEP
    normals = resized(normals, small, cv2.INTER_AREA)
    open_sky = resized((1 - chin).astype(np.float32), small, cv2.INTER_AREA)
    lamps = lamp_level(normals @ LAMPS_FROM.astype(np.float32)) * open_sky
    roots = np.sqrt(_colour(person, x, y, rng)) * cover[..., None]
    return UpperBody(root_codes(np.dstack([roots, cover])), normals, lamps, open_sky)


def _neck(x: ArrayF, y: ArrayF) -> ArrayF:
    """Tendons that run from behind the ears to the breastbone."""
    run = np.clip((-7.0 - y) / 7.0, 0.0, 1.0)
    tendon: ArrayF = np.exp(-(((np.abs(x) - 4.6 + 3.4 * run) / 0.9) ** 2)) * ramp(y + 14.5, 2.0)
    return tendon.astype(np.float32)


def _colour(person: Identity, x: ArrayF, y: ArrayF, rng: np.random.Generator) -> ArrayF:
    """Return (h, w, 3) float32 linear B, G, R of skin and clothes."""
    skin = np.asarray(person.skin[::-1], np.float32) * np.float32(0.92)
    cloth = np.asarray(person.cloth[::-1], np.float32)
    collar = -12.6 - 0.030 * x * x * (np.abs(x) < 9) - 2.4 * (np.abs(x) >= 9) + 0.0 * y
    line = np.where(np.abs(x) < 7.4, -14.4 + 0.042 * x * x, np.maximum(collar, -12.1))
    dressed = ramp(line - y, 0.15)
    weave = 1 + 0.05 * grain(rng, x.shape, 25) + 0.06 * rng.standard_normal(x.shape, np.float32)
    seam = 1 - 0.35 * ramp(0.10 - np.abs(line - 0.9 - y), 0.12)
    mottled = 1 + 0.02 * grain(rng, x.shape, 18) + 0.02 * grain(rng, x.shape, 90)
    albedo = np.empty((*x.shape, 3), np.float32)
    for channel in range(3):
        bare = skin[channel] * mottled
        albedo[..., channel] = bare + dressed * (cloth[channel] * weave * seam - bare)
    return np.clip(albedo, 0.0, 1.0, out=albedo)


def wall_albedo(seed: int, size_wh: tuple[int, int]) -> ArrayF:
    """Return (h, w, 3) float32 linear B, G, R of an out-of-focus wall with a frame and a plant."""
    rng = np.random.default_rng(np.random.SeedSequence([seed, 0x3A11]))
    width, height = size_wh
    wall = np.empty((height, width, 3), np.float32)
    wall[:] = np.array([0.30, 0.33, 0.35], np.float32) * rng.uniform(0.85, 1.1)
    wall *= (1 + 0.03 * grain(rng, (height, width), 6))[..., None]
    unit = height / 360
    left, top = rng.uniform(0.02, 0.12) * width, rng.uniform(0.05, 0.2) * height
    corner = (int(left), int(top)), (int(left + 90 * unit), int(top + 120 * unit))
    cv2.rectangle(wall, *corner, (0.05, 0.06, 0.08), max(2, int(6 * unit)))
    inner = wall[corner[0][1] : corner[1][1], corner[0][0] : corner[1][0]]
    inner *= (1 + 0.22 * grain(rng, inner.shape[:2], 4))[..., None]
    post = int(width * rng.uniform(0.86, 0.95))
    cv2.rectangle(wall, (post, 0), (width, height), (0.16, 0.20, 0.24), -1)
    return np.clip(blurred(wall, 3.2 * unit), 0.01, 0.9)
