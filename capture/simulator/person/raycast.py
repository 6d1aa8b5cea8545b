"""Where each pixel's ray meets the head: camera geometry and sphere tracing on a coarse grid.

World frame, in cm: the camera's pinhole at the origin, x to the image's right, y up, z from the
scene towards the camera, so that everything visible has negative z.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from capture.simulator.colour import ArrayF
from capture.simulator.person.shape import CENTRE_CM, MAP_EXTENT, HeadShape
from capture.simulator.raster import looked_up, resized, square_root

EYES_CM = np.array([0.0, 2.6, 3.9])
"""Midpoint of the eyes in the head frame: the point that a head's position names."""

ZERO_PITCH_DEG = -5.0
"""Tilt of the head frame at pitch 0: FaceMesh and PnP read this head 5 degrees too low without."""

_BOUND_CM = 13.4
_NEAR = (0.3, 0.6)
_ROUGH_CELL_CM = 0.9
_FINE_PER_CM = 9.0
"""Rays a cm on the fine grid: a third of a pixel's at 60 cm, and as fine as the shape's own map."""

_Bounds: TypeAlias = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Lens:
    """A pinhole with the principal point in the middle of the frame."""

    size_wh: tuple[int, int]
    focal_px: float


@dataclass(frozen=True, slots=True)
class HeadPose:
    """Attitude (R = Rz Ry Rx, in head frame axes) and place of a head.

    ``eyes_cm`` is where the midpoint of the eyes lies in the world while the head looks straight
    ahead; rotation is about the centre of the skull.
    """

    yaw_deg: float
    pitch_deg: float
    roll_deg: float
    eyes_cm: tuple[float, float, float]

    @property
    def attitude(self) -> NDArray[np.float64]:
        """(3, 3) of the angles alone: what a pose estimator should find."""
        return _turn(self.yaw_deg, self.pitch_deg, self.roll_deg)

    @property
    def rotation(self) -> NDArray[np.float64]:
        """(3, 3) head frame to world."""
        return _turn(self.yaw_deg, self.pitch_deg + ZERO_PITCH_DEG, self.roll_deg)

    @property
    def centre_cm(self) -> NDArray[np.float64]:
        """(3,) world position of the centre of the skull."""
        return np.subtract(self.eyes_cm, EYES_CM - CENTRE_CM, dtype=np.float64)

    def to_world(self, points_cm: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return world coordinates of (..., 3) points in the head frame."""
        world: NDArray[np.float64] = (points_cm - CENTRE_CM) @ self.rotation.T
        return world + self.centre_cm


def _turn(yaw_deg: float, pitch_deg: float, roll_deg: float) -> NDArray[np.float64]:
    """Return Rz(roll) Ry(yaw) Rx(pitch)."""
    yaw, pitch, roll = np.radians([yaw_deg, pitch_deg, roll_deg])
    cy, sy, cp, sp = np.cos(yaw), np.sin(yaw), np.cos(pitch), np.sin(pitch)
    cr, sr = np.cos(roll), np.sin(roll)
    about_x = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    turned: NDArray[np.float64] = about_z @ about_y @ about_x
    return turned


def project(lens: Lens, points_cm: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (..., 2) pixels (x, y) of world points (..., 3) in front of the camera."""
    width, height = lens.size_wh
    depth = -points_cm[..., 2]
    x = (width - 1) / 2 + lens.focal_px * points_cm[..., 0] / depth
    y = (height - 1) / 2 - lens.focal_px * points_cm[..., 1] / depth
    return np.stack([x, y], axis=-1)


@dataclass(frozen=True, slots=True, eq=False)
class Hits:
    """What the rays of a pixel rectangle found, on a grid coarser than the pixels.

    Attributes
    ----------
    left, top, width, height : the rectangle in frame pixels.
    column, row : (h, w) float32 map coordinates in 0..1 of the hit point.
    points_cm : (h, w, 3) float32 hit points in the head frame, relative to the centre.
    edge_cm : (h, w) float32 signed distance to the silhouette, negative inside.
    px_per_cm : scale at the head's distance.
    """

    left: int
    top: int
    width: int
    height: int
    column: ArrayF
    row: ArrayF
    points_cm: ArrayF
    edge_cm: ArrayF
    px_per_cm: float


@dataclass(frozen=True, slots=True, eq=False)
class _Rays:
    origin: ArrayF
    x: ArrayF
    y: ArrayF
    z: ArrayF

    def at(self, t: ArrayF) -> tuple[ArrayF, ArrayF, ArrayF]:
        return (
            self.origin[0] + t * self.x,
            self.origin[1] + t * self.y,
            self.origin[2] + t * self.z,
        )

    def closest(self) -> ArrayF:
        """Where each ray is nearest to the head's centre."""
        along: ArrayF = self.origin[0] * self.x + self.origin[1] * self.y + self.origin[2] * self.z
        return -along

    def resized(self, width: int, height: int) -> _Rays:
        x, y, z = (_grow(a, width, height) for a in (self.x, self.y, self.z))
        return _Rays(self.origin, x, y, z)


def _grow(array: ArrayF, width: int, height: int) -> ArrayF:
    return resized(array, (width, height))


def _lookup(
    radius: ArrayF, x: ArrayF, y: ArrayF, z: ArrayF
) -> tuple[ArrayF, ArrayF, ArrayF, ArrayF]:
    """Return height over the surface, distance from the centre, map column and row."""
    size = radius.shape[0]
    far = square_root(x * x + y * y + z * z)
    k = square_root(2.0 / np.maximum(far * (far + z), 1e-3))
    scale = np.float32(size / (2 * MAP_EXTENT))
    column = x * k * scale + np.float32(size / 2 - 0.5)
    row = y * k * -scale + np.float32(size / 2 - 0.5)
    surface = looked_up(radius, column, row)
    return far - surface, far, column, row


def _march(radius: ArrayF, rays: _Rays, limit: ArrayF, steps: int) -> ArrayF:
    """Approach the surface from outside; halve the step that first passed through it.

    Newton alone cycles on lips and brows, where the surface is steeper than the rays.
    """
    t = rays.closest() - np.float32(_BOUND_CM)
    outside, inside = t.copy(), limit.copy()
    found = np.zeros(t.shape, bool)
    for _ in range(steps):
        x, y, z = rays.at(t)
        height, far, _, _ = _lookup(radius, x, y, z)
        below = height <= 0
        found |= below
        np.copyto(inside, t, where=below)
        np.copyto(outside, t, where=~below)
        descent = -(rays.x * x + rays.y * y + rays.z * z) / far
        ahead = np.minimum(t + np.float32(0.8) * height / np.maximum(descent, 0.5), limit)
        t = np.where(found, np.float32(0.5) * (outside + inside), ahead)
    return t


def _settle(radius: ArrayF, rays: _Rays, t: ArrayF, limit: ArrayF) -> ArrayF:
    """Refine ``t`` by secants: the surface's own slope along each ray, not a guess of it."""
    height, *_ = _lookup(radius, *rays.at(t))
    step = np.clip(height, -0.3, 0.3) + np.copysign(np.float32(0.02), height)
    for _ in range(2):
        t_next = np.minimum(t + step, limit)
        height_next, *_ = _lookup(radius, *rays.at(t_next))
        fall = height - height_next
        fall = np.where(np.abs(fall) < 1e-3, np.float32(1e-3), fall)
        step = np.clip(height_next * (t_next - t) / fall, -0.4, 0.4)
        t, height = t_next, height_next
    return np.minimum(t + step, limit)


def _silhouette(radius: ArrayF, rays: _Rays, closest: ArrayF) -> tuple[ArrayF, ArrayF]:
    """Return the least height over the surface along each ray, and where it is.

    Negative where the ray meets the head; there the point only bounds the search for the hit.
    """
    least = np.full(closest.shape, np.inf, np.float32)
    where = closest.copy()
    for offset in (-7.0, -5.0, -3.5, -2.0, -1.0, 0.0, 1.0, 2.5, 0.6, -0.6, 0.3, -0.3):
        t = (where if abs(offset) in _NEAR else closest) + np.float32(offset)
        height, *_ = _lookup(radius, *rays.at(t))
        np.copyto(where, t, where=height < least)
        np.minimum(least, height, out=least)
    return least, where


def _bounds(lens: Lens, pose: HeadPose) -> _Bounds | None:
    centre = pose.centre_cm
    if -centre[2] < _BOUND_CM + 3.0:
        return None
    (x, y), scale = project(lens, centre), lens.focal_px / (-centre[2] - 6.0)
    reach = _BOUND_CM * scale
    left, right = max(0, int(x - reach)), min(lens.size_wh[0], int(x + reach) + 1)
    top, bottom = max(0, int(y - reach)), min(lens.size_wh[1], int(y + reach) + 1)
    if right - left < 8 or bottom - top < 8:
        return None
    return left, top, right - left, bottom - top


def _tightened(
    shape: HeadShape, lens: Lens, pose: HeadPose, bounds: _Bounds, px_per_cm: float
) -> _Bounds | None:
    """Return the part of ``bounds`` that the head covers, found with rays a cell apart."""
    left, top, width, height = bounds
    cell = px_per_cm * _ROUGH_CELL_CM
    grid_wh = max(4, round(width / cell)), max(4, round(height / cell))
    rays = _make_rays(lens, pose, bounds, grid_wh)
    edge, _ = _silhouette(shape.radius_cm, rays, rays.closest())
    near = edge < _ROUGH_CELL_CM
    rows, columns = np.nonzero(near.any(1))[0], np.nonzero(near.any(0))[0]
    if len(rows) == 0:
        return None
    step_x, step_y = width / grid_wh[0], height / grid_wh[1]
    x0, x1 = int(columns[0] * step_x), min(width, int((columns[-1] + 1) * step_x) + 1)
    y0, y1 = int(rows[0] * step_y), min(height, int((rows[-1] + 1) * step_y) + 1)
    return left + x0, top + y0, x1 - x0, y1 - y0


def cast_head(shape: HeadShape, lens: Lens, pose: HeadPose) -> Hits | None:
    """Trace the head at ``pose``; None when it is out of the frame or behind the lens."""
    wide = _bounds(lens, pose)
    px_per_cm = lens.focal_px / max(-float(pose.eyes_cm[2]), 1.0)
    bounds = _tightened(shape, lens, pose, wide, px_per_cm) if wide else None
    if bounds is None:
        return None
    left, top, width, height = bounds
    fine = max(1.0, px_per_cm / _FINE_PER_CM)
    fine_wh = max(4, round(width / fine)), max(4, round(height / fine))
    coarse_wh = max(4, fine_wh[0] // 3), max(4, fine_wh[1] // 3)
    rays = _make_rays(lens, pose, bounds, coarse_wh)
    edge, limit = _silhouette(shape.radius_cm, rays, rays.closest())
    t = _march(shape.radius_cm, rays, limit, 14)
    rays, t, limit = rays.resized(*fine_wh), _grow(t, *fine_wh), _grow(limit, *fine_wh)
    t = _settle(shape.radius_cm, rays, t, limit)
    x, y, z = rays.at(t)
    _, _, column, row = _lookup(shape.radius_cm, x, y, z)
    size = np.float32(shape.radius_cm.shape[0])
    return Hits(
        left,
        top,
        width,
        height,
        (column + np.float32(0.5)) / size,
        (row + np.float32(0.5)) / size,
        np.dstack([x, y, z]),
        _grow(edge, *fine_wh),
        px_per_cm,
    )


def _make_rays(lens: Lens, pose: HeadPose, bounds: _Bounds, grid_wh: tuple[int, int]) -> _Rays:
    """Return unit rays through the middles of the grid's cells, in the frame of the head."""
    left, top, width, height = bounds
    columns = left + (np.arange(grid_wh[0]) + 0.5) * width / grid_wh[0] - 0.5
    rows = top + (np.arange(grid_wh[1]) + 0.5) * height / grid_wh[1] - 0.5
    x, y = np.meshgrid(
        (columns - (lens.size_wh[0] - 1) / 2) / lens.focal_px,
        -(rows - (lens.size_wh[1] - 1) / 2) / lens.focal_px,
    )
    world = np.dstack([x, y, -np.ones_like(x)])
    world /= np.linalg.norm(world, axis=2, keepdims=True)
    turned = (world @ pose.rotation).astype(np.float32)
    origin = (pose.rotation.T @ -pose.centre_cm).astype(np.float32)
    return _Rays(origin, *(np.ascontiguousarray(turned[..., i]) for i in range(3)))
