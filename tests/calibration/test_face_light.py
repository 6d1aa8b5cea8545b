"""Frames reduced to the light on a face."""

from __future__ import annotations

import numpy as np
import pytest

from calibration.face_light import FaceLight, frames_of
from capture.frame import Frame
from capture.light.illumination import Flip
from capture.light.timeline import Timeline, Timing
from preprocess.face.face import Face
from tests.facelight.kiosk.cameras import QueueCamera
from tests.preprocess.light.test_samples import FACE, picture

MS = 1_000_000


class SameFace:
    """A tracker that always sees one face, but for the frames of ``blind``."""

    backend = "same"

    def __init__(self, blind: frozenset[int] = frozenset()) -> None:
        self.blind = blind

    def track(self, frame: Frame) -> Face | None:
        return None if frame.seq in self.blind else FACE

    def reset(self) -> None: ...

    def close(self) -> None: ...

    def __enter__(self) -> SameFace:
        return self

    def __exit__(self, *_: object) -> None: ...


def frame(seq: int, t_ms: float, skin: int = 150) -> Frame:
    return Frame(seq, round(t_ms * MS), 0, picture(FACE, skin))


TIMELINE = Timeline(
    [Flip(0, None, (128, 128, 128)), Flip(1000 * MS, "Red", (255, 0, 0))],
    Timing(0, exposure_ns=10 * MS, readout_ns=0),
    2000 * MS,
)


def test_frames_under_one_light_are_kept_with_it() -> None:
    gathered = FaceLight(SameFace(frozenset({4})))
    for seq, t_ms in enumerate((500, 600, 1005, 1300, 1400, 1433, 2500)):
        gathered.add(frame(seq, t_ms))
    lit = gathered.lit(TIMELINE)
    assert [(f.colour, f.sample.t_frame_ns // MS) for f in lit] == [
        (None, 500),
        (None, 600),
        ("Red", 1300),
        ("Red", 1433),
    ]
    assert [f.gap_ms for f in lit] == [None, 100.0, None, 33.0]
    assert (gathered.frames, len(gathered.samples)) == (7, 6)


def test_the_brightest_pixels_are_told() -> None:
    gathered = FaceLight(SameFace())
    gathered.add(frame(0, 500, skin=200))
    assert gathered.lit(TIMELINE)[0].peak_code == pytest.approx(200)
    assert 0.3 < gathered.row < 0.7


def test_without_a_face_there_is_nothing_and_the_middle_row() -> None:
    gathered = FaceLight(SameFace(frozenset({0})))
    gathered.add(Frame(0, 0, 0, np.zeros((720, 1280, 3), np.uint8)))
    assert gathered.samples == []
    assert gathered.row == 0.5
    assert gathered.lit(TIMELINE) == []


def test_a_source_is_read_to_its_end() -> None:
    camera = QueueCamera()
    for given in (frame(0, 500.0), frame(1, 500.0), frame(2, 500.0), None):
        camera.given.put(given)
    assert [f.seq for f in frames_of(camera)] == [0, 1, 2]
