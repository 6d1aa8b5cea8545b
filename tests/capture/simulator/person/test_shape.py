from __future__ import annotations

import numpy as np
import pytest

from capture.simulator.person.identity import draw_identity
from capture.simulator.person.shape import (
    CENTRE_CM,
    HeadShape,
    build_shape,
    hair_mask,
    map_directions,
    map_pixels,
)
from capture.simulator.raster import looked_up

CANONICAL = {
    "nose tip": (0.0, -0.46, 7.59),
    "nose bridge": (0.0, 2.47, 5.79),
    "hairline": (0.0, 8.26, 4.48),
    "outer eye corner": (4.45, 2.66, 3.17),
    "inner eye corner": (1.86, 2.59, 3.76),
    "temple": (6.28, 6.62, 1.43),
    "cheekbone": (5.26, 0.95, 2.97),
    "ala": (1.79, -0.98, 4.85),
    "jaw": (7.27, -2.89, -2.25),
    "mouth side": (3.83, -1.54, 4.14),
}
"""Points of MediaPipe's canonical face, cm."""


@pytest.fixture(scope="module")
def shape() -> HeadShape:
    return build_shape(draw_identity(0, 4.0))


@pytest.mark.slow
@pytest.mark.parametrize("name", CANONICAL)
def test_the_surface_runs_near_the_canonical_face(shape: HeadShape, name: str) -> None:
    way = np.array(CANONICAL[name]) - CENTRE_CM
    far = float(np.linalg.norm(way))
    column, row = map_pixels((way / far)[None, None].astype(np.float32), len(shape.radius_cm))
    assert abs(float(looked_up(shape.radius_cm, column, row)[0, 0]) - far) < 1.1


def test_directions_and_pixels_are_inverse_maps() -> None:
    size = 64
    directions = map_directions(size)
    column, row = map_pixels(directions, size)
    grid = np.arange(size, dtype=np.float32)
    ahead = directions[..., 2] > -0.6
    assert np.abs(column - grid[None, :])[ahead].max() < 1e-2
    assert np.abs(row - grid[:, None])[ahead].max() < 1e-2
    assert np.allclose(np.linalg.norm(directions, axis=2), 1.0, atol=1e-5)


def test_normals_are_unit_and_point_outwards(shape: HeadShape) -> None:
    size = len(shape.radius_cm)
    u, v = np.meshgrid(*[np.linspace(-1, 1, size)] * 2)
    mapped = np.hypot(u, v) < 1.0  # the corners lie behind the back of the head
    normals = shape.surface[..., :3][mapped]
    assert np.allclose(np.linalg.norm(normals, axis=1), 1.0, atol=1e-3)
    outward = shape.points_cm[mapped] - CENTRE_CM.astype(np.float32)
    assert (np.sum(normals * outward, axis=1) >= 0).all()


def test_folds_see_less_of_the_sky_than_the_forehead(shape: HeadShape) -> None:
    sky, points = shape.surface[..., 3], shape.points_cm
    forehead = (np.abs(points[..., 0]) < 2) & (np.abs(points[..., 1] - 6) < 0.5)
    socket = (np.abs(points[..., 0] - 2.0) < 0.3) & (np.abs(points[..., 1] - 2.8) < 0.3)
    front = points[..., 2] > 0
    assert sky[socket & front].mean() < sky[forehead & front].mean() - 0.1
    assert sky.max() <= 1.0


def test_no_hair_grows_on_the_face() -> None:
    face = np.array([[[0.0, 0.0, 6.0], [3.0, 2.6, 4.0], [0.0, -6.0, 5.0]]], np.float32)
    assert hair_mask(draw_identity(0, 4.0), face).max() == 0.0
    crown = np.array([[[0.0, 12.0, 0.0]]], np.float32)
    assert hair_mask(draw_identity(0, 4.0), crown).min() == 1.0


def test_people_differ_and_a_seed_is_always_the_same_person() -> None:
    assert draw_identity(1, 4.0) == draw_identity(1, 4.0)
    assert draw_identity(1, 4.0) != draw_identity(2, 4.0)


def test_skin_gets_darker_with_the_tone() -> None:
    reds = [draw_identity(0, tone).skin[0] for tone in np.arange(1.0, 10.1, 0.5)]
    assert (np.diff(reds) < 0).all()
