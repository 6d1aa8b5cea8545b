"""The head's surface: a star-shaped radius map around a centre inside the skull.

Head frame, in cm: x to the image's right, y up, z out of the face towards the camera; the origin
lies where MediaPipe's canonical face has it, so that the few published canonical points fit.
Directions are stored on a Lambert azimuthal map around +z: no trigonometry to look one up, and no
pole on the face.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from capture.simulator.colour import ArrayF
from capture.simulator.person.identity import Identity
from capture.simulator.raster import blurred, resized, slopes

CENTRE_CM = np.array([0.0, 1.0, -2.5])
"""Every ray from here crosses the surface once."""

MAP_EXTENT = 1.85
"""Half side of the map in Lambert units: directions up to 135 degrees from straight ahead."""

SHAPE_SIZE = 512
_COARSE = 192

# y, half width, midline depth without nose and lips; fitted by eye to the canonical face model
_PROFILE = np.array(
    [
        (12.4, 0.3, -2.2),
        (12.1, 2.4, 0.0),
        (11.2, 4.4, 1.9),
        (10.0, 5.9, 3.3),
        (8.3, 7.0, 4.5),
        (6.5, 7.5, 5.1),
        (4.5, 7.7, 5.35),
        (2.5, 7.7, 5.15),
        (0.0, 7.55, 5.0),
        (-2.0, 7.25, 4.95),
        (-4.3, 6.7, 5.0),
        (-5.6, 6.2, 4.95),
        (-7.0, 5.4, 4.9),
        (-8.0, 4.4, 4.5),
        (-8.7, 3.2, 3.3),
        (-9.1, 1.8, 1.4),
        (-9.3, 0.3, -2.2),
    ]
)[::-1]

_JAW_CM, _JAW_SLOPE, _JAW_CURVE, _CHIN_Z_CM = -8.8, 0.42, 0.045, 4.2
"""Underside of the jaw: it rises from the chin back and to both sides."""

# y, height of the bridge over the skull, its half width
_NOSE = np.array(
    [
        (-2.6, 0.0, 1.25),
        (-2.0, 0.25, 1.15),
        (-1.6, 1.15, 1.0),
        (-1.1, 2.05, 0.9),
        (-0.5, 2.35, 0.80),
        (0.0, 2.15, 0.74),
        (1.0, 1.5, 0.68),
        (2.4, 0.75, 0.70),
        (3.4, 0.42, 0.95),
        (5.0, 0.0, 1.3),
    ]
)


@dataclass(frozen=True, slots=True, eq=False)
class HeadShape:
    """Maps over Lambert coordinates, row 0 at the top.

    Attributes
    ----------
    radius_cm : (N, N) float32 distance of the surface from ``CENTRE_CM``.
    points_cm : (N, N, 3) float32 surface points in the head frame.
    surface : (N, N, 4) float32 outward unit normals, then how open the sky is: 1 on open skin, less
        in folds (ambient occlusion).
    """

    radius_cm: ArrayF
    points_cm: ArrayF
    surface: ArrayF


def map_directions(size: int) -> ArrayF:
    """Return (size, size, 3) float32 unit directions of the map's pixels."""
    axis = (np.arange(size, dtype=np.float32) + 0.5) / size * 2 * MAP_EXTENT - MAP_EXTENT
    u, v = np.meshgrid(axis, -axis)
    q = np.minimum(u * u + v * v, 4.0)
    side = np.sqrt(1.0 - q / 4.0)
    return np.dstack([u * side, v * side, 1.0 - q / 2.0]).astype(np.float32)


def map_pixels(directions: ArrayF, size: int) -> tuple[ArrayF, ArrayF]:
    """Return map column and row (float32) of unit ``directions`` (..., 3)."""
    k = np.sqrt(2.0 / np.maximum(1.0 + directions[..., 2], 1e-3))
    scale = size / (2 * MAP_EXTENT)
    column = (directions[..., 0] * k + MAP_EXTENT) * scale - 0.5
    row = (MAP_EXTENT - directions[..., 1] * k) * scale - 0.5
    return column.astype(np.float32), row.astype(np.float32)


def _bump(x: ArrayF, y: ArrayF, at: tuple[float, float], spread: tuple[float, float]) -> ArrayF:
    """Gaussian hill of height 1."""
    hill: ArrayF = np.exp(-(((x - at[0]) / spread[0]) ** 2) - ((y - at[1]) / spread[1]) ** 2)
    return hill


def _smoothed(y: ArrayF, knots: ArrayF, values: ArrayF, reach_cm: float) -> ArrayF:
    """Interpolate linearly between ``knots`` and round the corners over ``reach_cm``."""
    fine = np.arange(knots[0], knots[-1], 0.05)
    taps = 2 * round(reach_cm / 0.05) + 1
    kernel = np.hanning(taps + 2)[1:-1]
    padded = np.pad(np.interp(fine, knots, values), taps // 2, mode="edge")
    rounded = np.convolve(padded, kernel / kernel.sum(), mode="valid")
    return np.interp(y, fine, rounded).astype(np.float32)


def _smooth_profile(y: ArrayF, column: int) -> ArrayF:
    return _smoothed(y, _PROFILE[:, 0], _PROFILE[:, column], 0.6)


def _skull_radius(person: Identity, directions: ArrayF) -> ArrayF:
    """Bisect for the bare skull: elliptic cross-sections whose axes follow the profile."""
    low = np.full(directions.shape[:2], 1.0, np.float32)
    high = np.full(directions.shape[:2], 17.0, np.float32)
    for _ in range(16):
        radius = (low + high) / 2
        x, y, z = (radius * directions[..., i] + np.float32(CENTRE_CM[i]) for i in range(3))
        taper = np.clip((-y - 2.0) / 6.0, 0.0, 1.0)
        half_width = _smooth_profile(y, 1) * person.width * (1 + (person.jaw - 1) * taper)
        front = _smooth_profile(y, 2) - CENTRE_CM[2]
        back = np.minimum(half_width * 1.35, 10.2)
        depth = np.maximum(np.where(z > CENTRE_CM[2], front, back), 0.05)
        outside = (x / np.maximum(half_width, 0.05)) ** 2 + ((z - CENTRE_CM[2]) / depth) ** 2 > 1
        outside |= (y > 12.4) | (y < _JAW_CM + _JAW_SLOPE * (_CHIN_Z_CM - z) + _JAW_CURVE * x * x)
        high = np.where(outside, radius, high)
        low = np.where(outside, low, radius)
    return blurred((low + high) / 2, 1.6)


def _nose(person: Identity, x: ArrayF, y: ArrayF) -> ArrayF:
    ridge = _smoothed(y, _NOSE[:, 0], _NOSE[:, 1], 0.5) * person.nose_height
    width = _smoothed(y, _NOSE[:, 0], _NOSE[:, 2], 0.5) * person.nose_width
    nose: ArrayF = ridge * np.exp(-((x / width) ** 2))
    nose = nose + 0.30 * _bump(x, y, (0.0, -0.55), (0.55, 0.50))
    ala = 1.22 * person.nose_width
    for side in (-1.0, 1.0):
        nose = nose + 0.50 * _bump(x, y, (side * ala, -1.0), (0.50, 0.60))
        nose = nose - 0.22 * _bump(x, y, (side * 0.62, -1.65), (0.32, 0.25))
    return nose


def _mouth(person: Identity, x: ArrayF, y: ArrayF) -> ArrayF:
    lip = person.lip
    half = 2.5
    inside = np.clip(1 - (x / half) ** 2, 0.0, 1.0)
    bow = 0.12 * np.exp(-(((np.abs(x) - 0.55) / 0.45) ** 2))
    upper = 0.40 * lip * np.exp(-(((y + 3.66 - bow) / (0.55 * lip)) ** 2)) * inside
    lower = 0.44 * lip * np.exp(-(((y + 4.80) / (0.62 * lip)) ** 2)) * inside**0.8
    seam = -0.20 * np.exp(-(((y + 4.18) / 0.28) ** 2)) * inside**0.5
    around = 0.50 * _bump(x, y, (0.0, -4.1), (2.8, 1.7))
    philtrum = -0.12 * _bump(x, y, (0.0, -2.7), (0.28, 0.5))
    corners = -0.22 * (
        _bump(x, y, (-2.6, -4.15), (0.4, 0.5)) + _bump(x, y, (2.6, -4.15), (0.4, 0.5))
    )
    total: ArrayF = upper + lower + seam + around + philtrum + corners
    return total


def _relief(person: Identity, x: ArrayF, y: ArrayF) -> ArrayF:
    """Height of the features over the skull in cm, as seen from the front."""
    gap = person.eye_half_gap_cm
    relief = _nose(person, x, y) + _mouth(person, x, y)
    relief += 0.36 * _bump(x, y, (0.0, -7.0), (1.5, 0.95))
    relief -= 0.20 * _bump(x, y, (0.0, -5.75), (1.5, 0.50))
    relief += 0.20 * _bump(x, y, (0.0, 4.3), (1.4, 0.8))
    for side in (-1.0, 1.0):
        relief -= 1.05 * _bump(x, y, (side * 2.1, 2.6), (0.85, 0.95))
        relief -= 0.62 * _bump(x, y, (side * gap, 2.7), (1.7, 1.15))
        relief += 0.62 * _bump(x, y, (side * gap, 2.6), (1.02, 0.72))
        relief += 0.42 * _bump(x, y, (side * 3.2, 4.15), (2.0, 0.55))
        relief -= 0.10 * _bump(x, y, (side * gap, 1.55), (1.2, 0.28))
        relief += 0.38 * _bump(x, y, (side * 4.7, 0.5), (1.7, 1.4))
        relief -= 0.35 * _bump(x, y, (side * 5.3, -3.2), (1.4, 1.7))
        along = np.abs(x) - (1.95 + (-0.6 - y) * 0.33)
        crease = np.exp(-((along / 0.28) ** 2)) * _bump(x, y, (side * 2.4, -2.2), (0.9, 1.5))
        relief -= (0.16 * crease).astype(np.float32)
        relief -= 0.45 * _bump(x, y, (side * 7.4, 5.6), (1.2, 2.0))
    return relief.astype(np.float32)


def hair_mask(person: Identity, points_cm: ArrayF) -> ArrayF:
    """Return where hair grows, 0..1, over points (..., 3) in the head frame."""
    x, y, z = (points_cm[..., i] for i in range(3))
    wide = np.abs(x)
    line = person.hairline_cm - 0.035 * x * x + 0.35 * _bump(x, y, (4.2, 7.5), (1.2, 3.0))
    line += 0.35 * _bump(x, y, (-4.2, 7.5), (1.2, 3.0)) - 2.2 * np.maximum(wide - 5.0, 0.0) ** 2
    top = y - np.maximum(line, 3.7 - 0.25 * np.maximum(-2.0 - z, 0.0))
    front = 1.0 - 0.5 * np.maximum(4.5 - y, 0.0) - z
    behind = np.where(y > 3.6, 9.0, z + 1.0)
    temple = np.minimum(np.minimum(wide - 5.6, y - 0.4), np.minimum(front, behind))
    back = np.minimum(-4.9 - z, y + 2.5)
    inside = np.maximum(np.maximum(top, temple), back)
    return np.clip(0.5 + inside / 0.5, 0.0, 1.0).astype(np.float32)


def _ears(points: ArrayF) -> ArrayF:
    """Height of the ears over the side of the head."""
    y, z = points[..., 1], points[..., 2]
    side = np.clip((np.abs(points[..., 0]) - 5.5) / 1.0, 0.0, 1.0)
    lean = z + 3.1 + 0.18 * (y - 0.8)
    shell = (lean / 1.2) ** 2 + ((y - 0.9) / 2.35) ** 2
    rim = np.exp(-(((shell - 0.85) / 0.55) ** 2))
    ear: ArrayF = (0.95 * rim + 0.45 * np.exp(-((lean - 0.7) ** 2))) * side
    return ear * np.clip((2.0 - shell) / 0.8, 0.0, 1.0)


def _normals_of(points: ArrayF, directions: ArrayF) -> ArrayF:
    across, down = slopes(points)
    normals: ArrayF = np.cross(down, across).astype(np.float32)
    normals /= np.maximum(np.linalg.norm(normals, axis=2, keepdims=True), 1e-6)
    inward = np.sum(normals * directions, axis=2, keepdims=True) < 0
    return np.where(inward, -normals, normals)


def build_shape(person: Identity) -> HeadShape:
    """Raise the features of ``person`` over the skull."""
    skull = resized(
        _skull_radius(person, map_directions(_COARSE)), (SHAPE_SIZE, SHAPE_SIZE), cv2.INTER_CUBIC
    )
    directions = map_directions(SHAPE_SIZE)
    centre = CENTRE_CM.astype(np.float32)
    frontal = np.clip((directions[..., 2] + 0.05) / 0.35, 0.0, 1.0)
    radius = skull.copy()
    for _ in range(3):
        points = radius[..., None] * directions + centre
        relief = _relief(person, points[..., 0], points[..., 1]) * frontal
        radius = 0.4 * radius + 0.6 * (skull + relief)
    radius = skull + relief
    points = radius[..., None] * directions + centre
    hair = hair_mask(person, points)
    hair = hair * np.clip(1.6 * blurred(hair, 7.0) - 0.6, 0.0, 1.0)
    hair = blurred(hair, 2.0)
    rng = np.random.default_rng(np.random.SeedSequence([person.seed, 0x4A1]))
    tufts = resized(
        rng.normal(0, 1, (24, 48)).astype(np.float32), (SHAPE_SIZE, SHAPE_SIZE), cv2.INTER_CUBIC
    )
    volume = 0.35 + 0.75 * np.clip((points[..., 1] - 5.0) / 5.0, 0.0, 1.0)
    radius += hair * (volume + 0.10 * tufts) + blurred(_ears(points), 1.5) * (1 - hair)
    points = (radius[..., None] * directions + centre).astype(np.float32)
    normals = _normals_of(points, directions)
    folds = blurred(radius, 7.0) - radius
    deep = blurred(radius, 22.0) - radius
    open_sky = np.clip(1 - 1.2 * np.maximum(folds, 0) - 0.55 * np.maximum(deep, 0), 0.25, 1.0)
    surface = np.dstack([normals, open_sky]).astype(np.float32)
    return HeadShape(radius.astype(np.float32), points, surface)
