"""Where each pixel's ray meets the head: camera geometry and sphere tracing on a coarse grid.

World frame, in cm: the camera's pinhole at the origin, x to the image's right, y up, z from the
scene towards the camera, so that everything visible has negative z.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from capture.simulator.colour import ArrayF
from capture.simulator.shape import CENTRE_CM, MAP_EXTENT, HeadShape

EYES_CM = np.array([0.0, 2.6, 3.9])
"""Midpoint of the eyes in the head frame: the point that a head's position names."""

_BOUND_CM = 13.4


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
    def rotation(self) -> NDArray[np.float64]:
        """(3, 3) head to world."""
        yaw, pitch, roll = np.radians([self.yaw_deg, self.pitch_deg, self.roll_deg])
        cy, sy, cp, sp = np.cos(yaw), np.sin(yaw), np.cos(pitch), np.sin(pitch)
        cr, sr = np.cos(roll), np.sin(roll)
        about_x = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
        about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
        about_z = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
        return about_z @ about_y @ about_x

    @property
    def centre_cm(self) -> NDArray[np.float64]:
        """(3,) world position of the centre of the skull."""
        return np.asarray(self.eyes_cm) - (EYES_CM - CENTRE_CM)

    def to_world(self, points_cm: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return world coordinates of (..., 3) points in the head frame."""
        return (np.asarray(points_cm) - CENTRE_CM) @ self.rotation.T + self.centre_cm


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

    def resized(self, width: int, height: int) -> _Rays:
        x, y, z = (_grow(a, width, height) for a in (self.x, self.y, self.z))
        return _Rays(self.origin, x, y, z)


def _grow(array: ArrayF, width: int, height: int) -> ArrayF:
    grown: ArrayF = cv2.resize(array, (width, height), interpolation=cv2.INTER_LINEAR)
    return grown


def _lookup(
    radius: ArrayF, x: ArrayF, y: ArrayF, z: ArrayF
) -> tuple[ArrayF, ArrayF, ArrayF, ArrayF]:
    """Return height over the surface, distance from the centre, map column and row."""
    size = radius.shape[0]
    far = cv2.sqrt(x * x + y * y + z * z)
    k = cv2.sqrt(2.0 / np.maximum(far * (far + z), 1e-3))
    scale = np.float32(size / (2 * MAP_EXTENT))
    column = x * k * scale + np.float32(size / 2 - 0.5)
    row = y * k * -scale + np.float32(size / 2 - 0.5)
    surface = cv2.remap(radius, column, row, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return far - surface, far, column, row


def _march(radius: ArrayF, rays: _Rays, t: ArrayF, limit: ArrayF, steps: int) -> ArrayF:
    """Damped Newton steps along the rays, never past the point nearest to the head."""
    for _ in range(steps):
        x, y, z = rays.at(t)
        height, far, _, _ = _lookup(radius, x, y, z)
        descent = -(rays.x * x + rays.y * y + rays.z * z) / far
        t = np.minimum(t + np.float32(0.7) * height / np.maximum(descent, np.float32(0.5)), limit)
    return t


def _silhouette(radius: ArrayF, rays: _Rays, closest: ArrayF) -> tuple[ArrayF, ArrayF]:
    """Return the least height over the surface along each ray, and where it is.

    Negative where the ray meets the head; there the point only bounds the search for the hit.
    """
    least = np.full(closest.shape, np.inf, np.float32)
    where = closest.copy()
    for offset in (-7.0, -5.0, -3.5, -2.0, -1.0, 0.0, 1.0, 2.5):
        t = closest + np.float32(offset)
        height, *_ = _lookup(radius, *rays.at(t))
        np.copyto(where, t, where=height < least)
        np.minimum(least, height, out=least)
    return least, where


def _bounds(lens: Lens, pose: HeadPose) -> tuple[int, int, int, int] | None:
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


def cast_head(shape: HeadShape, lens: Lens, pose: HeadPose) -> Hits | None:
    """Trace the head at ``pose``; None when it is out of the frame or behind the lens."""
    bounds = _bounds(lens, pose)
    if bounds is None:
        return None
    left, top, width, height = bounds
    px_per_cm = lens.focal_px / -float(pose.eyes_cm[2])
    fine = max(1.0, px_per_cm / 9.0)
    fine_wh = max(4, round(width / fine)), max(4, round(height / fine))
    coarse_wh = max(4, fine_wh[0] // 4), max(4, fine_wh[1] // 4)
    rays = _make_rays(lens, pose, bounds, coarse_wh)
    closest = -(rays.origin[0] * rays.x + rays.origin[1] * rays.y + rays.origin[2] * rays.z)
    edge, limit = _silhouette(shape.radius_cm, rays, closest)
    t = _march(shape.radius_cm, rays, closest - np.float32(10.5), limit, 14)
    rays, t, limit = rays.resized(*fine_wh), _grow(t, *fine_wh), _grow(limit, *fine_wh)
    t = _march(shape.radius_cm, rays, t, limit, 3)
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


def _make_rays(
    lens: Lens, pose: HeadPose, bounds: tuple[int, int, int, int], grid_wh: tuple[int, int]
) -> _Rays:
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
