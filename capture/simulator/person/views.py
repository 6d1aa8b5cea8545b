"""The head as it looks from the camera: coarse views cast once, and refined for each frame.

A head turns and comes nearer little by little, so its outline and depth are cast on a coarse grid
at fixed angles and distances, kept, and mixed; each frame then only refines the depth of its own
rays on the shape itself. What a pose looks like depends on that pose alone, never on those before.

A view is seen along the line from the camera to the centre of the skull, upright in the picture:
roll and place in the frame are then a matter of mapping its grid into the frame, which is exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from math import asin, atan2, degrees, floor, log, sqrt
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from capture.simulator.colour import ArrayF
from capture.simulator.person.pose import HeadPose, Lens, turn
from capture.simulator.person.raycast import (
    BOUND_CM,
    grid_rays,
    look_up,
    march,
    settle,
    silhouette,
)
from capture.simulator.person.shape import HeadShape
from capture.simulator.raster import added, merged, planes, seen_through

_FINE_PER_CM = 6.5
"""Rays a cm on a frame's grid: half of the finest features of the shape, which are blurred to
0.25 cm."""
_CELLS = 84
"""Rays across a view: one in 0.32 cm."""
_STEP_DEG = 5.0
_NEAREST_CM, _STEP_RATIO = BOUND_CM + 3.0, 1.25
_KEPT = 160
"""Views of one head, 85 kB each."""
_MARCH_STEPS = 14
_EDGE_CM = 0.4
_LEAST_PX = 8
_GRAZING = 0.02
"""Least depth, as a share of the head's own, of what can still be in the frame."""

_Bounds: TypeAlias = tuple[int, int, int, int]
_Matrix: TypeAlias = NDArray[np.float64]


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


class HeadViews:
    """The views of one head, cast when they are first needed; safe to share between threads."""

    def __init__(self, shape: HeadShape) -> None:
        self.shape = shape
        self._view = lru_cache(maxsize=_KEPT)(self._cast)

    def near(self, yaw_deg: float, pitch_deg: float, far_cm: float) -> ArrayF:
        """Return (n, n, 3) float32: edge, depth and the depth's limit, in cm.

        The edge is the least height of the ray over the surface, negative inside the outline;
        depths count from where the ray is nearest to the centre.
        """
        place = (
            yaw_deg / _STEP_DEG,
            pitch_deg / _STEP_DEG,
            log(far_cm / _NEAREST_CM) / log(_STEP_RATIO),
        )
        low = [floor(value) for value in place]
        mixed = np.zeros((_CELLS, _CELLS, 3), np.float32)
        for corner in product((0, 1), repeat=3):
            steps = [start + up for start, up in zip(low, corner, strict=True)]
            off = [1 - abs(value - step) for value, step in zip(place, steps, strict=True)]
            share = off[0] * off[1] * off[2]
            if share > 0:
                mixed = added(mixed, self._view(*steps), share)
        return mixed

    def _cast(self, yaw: int, pitch: int, far: int) -> ArrayF:
        far_cm = _NEAREST_CM * _STEP_RATIO**far
        turned = turn(yaw * _STEP_DEG, pitch * _STEP_DEG, 0.0).T
        from_cell = np.linalg.inv(_into_view(far_cm))
        rays = grid_rays(turned @ from_cell, turned @ (0.0, 0.0, far_cm), (_CELLS, _CELLS))
        closest, radius = rays.closest(), self.shape.radius_cm
        edge, limit = silhouette(radius, rays, closest)
        t = march(radius, rays, limit, _MARCH_STEPS)
        view = np.dstack([edge, t - closest, limit - closest])
        view.flags.writeable = False
        return view


def cast_head(views: HeadViews, lens: Lens, pose: HeadPose) -> Hits | None:
    """Trace the head at ``pose``; None when it is out of the frame or behind the lens."""
    centre = pose.centre_cm
    if -centre[2] < _NEAREST_CM:
        return None
    far_cm = float(np.linalg.norm(centre))
    x, y, z = centre / far_cm
    look = turn(degrees(atan2(-x, -z)), degrees(asin(y)), 0.0).T
    seen = look @ pose.rotation
    roll_deg = degrees(atan2(seen[1, 0], seen[0, 0]))
    yaw_deg = degrees(asin(min(max(-seen[2, 0], -1.0), 1.0)))
    view = views.near(yaw_deg, degrees(atan2(seen[2, 1], seen[2, 2])), far_cm)
    directions = _directions(lens)
    into_view = _into_view(far_cm) @ turn(0.0, 0.0, roll_deg).T @ look @ directions
    bounds = _bounds(view[..., 0], np.linalg.inv(into_view), lens)
    if bounds is None:
        return None
    left, top, width, height = bounds
    px_per_cm = lens.focal_px / max(-float(pose.eyes_cm[2]), 1.0)
    fine = max(1.0, px_per_cm / _FINE_PER_CM)
    wh = max(4, round(width / fine)), max(4, round(height / fine))
    step_x, step_y = width / wh[0], height / wh[1]
    pixel = np.array(
        [[step_x, 0, left + step_x / 2 - 0.5], [0, step_y, top + step_y / 2 - 0.5], [0, 0, 1]]
    )
    edge, depth, limit = planes(seen_through(view, into_view @ pixel, wh))
    back = pose.rotation.T
    rays = grid_rays(back @ directions @ pixel, back @ -centre, wh)
    closest, radius = rays.closest(), views.shape.radius_cm
    depth += closest
    limit += closest
    points = rays.at(settle(radius, rays, depth, limit))
    _, _, column, row = look_up(radius, points)
    column, row = ((place + np.float32(0.5)) / np.float32(len(radius)) for place in (column, row))
    return Hits(left, top, width, height, column, row, merged(*points), edge, px_per_cm)


def _directions(lens: Lens) -> _Matrix:
    """Return (3, 3): a pixel's (x, y, 1) to its ray's direction in the world."""
    (width, height), focal = lens.size_wh, lens.focal_px
    return np.array(
        [
            [1 / focal, 0, -(width - 1) / 2 / focal],
            [0, -1 / focal, (height - 1) / 2 / focal],
            [0, 0, -1],
        ]
    )


def _into_view(far_cm: float) -> _Matrix:
    """Return (3, 3): a direction in the frame of the view to its cell's (column, row, 1) times k.

    The grid just holds the sphere around the head, at any distance.
    """
    reach = sqrt(far_cm**2 - BOUND_CM**2) / BOUND_CM * _CELLS / 2
    middle = _CELLS / 2 - 0.5
    return np.array([[reach, 0, -middle], [0, -reach, -middle], [0, 0, -1]])


def _bounds(edge: ArrayF, to_pixel: _Matrix, lens: Lens) -> _Bounds | None:
    """Return left, top, width and height of the part of the frame that the head covers."""
    inside = edge < _EDGE_CM
    rows = np.nonzero(inside.any(axis=1))[0]
    if len(rows) == 0:
        return None
    first = inside[rows].argmax(axis=1)
    last = _CELLS - 1 - inside[rows, ::-1].argmax(axis=1)
    columns, rows = np.concatenate([first, last]), np.concatenate([rows, rows])
    x, y, k = to_pixel @ np.stack([columns, rows, np.ones_like(rows)])
    before = k > _GRAZING * float(to_pixel[2] @ (_CELLS / 2, _CELLS / 2, 1.0))
    if not before.any():
        return None
    x, y = x[before] / k[before], y[before] / k[before]
    width, height = lens.size_wh
    left, right = max(0, int(x.min())), min(width, int(x.max()) + 2)
    top, bottom = max(0, int(y.min())), min(height, int(y.max()) + 2)
    if right - left < _LEAST_PX or bottom - top < _LEAST_PX:
        return None
    return left, top, right - left, bottom - top
