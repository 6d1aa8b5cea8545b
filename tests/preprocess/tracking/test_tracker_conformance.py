"""What every tracker does, whatever finds the faces."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from capture.frame import ImageU8
from preprocess.errors import TrackerError
from preprocess.face.face import Face
from preprocess.tracking.facemesh.facemesh import FaceMeshTracker
from preprocess.tracking.tracker import Tracker
from tests.preprocess import faces

MAKERS = [pytest.param(faces.FakeTracker, id="fake"), pytest.param(FaceMeshTracker, id="facemesh")]


@pytest.fixture(params=MAKERS)
def make(request: pytest.FixtureRequest) -> Callable[[], Tracker]:
    made: Callable[[], Tracker] = request.param
    return made


@pytest.fixture
def tracker(make: Callable[[], Tracker]) -> Iterator[Tracker]:
    with make() as opened:
        yield opened


def noise(seq: int) -> ImageU8:
    return np.random.default_rng(seq).integers(0, 255, (120, 160, 3)).astype(np.uint8)


def test_it_names_its_backend(tracker: Tracker) -> None:
    assert "/" in tracker.backend


def test_it_takes_any_frame_and_returns_a_face_or_none(tracker: Tracker) -> None:
    for seq in range(3):
        assert isinstance(tracker.track(faces.frame(noise(seq), seq)), Face | None)


def test_closing_twice_is_fine(tracker: Tracker) -> None:
    tracker.close()
    tracker.close()


def test_a_closed_tracker_refuses_instead_of_seeing_nobody(tracker: Tracker) -> None:
    tracker.close()
    with pytest.raises(TrackerError, match="closed"):
        tracker.track(faces.frame(noise(0)))


def test_time_begins_anew_with_a_reset(tracker: Tracker) -> None:
    tracker.track(faces.frame(noise(0), t_ns=5))
    tracker.reset()
    assert isinstance(tracker.track(faces.frame(noise(0), t_ns=4)), Face | None)


@pytest.mark.parametrize("second_ns", [pytest.param(5, id="same"), pytest.param(4, id="earlier")])
def test_time_that_does_not_increase_is_an_error(tracker: Tracker, second_ns: int) -> None:
    tracker.track(faces.frame(noise(0), t_ns=5))
    with pytest.raises(TrackerError, match="frame 1"):
        tracker.track(faces.frame(noise(1), 1, t_ns=second_ns))


def test_a_new_tracker_begins_its_own_time(make: Callable[[], Tracker]) -> None:
    for _ in range(2):
        with make() as tracker:
            tracker.track(faces.frame(noise(0), t_ns=7))


def test_the_same_frames_give_the_same_faces(make: Callable[[], Tracker]) -> None:
    runs = []
    for _ in range(2):
        with make() as tracker:
            found = [tracker.track(faces.frame(noise(seq), seq)) for seq in range(3)]
            runs.append([f and f.rectangle for f in found])
    assert runs[0] == runs[1]


def test_the_frame_is_left_as_it_was(tracker: Tracker) -> None:
    pixels = noise(1)
    pixels.flags.writeable = False
    before = pixels.copy()
    tracker.track(faces.frame(pixels))
    assert np.array_equal(pixels, before)


def test_small_and_odd_frames_are_taken(tracker: Tracker) -> None:
    for seq, shape in enumerate([(1, 1, 3), (33, 17, 3), (2, 301, 3)]):
        tracker.track(faces.frame(np.zeros(shape, np.uint8), seq))


def test_a_view_that_is_not_contiguous_is_taken(tracker: Tracker) -> None:
    tracker.track(faces.frame(noise(0)[::2, ::2]))
