"""The first pass over a session with light: faces kept, repeats and rates labelled rightly."""

from __future__ import annotations

from itertools import accumulate, repeat

import numpy as np
import pytest

from capture.frame import Frame
from capture.light.illumination import PRIMARIES, Flip
from capture.light.timeline import LabelKind, Timeline, Timing
from facelight.batch.first_pass import Observation, RecalledFaces, label_frames
from preprocess.errors import TrackerError
from tests.preprocess.faces import face as made_face

MS = 1_000_000
RED, GREEN = (Flip(at * MS, name, PRIMARIES[name]) for at, name in ((0, "Red"), (1000, "Green")))
TIMING = Timing(0, exposure_ns=10 * MS, readout_ns=10 * MS, scanout_ns=0, settle_ns=5 * MS)


def observed(times_ms: list[int], firsts_ms: list[int] | None = None) -> Observation:
    stamps = tuple(t * MS for t in times_ms)
    firsts = stamps if firsts_ms is None else tuple(t * MS for t in firsts_ms)
    return Observation(stamps, firsts, dict.fromkeys(stamps), ())


def test_a_repeated_picture_of_an_imported_file_is_labelled_by_its_first_time() -> None:
    times = list(range(100, 1200, 33))
    late = [t - 33 if index == 28 else t for index, t in enumerate(times)]
    seen = observed(times, late)
    timeline = Timeline([RED, GREEN], TIMING)
    at = times[28] * MS
    assert timeline.label(at).colour == "Green"
    assert label_frames(timeline, seen, imported=True)[at] == timeline.label(late[28] * MS)
    assert label_frames(timeline, seen, imported=False)[at] == timeline.label(at)


def test_where_frames_come_slower_they_may_have_been_exposed_as_long() -> None:
    times = list(accumulate([100, *repeat(33, 24), *repeat(66, 12)]))
    timeline = Timeline([RED, Flip((times[-4] + 30) * MS, "Green", PRIMARIES["Green"])], TIMING)
    found = label_frames(timeline, observed(times), imported=True)
    slow = times[-4] * MS
    assert timeline.label(slow).kind is LabelKind.CLEAN
    assert found[slow].kind is LabelKind.TRANSITION
    assert found[times[5] * MS].kind is LabelKind.CLEAN


@pytest.mark.parametrize("lost", [0.1, 0.2])
def test_frames_that_were_lost_make_no_exposure_longer(lost: float) -> None:
    kept = np.random.default_rng(3).random(60) >= lost
    times = [int(t) for t in (100 + 33 * np.arange(60))[kept]]
    timeline = Timeline([RED, GREEN], TIMING)
    found = label_frames(timeline, observed(times), imported=True)
    assert found == {t * MS: timeline.label(t * MS) for t in times}


def test_the_second_pass_finds_the_faces_of_the_first_and_no_others() -> None:
    face = made_face()
    tracker = RecalledFaces({5: face, 6: None}, "backend")
    pixels = np.zeros((4, 4, 3), np.uint8)
    assert tracker.track(Frame(0, 5, 5, pixels)) is face
    assert tracker.track(Frame(1, 6, 6, pixels)) is None
    with pytest.raises(TrackerError, match="frame 2"):
        tracker.track(Frame(2, 7, 7, pixels))
