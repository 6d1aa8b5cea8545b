"""What the frame judge make of frames, and what they forget."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from capture.frame import Frame
from facelight.config.settings import Settings
from facelight.kiosk.frame_judge import FrameJudge
from preprocess.errors import TrackerError
from preprocess.face.face import Face
from preprocess.reasons import Reason
from tests.preprocess.faces import FakeTracker, face, frame, landmarks, textured

PIXELS = textured()


class Trackers:
    """Makes trackers that see ``face`` and remembers them."""

    def __init__(self, seen: Face | None = None) -> None:
        self.seen = seen
        self.made: list[FakeTracker] = []

    def __call__(self) -> FakeTracker:
        self.made.append(FakeTracker(lambda _: self.seen))
        return self.made[-1]

    @property
    def open(self) -> int:
        return sum(tracker._open for tracker in self.made)


def judge_of(trackers: Trackers) -> FrameJudge:
    return FrameJudge(Settings(), trackers, presence_ied_px=30.0)


def other_person(x_px: float) -> Face:
    """Return a face of another shape: what is 4 % of it sits elsewhere."""
    points = landmarks((x_px, 360.0))
    shift = np.random.default_rng(5).normal(0, 6.0, points.shape)
    return face((points + shift).astype(np.float32))


def shot(seq: int) -> Frame:
    return frame(PIXELS, seq)


def test_nobody_and_passers_by_far_away_are_no_faces() -> None:
    trackers = Trackers()
    judge = judge_of(trackers)
    assert judge.look(shot(0)).faces == 0
    trackers.seen = face(landmarks(ied_px=20.0))
    assert judge.look(shot(1)).faces == 0
    trackers.seen = face(landmarks(ied_px=100.0))
    assert judge.look(shot(2)).faces == 1


def test_a_face_that_cannot_have_moved_there_is_somebody_else() -> None:
    trackers = Trackers(face(landmarks((400.0, 360.0))))
    judge = judge_of(trackers)
    assert not judge.look(shot(0)).jumped
    trackers.seen = face(landmarks((450.0, 360.0)))
    assert not judge.look(shot(1)).jumped
    trackers.seen = other_person(800.0)
    assert judge.look(shot(2)).jumped
    assert not judge.look(shot(3)).jumped


def test_who_steps_aside_at_once_is_the_same_person_before_the_capture() -> None:
    """A slow machine judges few frames: a quick step lies between two of them."""
    trackers = Trackers(face(landmarks((200.0, 360.0))))
    judge = judge_of(trackers)
    judge.look(shot(0))
    trackers.seen = face(landmarks((700.0, 360.0)))
    assert not judge.look(shot(1)).jumped


def test_a_face_found_elsewhere_after_a_gap_is_no_jump() -> None:
    trackers = Trackers(face(landmarks((400.0, 360.0))))
    judge = judge_of(trackers)
    judge.look(shot(0))
    trackers.seen = face(landmarks((800.0, 360.0)))
    assert not judge.look(shot(30)).jumped


def test_a_jump_is_seen_while_capturing_too() -> None:
    trackers = Trackers(face(landmarks((400.0, 360.0))))
    judge = judge_of(trackers)
    judge.start_capture(None, None)
    judge.look(shot(0))
    trackers.seen = face(landmarks((800.0, 360.0)))
    assert judge.look(shot(1)).jumped
    judge.close()


def test_every_person_and_every_capture_is_seen_by_a_tracker_that_knows_nobody() -> None:
    trackers = Trackers(face())
    judge = judge_of(trackers)
    judge.look(shot(0))
    judge.open_person()
    judge.look(shot(1))
    judge.start_capture(None, None)
    judge.look(shot(2))
    judge.finish_capture()
    judge.look(shot(3))
    judge.close_person()
    judge.look(shot(4))
    assert (len(trackers.made), trackers.open, trackers.made[0].resets) == (1, 1, 3)
    judge.close()
    assert trackers.open == 0


def test_a_finished_capture_holds_its_frames_and_no_other() -> None:
    trackers = Trackers(face())
    judge = judge_of(trackers)
    judge.look(shot(0))
    judge.start_capture(None, None)
    for seq in (1, 2, 3):
        judge.look(shot(seq))
    result = judge.finish_capture()
    assert result is not None
    assert [report.seq for report in result.reports] == [1, 2, 3]
    assert Reason.TOO_FEW_FRAMES in result.reasons
    assert judge.finish_capture() is None


def test_a_dropped_capture_cannot_be_finished() -> None:
    judge = judge_of(Trackers(face()))
    judge.start_capture(None, None)
    judge.look(shot(0))
    judge.drop_capture()
    assert judge.finish_capture() is None
    judge.close()


def test_after_a_broken_tracker_the_eyes_see_again() -> None:
    trackers = Trackers(face())
    judge = judge_of(trackers)
    judge.start_capture(None, None)
    judge.look(shot(0))
    trackers.made[-1].close()
    with pytest.raises(TrackerError):
        judge.look(shot(1))
    judge.restart()
    assert judge.look(shot(2)).faces == 1
    assert judge.finish_capture() is None


@pytest.mark.parametrize("capturing", [False, True])
def test_several_faces_are_told(capturing: bool) -> None:
    judge = judge_of(Trackers(replace(face(), count=2, second_face_ratio=0.8)))
    if capturing:
        judge.start_capture(None, None)
    seen = judge.look(shot(0))
    assert seen.faces == 2
    assert Reason.SEVERAL_FACES in seen.reasons
    judge.close()
