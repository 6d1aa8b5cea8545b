"""The picture of a session in the page of its batch."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from capture.light.timeline import Label, LabelKind
from facelight.pipeline import FrameReport, SessionResult
from facelight.report.failure import Failure
from facelight.report.frame_pictures import (
    SHOWN_PX,
    SIDE_PX,
    SessionPictures,
    best_frame,
    pictures_of,
)
from preprocess.face.face import Face, Pose, Rect
from preprocess.gate.gate import Verdict
from preprocess.measures.measures import Measures
from preprocess.reasons import Reason
from tests.capture.files.made_videos import make_video


def report(seq: int, *, blur: float = 1.0, face: bool = True, accepted: bool = True) -> FrameReport:
    found = None
    if face:
        points = np.zeros((478, 3), np.float32)
        found = Face(Rect(10, 10, 20, 20), points, 30.0, Pose(0.0, 0.0, 0.0), 1, 0.0)
    verdict = Verdict(accepted, ())
    label = Label(LabelKind.NONE, None, None)
    return FrameReport(seq, seq, label, found, None, Measures(blur_pct=blur), verdict)


@pytest.mark.parametrize(
    ("reports", "best"),
    [
        pytest.param([report(0, blur=3), report(1, blur=2), report(2, blur=9)], 1, id="sharpest"),
        pytest.param([report(0, blur=1, accepted=False), report(1, blur=5)], 1, id="accepted"),
        pytest.param([report(0, face=False), report(1, accepted=False)], 1, id="with a face"),
        pytest.param([report(k, face=False) for k in range(5)], 2, id="no face at all"),
    ],
)
def test_the_best_frame_is_the_one_that_shows_the_face(
    reports: list[FrameReport], best: int
) -> None:
    found = best_frame(reports)
    assert found is not None
    assert found.seq == best


def rejected(*reports: FrameReport) -> SessionResult:
    return SessionResult(reports, None, (Reason.BLURRED,), "", None, (640, 480))


def test_a_thumbnail_is_a_small_jpeg_of_that_frame(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mkv", size_wh=(640, 480))
    pictures = pictures_of(path, rejected(report(3, face=False)), None)
    assert pictures.thumbnail is not None
    assert max(size_of(pictures.thumbnail)) == SIDE_PX
    assert pictures_of(path, rejected(), None) == SessionPictures()


def test_a_rejected_session_shows_its_worst_and_best_frame_whole(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mkv", size_wh=(640, 480))
    worst, best = report(2, blur=9.0, accepted=False), report(4, blur=2.0)
    failure = Failure(Reason.BLURRED, None, 1, worst, best)
    pictures = pictures_of(path, rejected(worst, best), failure)
    for jpeg in (pictures.worst, pictures.best):
        assert jpeg is not None
        assert size_of(jpeg) == (SHOWN_PX, SHOWN_PX * 480 // 640)


def size_of(jpeg: bytes) -> tuple[int, int]:
    pixels = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    return pixels.shape[1], pixels.shape[0]
