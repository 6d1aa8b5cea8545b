"""One recorded session from its file to a finished output directory."""

from __future__ import annotations

import hashlib
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from calibration.errors import CalibrationError
from capture.camera import Provenance
from capture.errors import CaptureError
from capture.files.read_ahead import ReadAhead
from capture.files.source import SessionSource, content_sha256, open_source
from capture.light.timeline import Timeline
from facelight.batch.first_pass import LitSession, RecalledFaces, light_of, observe
from facelight.batch.job import SOFTWARE, Job, write_failed
from facelight.batch.outputs import csv_bytes, whole_directory
from facelight.batch.tables import FRAME_COLUMNS, frame_row, label_runs
from facelight.config.profiles import timeline_in_force
from facelight.config.settings import Settings, output_umask, settings_hash
from facelight.delivery.payload import metadata_of, submission_of
from facelight.pipeline import LightFinding, SessionPipeline, SessionResult
from facelight.report.failure import failure_of
from facelight.report.frame_pictures import SessionPictures, pictures_of
from facelight.report.page import THUMBNAIL
from facelight.report.session_page import session_page
from facelight.result import (
    RESULT_FILE,
    CountsRecord,
    EncodingRecord,
    LabelTimingRecord,
    LightRecord,
    ResultRecord,
    json_bytes,
)
from preprocess.errors import PreprocessError
from preprocess.light.decision import LightDecision
from preprocess.tracking.opening import open_tracker
from preprocess.tracking.tracker import Tracker
from uploader.api.submission import Origin
from uploader.errors import UploaderError

__all__ = ["SOFTWARE", "Job", "SessionOrigin", "process_job", "run_source", "write_session"]


@dataclass(frozen=True, slots=True)
class SessionOrigin:
    """Where a session comes from; ``input_sha256`` None when there is no file behind it.

    ``recorded_id`` is the session's own id where the kiosk that recorded it gave it one; ``notes``
    say what was done to its pictures or left out of it.
    """

    session_id: str
    provenance: Provenance
    input_sha256: str | None
    timeline: Timeline | None
    recorded_id: str | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Ran:
    """A source that has been through all stages, and the light that labelled it."""

    result: SessionResult
    lit: LitSession | None


def process_job(job: Job, settings: Settings, tracker: Tracker | None = None) -> ResultRecord:
    """Process one input and write its directory; return what ``result.json`` holds.

    Damaged input is a result of status ``error``, not an exception.

    Parameters
    ----------
    tracker : models that are loaded already; it is reset and stays open.

    Raises
    ------
    OutputError
        the directory cannot be written.
    """
    try:
        with opened(job.path, job.cores) as source:
            ran = run_source(source, settings, tracker, job.cores)
            digest = content_sha256(job.path)
        origin = SessionOrigin(
            session_id_of(job, digest),
            source.provenance,
            digest,
            ran.lit.timeline if ran.lit else None,
            source.session_id,
            source.notes,
        )
        failure = failure_of(ran.result, settings.thresholds)
        pictures = pictures_of(job.path, ran.result, failure) if settings.thumbnails else None
        return write_session(job, settings, origin, ran.result, pictures)
    except (CalibrationError, CaptureError, PreprocessError, UploaderError) as error:
        return write_failed(job, settings, error)


def session_id_of(job: Job, content: str) -> str:
    """Return 32 hex digits that name an input: its path below the folder given, and its content."""
    return hashlib.sha256(f"{job.shown_input}\n{content}".encode()).hexdigest()[:32]


def opened(path: Path, cores: int) -> SessionSource:
    """Open a source; where a second core is free, its frames are decoded ahead there.

    Raises
    ------
    SourceError, SidecarError
        as of `open_source`.
    """
    source = open_source(path)
    return replace(source, camera=ReadAhead(source.camera)) if cores > 1 else source


def run_source(
    source: SessionSource,
    settings: Settings,
    tracker: Tracker | None = None,
    cores: int = 1,
) -> Ran:
    """Take every frame of a source through the stages, with a tracker that knows no frame yet.

    A session with light is read twice, the second time from a source of its own.
    """
    # an infrared camera sees no colours of a screen
    timeline = None if settings.clip.infrared else timeline_in_force(source, settings)
    with ExitStack() as stack:
        if tracker is None:
            tracker = stack.enter_context(open_tracker(settings.tracker))
        tracker.reset()
        if timeline is None:
            pipeline = stack.enter_context(SessionPipeline(settings, tracker, None, None))
            return Ran(_fed(pipeline, source).finish(), None)
        seen = observe(source, tracker)
        lit = light_of(source, timeline, seen, settings)
        again = stack.enter_context(opened(source.path, cores))
        recalled = RecalledFaces(seen.faces, tracker.backend)
        light = LightFinding(lit.response, lit.decision, lit.broken)
        pipeline = stack.enter_context(
            SessionPipeline(settings, recalled, lit, _colours(source), light)
        )
        return Ran(_fed(pipeline, again).finish(), lit)


def _fed(pipeline: SessionPipeline, source: SessionSource) -> SessionPipeline:
    while (frame := source.camera.read()) is not None:
        pipeline.feed(frame)
    return pipeline


def write_session(
    job: Job,
    settings: Settings,
    origin: SessionOrigin,
    result: SessionResult,
    pictures: SessionPictures | None = None,
) -> ResultRecord:
    """Write all files of a session at once and return what ``result.json`` holds."""
    clip = result.clip
    numbers = {entry.seq: entry.frame_number for entry in clip.entries} if clip else {}
    record = _record(job, settings, origin, result)
    rows = [frame_row(report, numbers.get(report.seq)) for report in result.reports]
    with whole_directory(job.target, output_umask(settings)) as folder:
        if clip is not None:
            (folder / "metadata.json").write_bytes(metadata_of(clip).to_bytes())
            for file in clip.files:
                path = folder / ("images" if settings.clip.container != "webp" else "") / file.name
                path.parent.mkdir(exist_ok=True)
                path.write_bytes(file.content)
        (folder / "frames.csv").write_bytes(csv_bytes(FRAME_COLUMNS, rows))
        if pictures is not None and pictures.thumbnail is not None:
            (folder / THUMBNAIL).write_bytes(pictures.thumbnail)
        (folder / RESULT_FILE).write_bytes(json_bytes(record))
        page = session_page(record, result, settings, origin.timeline, pictures)
        (folder / "report.html").write_bytes(page.encode("utf-8", "backslashreplace"))
    return record


def _record(
    job: Job, settings: Settings, origin: SessionOrigin, result: SessionResult
) -> ResultRecord:
    decision = result.decision
    return ResultRecord(
        name=job.name,
        input=job.shown_input,
        session_id=origin.session_id,
        status="accepted" if result.accepted else "rejected",
        reasons=tuple(map(str, result.reasons)),
        digest=submission_of(result.clip, Origin()).digest if result.clip else None,
        counts=_counts(result),
        settings_hash=settings_hash(settings),
        software=SOFTWARE,
        outcome=None,
        recorded_id=origin.recorded_id,
        notes=origin.notes,
        input_sha256=origin.input_sha256,
        provenance=origin.provenance.value,
        detail=result.detail,
        label_runs=label_runs(result.reports),
        encoding=EncodingRecord.model_validate(result.encoding.as_dict()),
        light=_light(result),
        delay_origin=None if decision is None else decision.origin.value,
        label_timing=_label_timing(decision),
    )


def _light(result: SessionResult) -> LightRecord | None:
    """Return what the light said, and which policy was in force."""
    if result.response is None:
        return None
    policy = {} if result.decision is None else {"policy": result.decision.policy}
    return LightRecord.model_validate(result.response.as_dict() | policy)


def _label_timing(decision: LightDecision | None) -> LabelTimingRecord | None:
    """Return the timing that labelled the frames; None where none did."""
    timing = None if decision is None else decision.timing
    if timing is None:
        return None
    return LabelTimingRecord(
        latency_ms=_ms(timing.latency_ns),
        latency_uncertainty_ms=_ms(timing.latency_uncertainty_ns),
        exposure_ms=_ms(timing.exposure_ns),
        readout_ms=_ms(timing.readout_ns),
        scanout_ms=_ms(timing.scanout_ns),
        settle_ms=_ms(timing.settle_ns),
        row_top=round(timing.row_top, 4),
        row_bottom=round(timing.row_bottom, 4),
    )


def _ms(value_ns: int) -> float:
    return round(value_ns / 1e6, 3)


def _colours(source: SessionSource) -> tuple[str, ...] | None:
    if source.timeline is None:
        return None
    return tuple(dict.fromkeys(f.colour for f in source.timeline.flips if f.colour is not None))


def _counts(result: SessionResult) -> CountsRecord:
    clip = result.clip
    submitted = [entry.colour or "" for entry in clip.entries] if clip else []
    return CountsRecord(
        frames=len(result.reports),
        faces=sum(report.face is not None for report in result.reports),
        accepted=sum(report.verdict.accepted for report in result.reports),
        submitted=len(submitted),
        per_colour={c: submitted.count(c) for c in sorted(set(submitted)) if c},
        bytes=sum(len(file.content) for file in clip.files) if clip else 0,
        quality=clip.quality if clip else None,
    )
