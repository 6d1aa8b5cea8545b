"""One session through all stages, with a simulated person whose truth is known."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from capture.camera import Provenance
from capture.frame import Frame
from capture.light.illumination import Flip
from capture.light.plan import make_plan
from capture.light.timeline import LabelKind, Timeline, Timing
from capture.simulator.planned_session import simulate
from capture.simulator.sim_spec import parse_spec
from facelight.batch.one_input import Job, SessionOrigin, write_session
from facelight.batch.tables import FRAME_COLUMNS, frame_row
from facelight.config.settings import Settings, load_settings
from facelight.delivery.payload import metadata_of, submission_of
from facelight.pipeline import SessionPipeline, SessionResult, session_reasons
from facelight.report.session_page import with_outcome
from preprocess.reasons import Reason
from preprocess.tracking.facemesh.facemesh import FaceMeshTracker
from tests.facelight.records import outcome
from uploader.api.submission import Origin

pytestmark = pytest.mark.slow  # they share a session of some 250 rendered and tracked frames


@pytest.fixture(scope="module")
def settings() -> Settings:
    return load_settings(environment={}).settings


@pytest.fixture(scope="module")
def session(settings: Settings) -> Iterator[tuple[SessionResult, Timeline]]:
    made = simulate(make_plan(seed=5), parse_spec("sim:size=640x360,distance=45cm,seed=2,fps=15"))
    with (
        made.camera as camera,
        FaceMeshTracker() as tracker,
        SessionPipeline(settings, tracker, made.timeline, ("Red", "Green", "Blue")) as pipeline,
    ):
        while (frame := camera.read()) is not None:
            pipeline.feed(frame)
        yield pipeline.finish(made.timeline), made.timeline


def test_only_cleanly_lit_accepted_frames_are_sent_balanced_over_the_colours(
    session: tuple[SessionResult, Timeline],
) -> None:
    result, _ = session
    assert result.clip is not None, result.detail
    reports = {report.seq: report for report in result.reports}
    colours = [entry.colour for entry in result.clip.entries]
    for entry in result.clip.entries:
        report = reports[entry.seq]
        assert report.label.kind is LabelKind.CLEAN
        assert report.label.colour == entry.colour
        assert report.verdict.accepted
    counts = [colours.count(colour) for colour in ("Red", "Green", "Blue")]
    assert max(counts) - min(counts) <= 1


def test_rectangle_and_offset_give_the_face_in_the_full_frame(
    session: tuple[SessionResult, Timeline],
) -> None:
    result, _ = session
    assert result.clip is not None
    reports = {report.seq: report for report in result.reports}
    width, height = result.clip.size_wh
    for entry in result.clip.entries:
        face = reports[entry.seq].face
        assert face is not None
        assert entry.target is not None
        assert 0 <= entry.target.left <= entry.target.right <= width
        assert 0 <= entry.target.top <= entry.target.bottom <= height
        assert entry.target.left + entry.crop.x_px == face.rectangle.left
        assert entry.target.top + entry.crop.y_px == face.rectangle.top


def test_the_light_is_seen_in_order(session: tuple[SessionResult, Timeline]) -> None:
    response = session[0].response
    assert response is not None
    assert response.state.value == "ok"


def test_a_row_has_every_column_and_no_nan(session: tuple[SessionResult, Timeline]) -> None:
    for report in session[0].reports:
        row = frame_row(report, None)
        assert set(row) <= set(FRAME_COLUMNS)
        assert "nan" not in str(row.values()).lower()


def test_metadata_and_request_are_the_same_each_time(
    session: tuple[SessionResult, Timeline],
) -> None:
    clip = session[0].clip
    assert clip is not None
    assert metadata_of(clip).to_bytes() == metadata_of(clip).to_bytes()
    first, second = submission_of(clip, Origin()), submission_of(clip, Origin())
    assert (first.body, first.digest) == (second.body, second.digest)
    assert first.client_request_id != second.client_request_id


def test_the_page_shows_the_session_and_takes_the_outcome_later(
    session: tuple[SessionResult, Timeline], settings: Settings, tmp_path: Path
) -> None:
    result, timeline = session
    job = Job("<script>alert(1)</script>.mkv", "name", tmp_path)
    origin = SessionOrigin("id", Provenance.SIMULATED, None, timeline)
    found = write_session(job, settings, origin, result)
    page = (tmp_path / "name" / "report.html").read_text()
    assert "simulated data" in page
    assert "<script>alert" not in page
    assert "log-chroma" in page
    decided = found.with_fields(outcome=outcome(request_id="<i>"))
    later = with_outcome(page, decided)
    assert "realface" in later
    assert "<i>" not in later
    assert with_outcome(later, decided) == later


def test_frames_without_a_face_end_as_a_rejected_session(settings: Settings) -> None:
    with (
        FaceMeshTracker() as tracker,
        SessionPipeline(settings, tracker, None, None) as pipeline,
    ):
        for index in range(12):
            t_ns = index * 33_000_000
            pipeline.feed(Frame(index, t_ns, t_ns, np.zeros((240, 320, 3), np.uint8)))
        result = pipeline.finish()
    assert result.clip is None
    assert result.reasons[:2] == (Reason.NO_FACE, Reason.UNDER_EXPOSED)
    assert Reason.TOO_FEW_FRAMES in result.reasons


def test_a_session_without_any_frame_is_rejected(settings: Settings) -> None:
    timeline = Timeline([Flip(0, "Red", (255, 0, 0))], Timing(80_000_000))
    with (
        FaceMeshTracker() as tracker,
        SessionPipeline(settings, tracker, timeline, ("Red",)) as pipeline,
    ):
        result = pipeline.finish(timeline)
    assert not result.accepted
    assert result.reports == ()


def test_rare_frame_reasons_do_not_become_the_sessions(
    session: tuple[SessionResult, Timeline],
) -> None:
    assert session_reasons(session[0].reports, [Reason.TOO_FEW_FRAMES]) == (Reason.TOO_FEW_FRAMES,)
