"""The page of a rejected session begins with why: failing measure, limit, frames, advice."""

from __future__ import annotations

import re
from dataclasses import fields, replace

import numpy as np
import pytest

from capture.light.timeline import Label, LabelKind
from facelight.config.settings import Settings
from facelight.pipeline import FrameReport, SessionResult, session_reasons
from facelight.report.failure import failure_of
from facelight.report.frame_pictures import SessionPictures
from facelight.report.measure_charts import measure_charts
from facelight.report.measure_texts import MEASURE_TEXTS
from facelight.report.reason_texts import REASON_TEXTS
from facelight.report.session_page import session_page
from facelight.result import CountsRecord, ResultRecord
from preprocess.face.face import Face, Pose, Rect
from preprocess.gate.gate import judge
from preprocess.gate.thresholds import Thresholds
from preprocess.measures.measures import FIELDS, NO_FACE, Measures
from preprocess.reasons import Reason

GOOD = Measures(
    face_side_px=300.0, ied_px=120.0, margin_left_ied=2.0, margin_right_ied=2.0, margin_above_t=2.0,
    margin_below_t=2.0, cut_share=0.0, second_face_ratio=0.0, yaw_deg=1.0, pitch_deg=1.0,
    roll_deg=0.0, blur_pct=1.5, blur_ratio=1.1, noise_codes=2.0, speed_ied_s=0.1,
    over_grey_share=0.0, over_any_share=0.0, over_two_share=0.0, highlight_codes=200.0,
    frame_bright_codes=240.0, contrast_codes=90.0, snr=20.0, side_light_stops=0.1, luminance=0.3,
    eyes_open_t=0.2, mouth_open_t=0.0, occluded_share=0.0,
)  # fmt: skip
UNLIT = Label(LabelKind.NONE, None, None)
LIMITS = Thresholds()


def frame(seq: int, measures: Measures) -> FrameReport:
    points = np.zeros((478, 3), np.float32)
    box = Rect(10, 10, 20, 20)
    face = Face(box, points, 30.0, Pose(0.0, 0.0, 0.0), 1, 0.0) if measures.has_face else None
    verdict = judge(measures, UNLIT, LIMITS)
    return FrameReport(seq, seq * 33_000_000, UNLIT, face, None, measures, verdict)


def session(*measures: Measures) -> SessionResult:
    reports = [frame(seq, each) for seq, each in enumerate(measures)]
    reasons = session_reasons(reports, [Reason.TOO_FEW_FRAMES])
    return SessionResult(tuple(reports), None, reasons, "2 accepted frames", None, (640, 480))


def page_of(found: SessionResult, pictures: SessionPictures | None = None) -> str:
    frames = len(found.reports)
    result = ResultRecord(
        name="n", input="n.mp4", session_id="0", status="rejected", provenance="imported",
        reasons=tuple(map(str, found.reasons)), detail=found.detail, digest=None, software="s",
        counts=CountsRecord(
            frames=frames, faces=frames, accepted=0, submitted=0, per_colour={}, bytes=0,
            quality=None,
        ), settings_hash="0" * 64, outcome=None,
    )  # fmt: skip
    return session_page(result, found, Settings(), None, pictures)


@pytest.mark.parametrize(
    ("bad", "reason", "measure", "worst"),
    [
        pytest.param([{"face_side_px": 90.0}, {"face_side_px": 60.0}, {"face_side_px": 100.0}],
                     Reason.FACE_TOO_SMALL, "face_side_px", 1, id="too small"),
        pytest.param([{"blur_pct": 9.0}, {"blur_pct": 8.0}, {"blur_pct": 12.0}],
                     Reason.BLURRED, "blur_pct", 2, id="blurred"),
        pytest.param([{"yaw_deg": -40.0}, {"yaw_deg": 30.0}, {"yaw_deg": 31.0}],
                     Reason.NOT_FRONTAL, "yaw_deg", 0, id="turned, by the magnitude"),
        pytest.param([{"pitch_deg": 30.0}, {"pitch_deg": 31.0}, {"yaw_deg": 80.0}],
                     Reason.NOT_FRONTAL, "pitch_deg", 1, id="most frames by pitch"),
        pytest.param(3 * [{"frame_bright_codes": 60.0, "contrast_codes": 20.0, "luminance": 0.01}],
                     Reason.UNDER_EXPOSED, "frame_bright_codes", 0, id="dark"),
    ],
)  # fmt: skip
def test_the_failing_measure_is_that_of_the_first_reason(
    bad: list[dict[str, float]], reason: Reason, measure: str, worst: int
) -> None:
    found = failure_of(session(*(replace(GOOD, **each) for each in bad), GOOD), LIMITS)
    assert found is not None
    assert found.rule is not None
    assert (found.reason, found.rule.measure) == (reason, measure)
    assert found.worst is not None
    assert found.best is not None
    assert (found.frames, found.worst.seq, found.best.seq) == (3, worst, 3)


def test_without_a_face_the_frames_without_and_with_one_are_shown() -> None:
    found = failure_of(session(NO_FACE, NO_FACE, NO_FACE, GOOD), LIMITS)
    assert found is not None
    assert found.rule is None
    assert found.worst is not None
    assert found.best is not None
    assert (found.reason, found.worst.seq, found.best.seq) == (Reason.NO_FACE, 1, 3)


def test_an_accepted_session_has_no_failure() -> None:
    assert failure_of(replace(session(GOOD), reasons=()), LIMITS) is None


def test_the_page_begins_with_why_and_the_failing_measure_with_its_limit() -> None:
    small = replace(GOOD, face_side_px=90.0)
    page = page_of(session(small, small, GOOD), SessionPictures(b"t", b"worst", b"best"))
    words = [REASON_TEXTS[Reason.FACE_TOO_SMALL].what, REASON_TEXTS[Reason.FACE_TOO_SMALL].cure,
             "face too small: 2 of 3 frames; 2 accepted frames", "size of the face",
             'class="limit"',
             "turned away below 128, good from 140", "worst frame: 90 px", "best frame: 300 px",
             "Light and labels"]  # fmt: skip
    places = [page.index(each) for each in words]
    assert places == sorted(places)
    assert page.count('class="thumbs large"') == 1
    assert page.count('aria-label="size of the face"') == 1


def test_without_pictures_the_page_still_says_why() -> None:
    page = page_of(session(NO_FACE, NO_FACE))
    assert REASON_TEXTS[Reason.NO_FACE].cure in page
    assert "<img" not in page


def test_a_limit_lies_around_the_zero_of_its_measure() -> None:
    reports = [frame(0, replace(GOOD, pitch_deg=8.0)), frame(1, replace(GOOD, pitch_deg=8.0))]
    shifted = replace(LIMITS, pitch_zero_deg=8.0)
    chart = next(c.chart for c in measure_charts(reports, shifted) if c.name == "pitch_deg")
    height = float(re.findall(r'd="M[\d.]+ ([\d.]+)', chart)[0])
    limits = [float(y) for y in re.findall(r'y1="([\d.]+)"', chart)]
    assert sum(limits) / len(limits) == pytest.approx(height, abs=0.1)


def test_every_measure_has_words_and_a_unit() -> None:
    assert set(MEASURE_TEXTS) == set(FIELDS)
    assert all(text.words and text.unit for text in MEASURE_TEXTS.values())
    assert {field.name for field in fields(Measures)} == set(MEASURE_TEXTS)
