"""Size, margins and cut: geometry with known answers."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from preprocess.face.face import Pose
from preprocess.measures.size_margins import (
    corrected_ied_px,
    cut_share,
    face_side_px,
    frame_margins,
    size_scale,
)
from tests.preprocess import faces


@pytest.mark.parametrize(
    ("size_wh", "scale"),
    [
        pytest.param((640, 480), 1.0, id="small frames do not help"),
        pytest.param((1920, 1080), 1.0, id="the reference"),
        pytest.param((1080, 1920), 1.0, id="the reference upright"),
        pytest.param((3840, 2160), 2.0, id="4K doubles the face"),
        pytest.param((2160, 3840), 2.0, id="4K upright"),
        pytest.param((1920, 1440), 1440 / 1080, id="the larger ratio wins"),
    ],
)
def test_the_smallest_face_grows_with_the_frame(size_wh: tuple[int, int], scale: float) -> None:
    assert size_scale(size_wh) == pytest.approx(scale)


def test_the_face_is_measured_from_brow_to_chin_without_margins() -> None:
    assert face_side_px(faces.frontal(), (1280, 720)) == pytest.approx(12 / 6.3 * 100, rel=0.01)
    assert face_side_px(faces.frontal(), (3840, 2160)) == pytest.approx(6 / 6.3 * 100, rel=0.01)


@given(factor=st.floats(0.3, 3.0))
def test_the_eye_distance_follows_the_scale(factor: float) -> None:
    one = corrected_ied_px(faces.face(faces.landmarks(ied_px=60)))
    other = corrected_ied_px(faces.face(faces.landmarks(ied_px=60 * factor)))
    assert other / one == pytest.approx(factor, rel=0.02)


def test_a_turned_head_keeps_its_eye_distance() -> None:
    points = faces.landmarks(pose=Pose(20, 0, 0))
    seen = replace(faces.face(points), pose=Pose(20.0, 0.0, 0.0))
    assert corrected_ied_px(seen) == pytest.approx(100, rel=0.05)


def test_a_profile_does_not_blow_up() -> None:
    assert corrected_ied_px(faces.frontal(pose=Pose(89.0, 0.0, 0.0))) == pytest.approx(
        200, rel=0.02
    )


def test_a_pose_that_is_not_known_corrects_nothing() -> None:
    lost = faces.frontal(pose=Pose(float("nan"), 0.0, 0.0))
    assert corrected_ied_px(lost) == lost.inter_eye_px


def test_margins_run_to_the_frames_edges() -> None:
    seen = faces.face(faces.landmarks((640, 360)))
    left, right, above, below = frame_margins(seen, (1280, 720))
    assert left == pytest.approx(right, abs=0.05)
    assert left == pytest.approx((640 - 50) / 100, abs=0.05)
    assert above + below == pytest.approx(720 / (10.6 / 6.3 * 100), rel=0.02)


@pytest.mark.parametrize(
    ("x", "share"),
    [(640, 0.0), (119.1, 0.0), (0, 0.5), (-200, 1.0)],
    ids=["inside", "touching", "half", "gone"],
)
def test_what_the_edge_cuts_is_measured(x: float, share: float) -> None:
    assert cut_share(faces.landmarks((x, 360)), (1280, 720)) == pytest.approx(share, abs=0.01)


@given(x=st.floats(-400, 1700), y=st.floats(-400, 1100))
def test_a_cut_is_a_share(x: float, y: float) -> None:
    assert 0 <= cut_share(faces.landmarks((x, y)), (1280, 720)) <= 1
