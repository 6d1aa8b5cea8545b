"""The index tables fit one another and the mesh."""

from __future__ import annotations

import numpy as np

from preprocess.face import landmarks
from tests.preprocess import faces


def test_the_oval_is_mediapipes_in_order() -> None:
    from mediapipe.python.solutions.face_mesh_connections import FACEMESH_FACE_OVAL

    ring = landmarks.FACE_OVAL
    steps = {frozenset(pair) for pair in zip(ring, (*ring[1:], ring[0]), strict=True)}
    assert steps == {frozenset(pair) for pair in FACEMESH_FACE_OVAL}


def test_the_rigid_model_is_symmetric() -> None:
    model = {tuple(np.round(p, 3)) for p in landmarks.RIGID_MODEL_CM}
    assert model == {(-x, y, z) for x, y, z in model}


def test_the_eyes_are_left_and_right_in_the_image() -> None:
    left, right = landmarks.eye_centres(faces.landmarks())
    assert left[0] < right[0]


def test_the_eye_distance_is_between_the_middles_of_the_corners() -> None:
    assert abs(landmarks.inter_eye_px(faces.landmarks(ied_px=100)) - 100) < 0.5


def test_gaze_does_not_move_the_eyes_centres() -> None:
    points = faces.landmarks()
    before = landmarks.inter_eye_px(points)
    points[468:478] += 5
    assert landmarks.inter_eye_px(points) == before
