"""Pose from projected heads whose angles are known, and from re-rendered portraits."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from preprocess.face.face import Pose
from preprocess.face.pose import (
    Intrinsics,
    angles_of,
    pose_from_landmarks,
    ray_rotation,
    rotation_of,
)
from tests.effort import examples
from tests.preprocess import faces

WH = (1280, 720)
angle = st.floats(-35, 35)


def close(pose: Pose, yaw: float, pitch: float, roll: float, tolerance: float = 0.3) -> None:
    read = (pose.yaw_deg, pose.pitch_deg, pose.roll_deg)
    assert read == pytest.approx((yaw, pitch, roll), abs=tolerance)


@given(yaw=angle, pitch=angle, roll=angle)
def test_angles_and_rotations_are_two_ways_to_say_the_same(
    yaw: float, pitch: float, roll: float
) -> None:
    close(angles_of(rotation_of(Pose(yaw, pitch, roll))), yaw, pitch, roll, 1e-6)


@settings(max_examples=examples(20))
@given(yaw=angle, pitch=angle, roll=angle)
def test_a_projected_head_gives_its_angles(yaw: float, pitch: float, roll: float) -> None:
    points = faces.projected(Pose(yaw, pitch, roll), (0, 0, -60))
    close(pose_from_landmarks(points, WH), yaw, pitch, roll)


@settings(max_examples=examples(20))
@given(x=st.floats(-25, 25), y=st.floats(-15, 15))
def test_a_head_that_looks_into_the_lens_is_frontal_anywhere_in_the_frame(
    x: float, y: float
) -> None:
    place = np.array([x, y, -60.0])
    toward = angles_of(ray_rotation(place))
    close(pose_from_landmarks(faces.projected(toward, tuple(place)), WH), 0, 0, 0)


@settings(max_examples=examples(15))
@given(yaw=angle, pitch=angle, roll=angle)
def test_the_mirror_turns_yaw_and_roll_around(yaw: float, pitch: float, roll: float) -> None:
    mirror = faces.projected(Pose(-yaw, pitch, -roll), (0, 0, -60))
    seen = pose_from_landmarks(faces.projected(Pose(yaw, pitch, roll), (0, 0, -60)), WH)
    close(pose_from_landmarks(mirror, WH), -seen.yaw_deg, seen.pitch_deg, -seen.roll_deg)


@pytest.mark.parametrize(
    ("pose", "moved"),
    [
        pytest.param(Pose(20, 0, 0), (1, 0), id="positive yaw turns the nose to the right"),
        pytest.param(Pose(0, 20, 0), (0, 1), id="positive pitch lowers it"),
    ],
)
def test_signs_are_as_documented(pose: Pose, moved: tuple[int, int]) -> None:
    nose, straight = faces.landmarks(pose=pose)[4], faces.landmarks()[4]
    axis = moved.index(1)
    assert nose[axis] > straight[axis]


@pytest.mark.parametrize("fov_deg", [40, 80])
def test_a_wrong_guess_of_the_field_of_view_matters_little(fov_deg: float) -> None:
    focal = 360 / math.tan(math.radians(fov_deg / 2))
    camera = Intrinsics(focal, focal, 640, 360)
    read = pose_from_landmarks(faces.projected(Pose(15, 10, 5), (0, 0, -60)), WH, camera)
    close(read, 15, 10, 5, 3.0)


def test_depth_agrees_with_perspective_on_a_distant_head() -> None:
    close(pose_from_landmarks(faces.landmarks(pose=Pose(12, -8, 4)), WH), 12, -8, 4, 4.0)


@pytest.mark.parametrize("value", [np.nan, 3.0], ids=["not a number", "one point"])
def test_landmarks_without_a_shape_have_no_pose(value: float) -> None:
    pose = pose_from_landmarks(np.full((478, 3), value, np.float32), WH)
    assert math.isnan(pose.yaw_deg)


@pytest.mark.slow
def test_portraits_turned_by_known_angles_are_read_well(footage: Path) -> None:
    from bench.quality.pose import Viewer, turned
    from bench.quality.render import Head, render

    errors = []
    with Viewer() as viewer:
        for name in ("obama-1080p", "p24", "p6"):
            photo = faces.photograph(footage / "portraits" / f"{name}.jpg")
            head = Head.of(photo, viewer.face(photo).landmarks_px)
            start = viewer.pose(render(head, Pose(0, 0, 0)))
            for turn in (Pose(20, 0, 0), Pose(-20, 0, 0), Pose(0, 15, 0), Pose(0, 0, 20)):
                read, truth = viewer.pose(render(head, turn)), turned(start, turn)
                errors.append(
                    np.subtract(
                        (read.yaw_deg, read.pitch_deg, read.roll_deg),
                        (truth.yaw_deg, truth.pitch_deg, truth.roll_deg),
                    )
                )
    assert (np.abs(errors).mean(axis=0) <= (3.0, 3.0, 1.0)).all()
