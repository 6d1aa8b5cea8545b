from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capture.simulator.person.identity import draw_identity
from capture.simulator.person.pose import EYES_CM, HeadPose, Lens, project
from capture.simulator.person.raycast import grid_rays, look_up, silhouette
from capture.simulator.person.shape import CENTRE_CM, build_shape
from capture.simulator.person.views import HeadViews, cast_head
from capture.simulator.raster import planes
from tests.effort import examples

LENS = Lens((640, 360), 554.0)
ANGLE = st.floats(-40, 40)


@pytest.fixture(scope="module")
def views() -> HeadViews:
    return HeadViews(build_shape(draw_identity(0, 4.0)))


@given(ANGLE, ANGLE, ANGLE)
def test_angles_come_back_from_the_attitude(yaw: float, pitch: float, roll: float) -> None:
    turned = HeadPose(yaw, pitch, roll, (0, 0, -50)).attitude
    assert np.allclose(turned @ turned.T, np.eye(3), atol=1e-9)
    assert np.degrees(np.arcsin(-turned[2, 0])) == pytest.approx(yaw, abs=1e-6)
    assert np.degrees(np.arctan2(turned[2, 1], turned[2, 2])) == pytest.approx(pitch, abs=1e-6)
    assert np.degrees(np.arctan2(turned[1, 0], turned[0, 0])) == pytest.approx(roll, abs=1e-6)


@given(st.floats(-60, 60), st.floats(-30, 30), st.floats(20, 200))
def test_projection_keeps_directions(x: float, y: float, depth: float) -> None:
    column, row = project(LENS, np.array([x, y, -depth]))
    assert (column - 319.5) * depth == pytest.approx(554.0 * x, abs=1e-6)
    assert (row - 179.5) * depth == pytest.approx(-554.0 * y, abs=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("yaw", "pitch"), [(0, 0), (25, 0), (-25, 0), (0, 25), (0, -25), (20, -20)]
)
def test_hits_lie_on_the_surface_and_project_to_their_pixels(
    views: HeadViews, yaw: float, pitch: float
) -> None:
    pose = HeadPose(yaw, pitch, 5.0, (1.0, 0.5, -50.0))
    hits = cast_head(views, LENS, pose)
    assert hits is not None
    inside = hits.edge_cm < -0.5
    seen = project(LENS, pose.to_world(hits.points_cm.astype(float) + CENTRE_CM))
    height, width = hits.edge_cm.shape
    columns = hits.left + (np.arange(width) + 0.5) * hits.width / width - 0.5
    rows = hits.top + (np.arange(height) + 0.5) * hits.height / height - 0.5
    assert np.abs(seen[..., 0] - columns[None, :])[inside].max() < 0.5
    assert np.abs(seen[..., 1] - rows[:, None])[inside].max() < 0.5
    size = views.shape.radius_cm.shape[0]
    at = (
        np.clip(hits.row * size, 0, size - 1).astype(int),
        np.clip(hits.column * size, 0, size - 1).astype(int),
    )
    off = np.linalg.norm(views.shape.points_cm[at] - CENTRE_CM - hits.points_cm, axis=2)
    assert np.median(off[inside]) < 0.1
    assert np.percentile(off[inside], 98) < 0.6


POSE = st.builds(
    HeadPose,
    st.floats(-40, 40),
    st.floats(-30, 30),
    st.floats(-30, 30),
    st.tuples(st.floats(-12, 12), st.floats(-8, 8), st.floats(-110, -24)),
)


@pytest.mark.slow
@settings(max_examples=examples(12))
@given(POSE)
def test_the_outline_between_two_views_is_the_head_s_own(views: HeadViews, pose: HeadPose) -> None:
    hits = cast_head(views, LENS, pose)
    assert hits is not None
    height, width = hits.edge_cm.shape
    step = hits.width / width, hits.height / height
    pixels = np.array([[step[0], 0, hits.left + step[0] / 2 - 0.5],
                       [0, step[1], hits.top + step[1] / 2 - 0.5],
                       [0, 0, 1]])  # fmt: skip
    f, (w, h) = LENS.focal_px, LENS.size_wh
    ways = np.array([[1 / f, 0, (1 - w) / 2 / f], [0, -1 / f, (h - 1) / 2 / f], [0, 0, -1]])
    back = pose.rotation.T
    rays = grid_rays(back @ ways @ pixels, back @ -pose.centre_cm, (width, height))
    edge, _ = silhouette(views.shape.radius_cm, rays, rays.closest())
    near = np.abs(edge) < 0.5
    off = np.abs(edge - hits.edge_cm)[near]
    assert np.median(off) < 0.05
    assert np.percentile(off, 95) < 0.35


@pytest.mark.slow
@settings(max_examples=examples(12))
@given(POSE)
def test_hits_lie_on_the_surface_at_any_pose(views: HeadViews, pose: HeadPose) -> None:
    hits = cast_head(views, LENS, pose)
    assert hits is not None
    x, y, z = planes(hits.points_cm)
    height, *_ = look_up(views.shape.radius_cm, (x, y, z))
    off = np.abs(height[hits.edge_cm < -0.3])
    assert np.median(off) < 0.002
    assert np.percentile(off, 95) < 0.02


@pytest.mark.slow
def test_what_is_seen_depends_on_the_pose_alone(views: HeadViews) -> None:
    pose = HeadPose(7.0, -3.0, 4.0, (2.0, -1.0, -52.0))
    alone = cast_head(HeadViews(views.shape), LENS, pose)
    cast_head(views, LENS, HeadPose(9.0, -1.0, 0.0, (2.0, -1.0, -50.0)))
    after = cast_head(views, LENS, pose)
    assert alone is not None
    assert after is not None
    for name in ("column", "row", "edge_cm", "points_cm"):
        assert np.array_equal(getattr(alone, name), getattr(after, name))


def test_the_eyes_of_a_straight_head_are_where_the_pose_says() -> None:
    pose = HeadPose(0, 5.0, 0, (3.0, -2.0, -60.0))  # undoes the frame's own tilt
    assert np.allclose(pose.to_world(EYES_CM), (3.0, -2.0, -60.0))


def test_a_head_out_of_the_frame_or_behind_the_lens_is_not_cast(views: HeadViews) -> None:
    assert cast_head(views, LENS, HeadPose(0, 0, 0, (300.0, 0.0, -60.0))) is None
    assert cast_head(views, LENS, HeadPose(0, 0, 0, (0.0, 0.0, 40.0))) is None


def test_a_head_half_in_the_frame_is_cut_at_its_border(views: HeadViews) -> None:
    hits = cast_head(views, LENS, HeadPose(0, 0, 0, (-34.0, 0.0, -60.0)))
    assert hits is not None
    assert hits.left == 0
    assert hits.width < 200
