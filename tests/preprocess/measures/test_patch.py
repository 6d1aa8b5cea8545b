"""The normalised face is the same face at any size, place and angle."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest

from preprocess.face.face import Pose
from preprocess.face.landmarks import eye_centres
from preprocess.measures.patch import EYES_ABOVE_CENTRE, IED, SIDE, face_patch
from tests.preprocess import faces


@pytest.mark.slow
@pytest.mark.parametrize("roll", [-30.0, 0.0, 25.0])
@pytest.mark.parametrize("ied", [40.0, 96.0, 200.0])
def test_the_eyes_come_to_their_place(roll: float, ied: float) -> None:
    points = faces.landmarks((640, 360), ied, Pose(0, 0, roll))
    patch = face_patch(faces.textured(), points)
    left, right = eye_centres(patch.points)
    assert math.dist(left, right) == pytest.approx(IED, rel=0.01)
    centre = (left + right) / 2 + EYES_ABOVE_CENTRE / IED * np.array([-1, 1]) * (right - left)[::-1]
    assert centre == pytest.approx(
        (SIDE / 2 - 0.5, SIDE / 2 - 0.5), abs=0.51 * max(IED / ied, 0.25)
    )
    assert patch.scale == pytest.approx(IED / ied, rel=0.01)


@pytest.mark.parametrize("ied", [40.0, 96.0, 130.0, 250.0, 420.0])
def test_points_lie_on_what_they_mark(ied: float) -> None:
    points = faces.landmarks((640, 360), ied, Pose(0, 0, 12))
    spot = points[4, :2]  # the tip of the nose
    rows, columns = np.mgrid[:720, :1280]
    picture = 200 * np.exp(
        -((columns - spot[0]) ** 2 + (rows - spot[1]) ** 2) / (2 * (ied / 20) ** 2)
    )
    patch = face_patch(np.repeat(picture[..., None], 3, axis=2).astype(np.uint8), points)
    weight = patch.grey()
    y, x = (float((weight * at).sum() / weight.sum()) for at in np.indices(weight.shape))
    assert (x, y) == pytest.approx(tuple(patch.points[4]), abs=0.15)


def test_the_size_of_the_picture_does_not_change_the_patch() -> None:
    picture = cv2.GaussianBlur(faces.textured(), (0, 0), 4).astype(np.uint8)
    double = cv2.resize(picture, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC).astype(np.uint8)
    points = faces.landmarks((640, 360), 100)
    larger = points.copy()
    larger[:, :2] = (points[:, :2] + 0.5) * 2 - 0.5
    one, two = face_patch(picture, points), face_patch(double, larger)
    assert np.abs(one.grey() - two.grey())[one.skin].mean() < 1.5


def test_what_lies_outside_the_frame_is_no_skin() -> None:
    inside = face_patch(faces.textured(), faces.landmarks((640, 360)))
    cut = face_patch(faces.textured(), faces.landmarks((20, 360)))
    assert 0.4 < cut.skin.sum() / inside.skin.sum() < 0.75


def test_a_face_outside_the_frame_has_no_skin_at_all() -> None:
    assert not face_patch(faces.textured(), faces.landmarks((-500, 360))).skin.any()


def test_the_core_lies_inside_the_skin() -> None:
    patch = face_patch(faces.textured(), faces.landmarks())
    assert (patch.core <= patch.skin).all()
    assert patch.core.sum() < patch.skin.sum()


def test_the_brightest_channel_is_the_largest() -> None:
    patch = face_patch(faces.textured(), faces.landmarks())
    assert np.array_equal(patch.brightest_codes, patch.bgr.max(axis=2))
