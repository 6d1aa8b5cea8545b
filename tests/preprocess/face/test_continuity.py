"""One person through all colours, or not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from preprocess.face.continuity import Break, first_break
from preprocess.face.face import Face, Pose, Rect
from preprocess.reasons import Reason

MS = 1_000_000
FRAMES = 90
SPAN = (200 * MS, 2800 * MS)


def person(seed: int) -> Face:
    """A face with a shape of its own."""
    rng = np.random.default_rng(seed)
    points = np.random.default_rng(0).normal(0, 60, (478, 3)) + rng.normal(0, 6, (478, 3))
    points = (points + np.array([300, 300, 0])).astype(np.float32)
    return Face(Rect(200, 200, 200, 200), points, 90.0, Pose(0, 0, 0), 1, 0.0)


def moved(face: Face, x_px: float = 0.0, turn_deg: float = 0.0, scale: float = 1.0) -> Face:
    turn = np.radians(turn_deg)
    matrix = np.array(
        [[np.cos(turn), 0, np.sin(turn)], [0, 1, 0], [-np.sin(turn), 0, np.cos(turn)]]
    )
    centre = face.landmarks_px.mean(axis=0)
    points = (face.landmarks_px - centre) @ matrix.T * scale + centre + (x_px, 0, 0)
    return replace(
        face, landmarks_px=points.astype(np.float32), inter_eye_px=face.inter_eye_px * scale
    )


def session(*faces: Face | None) -> list[tuple[int, Face | None]]:
    return [(index * 33 * MS, face) for index, face in enumerate(faces)]


def found(*faces: Face | None) -> Break | None:
    return first_break(session(*faces), *SPAN)


def test_one_person_who_moves_turns_and_comes_closer_stays_one() -> None:
    one = person(1)
    walk = [moved(one, i * 3.0, i * 0.4, 1 + i * 0.004) for i in range(FRAMES)]
    assert found(*walk) is None


def test_a_few_frames_without_a_face_are_nobodys_absence() -> None:
    faces: list[Face | None] = [person(1)] * FRAMES
    faces[40:48] = [None] * 8
    assert found(*faces) is None


def test_a_person_who_goes_and_comes_back_is_lost() -> None:
    faces: list[Face | None] = [person(1)] * FRAMES
    faces[40:66] = [None] * 26
    told = found(*faces)
    assert told is not None
    assert (told.reason, "1320 ms" in told.detail) == (Reason.FACE_LOST, True)


def test_before_and_after_the_colours_people_come_and_go() -> None:
    faces: list[Face | None] = [*[None] * 6, *[person(1)] * 79, *[person(2)] * 5]
    assert found(*faces) is None


@pytest.mark.parametrize("gap", [0, 4], ids=["at once", "behind a hand"])
def test_an_exchanged_person_in_the_same_place_is_seen_by_shape(gap: int) -> None:
    told = found(*[person(1)] * 45, *[None] * gap, *[person(2)] * 45)
    assert told is not None
    assert told.reason is Reason.FACE_CHANGED


@pytest.mark.parametrize(
    "other", [moved(person(1), x_px=200), moved(person(1), scale=1.5)], ids=["place", "size"]
)
def test_a_face_that_springs_is_another(other: Face) -> None:
    told = found(*[person(1)] * 45, *[other] * 45)
    assert told is not None
    assert told.reason is Reason.FACE_CHANGED
