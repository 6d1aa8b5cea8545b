"""The normalised face is the same face at any size, place and angle."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from preprocess.face import Pose
from preprocess.landmarks import eye_centres
from preprocess.measures.patch import EYE_ROW, IED, SIDE, face_patch
from tests.preprocess import faces


@pytest.mark.parametrize("roll", [-30.0, 0.0, 25.0])
@pytest.mark.parametrize("ied", [40.0, 96.0, 200.0])
def test_the_eyes_come_to_their_place(roll: float, ied: float) -> None:
    points = faces.landmarks((640, 360), ied, Pose(0, 0, roll))
    patch = face_patch(faces.textured(), points)
    left, right = eye_centres(patch.points.astype(np.float32))
    assert left == pytest.approx((SIDE / 2 - IED / 2, EYE_ROW), abs=0.1)
    assert right == pytest.approx((SIDE / 2 + IED / 2, EYE_ROW), abs=0.1)
    assert patch.scale == pytest.approx(IED / ied, rel=0.01)


def test_the_size_of_the_picture_does_not_change_the_patch() -> None:
    picture = cv2.GaussianBlur(faces.textured(), (0, 0), 4)
    double = cv2.resize(picture, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
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
