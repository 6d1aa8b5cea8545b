"""One recorded session from its file to a finished output directory."""

from __future__ import annotations

import hashlib
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from calibration.errors import CalibrationError
from capture.camera import Provenance
from capture.errors import CaptureError
from capture.files.source import SessionSource, content_sha256, open_source
from capture.light.timeline import Timeline
from facelight.batch.first_pass import LitSession, RecalledFaces, light_of, observe
from facelight.batch.job import SOFTWARE, Job, header, write_failed, write_json
from facelight.batch.outputs import csv_bytes, whole_directory
from facelight.batch.tables import FRAME_COLUMNS, frame_row, label_runs
from facelight.config.profiles import timeline_in_force
from facelight.config.settings import Settings, output_umask
from facelight.delivery.payload import metadata_of, submission_of
from facelight.pipeline import LightFinding, SessionPipeline, SessionResult
from facelight.report.frame_pictures import thumbnail_of
from facelight.report.page import THUMBNAIL
from facelight.report.session_page import session_page
from preprocess.errors import PreprocessError
from preprocess.light.decision import LightDecision
from preprocess.tracking.facemesh.facemesh import FaceMeshTracker
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


def process_job(
    job: Job, settings: Settings, tracker: FaceMeshTracker | None = None
) -> dict[str, Any]:
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
        with open_source(job.path) as source:
            ran = run_source(source, settings, tracker)
            digest = content_sha256(job.path)
        origin = SessionOrigin(
            session_id_of(job, digest),
            source.provenance,
            digest,
            ran.lit.timeline if ran.lit else None,
            source.session_id,
            source.notes,
        )
        thumbnail = thumbnail_of(job.path, ran.result.reports) if settings.thumbnails else None
        return write_session(job, settings, origin, ran.result, thumbnail)
    except (CalibrationError, CaptureError, PreprocessError, UploaderError) as error:
        return write_failed(job, settings, error)


def session_id_of(job: Job, content: str) -> str:
    """Return 32 hex digits that name an input: its path below the folder given, and its content."""
    return hashlib.sha256(f"{job.shown_input}\n{content}".encode()).hexdigest()[:32]


def run_source(
    source: SessionSource, settings: Settings, tracker: FaceMeshTracker | None = None
) -> Ran:
    """Take every frame of a source through the stages, with a tracker that knows no frame yet.

    A session with light is read twice, the second time from a source of its own.
    """
    # an infrared camera sees no colours of a screen
    timeline = None if settings.clip.infrared else timeline_in_force(source, settings)
    with ExitStack() as stack:
        if tracker is None:
            tracker = stack.enter_context(FaceMeshTracker(settings.tracker))
        tracker.reset()
        if timeline is None:
            pipeline = stack.enter_context(SessionPipeline(settings, tracker, None, None))
            return Ran(_fed(pipeline, source).finish(), None)
        seen = observe(source, tracker)
        lit = light_of(source, timeline, seen, settings)
        again = stack.enter_context(open_source(source.path))
        recalled = RecalledFaces(seen.faces, tracker.backend)
        pipeline = stack.enter_context(SessionPipeline(settings, recalled, lit, _colours(source)))
        light = LightFinding(lit.response, lit.decision, lit.broken)
        return Ran(_fed(pipeline, again).finish(light=light), lit)


def _fed(pipeline: SessionPipeline, source: SessionSource) -> SessionPipeline:
    while (frame := source.camera.read()) is not None:
        pipeline.feed(frame)
    return pipeline


def write_session(
    job: Job,
    settings: Settings,
    origin: SessionOrigin,
    result: SessionResult,
    thumbnail: bytes | None = None,
) -> dict[str, Any]:
    """Write all files of a session at once and return what ``result.json`` holds."""
    numbers = (
        {entry.seq: entry.frame_number for entry in result.clip.entries} if result.clip else {}
    )
    found = header(job, settings) | {
        "session_id": origin.session_id,
        "recorded_id": origin.recorded_id,
        "notes": list(origin.notes),
        "input_sha256": origin.input_sha256,
        "provenance": origin.provenance.value,
        "status": "accepted" if result.accepted else "rejected",
        "reasons": [str(reason) for reason in result.reasons],
        "detail": result.detail,
        "counts": _counts(result),
        "label_runs": label_runs(result.reports),
        "encoding": result.encoding.as_dict(),
        **_light_fields(result),
    }
    rows = [frame_row(report, numbers.get(report.seq)) for report in result.reports]
    with whole_directory(job.target, output_umask(settings)) as folder:
        if result.clip is not None:
            found["digest"] = submission_of(result.clip, Origin()).digest
            (folder / "metadata.json").write_bytes(metadata_of(result.clip).to_bytes())
            for file in result.clip.files:
                path = folder / ("images" if settings.clip.container != "webp" else "") / file.name
                path.parent.mkdir(exist_ok=True)
                path.write_bytes(file.content)
        (folder / "frames.csv").write_bytes(csv_bytes(FRAME_COLUMNS, rows))
        if thumbnail is not None:
            (folder / THUMBNAIL).write_bytes(thumbnail)
        write_json(folder / "result.json", found)
        page = session_page(found, result, settings, origin.timeline)
        (folder / "report.html").write_bytes(page.encode("utf-8", "backslashreplace"))
    return found


def _light_fields(result: SessionResult) -> dict[str, Any]:
    """Return what the light said, what it was labelled by, and which policy was in force."""
    response, decision = result.response, result.decision
    light = None if response is None else response.as_dict()
    if light is not None and decision is not None:
        light["policy"] = decision.policy
    origin = decision.origin.value if decision is not None else None
    return {"light": light, "delay_origin": origin, "label_timing": _timing_fields(decision)}


def _timing_fields(decision: LightDecision | None) -> dict[str, float] | None:
    """Return the timing that labelled the frames, in ms; None where none did."""
    timing = None if decision is None else decision.timing
    if timing is None:
        return None
    names = ("latency", "latency_uncertainty", "exposure", "readout", "scanout", "settle")
    found = {f"{name}_ms": round(getattr(timing, f"{name}_ns") / 1e6, 3) for name in names}
    return found | {
        "row_top": round(timing.row_top, 4),
        "row_bottom": round(timing.row_bottom, 4),
    }


def _colours(source: SessionSource) -> tuple[str, ...] | None:
    if source.timeline is None:
        return None
    return tuple(dict.fromkeys(f.colour for f in source.timeline.flips if f.colour is not None))


def _counts(result: SessionResult) -> dict[str, Any]:
    clip = result.clip
    submitted = [entry.colour or "" for entry in clip.entries] if clip else []
    return {
        "frames": len(result.reports),
        "faces": sum(report.face is not None for report in result.reports),
        "accepted": sum(report.verdict.accepted for report in result.reports),
        "submitted": len(submitted),
        "per_colour": {c: submitted.count(c) for c in sorted(set(submitted)) if c},
        "bytes": sum(len(file.content) for file in clip.files) if clip else 0,
        "quality": clip.quality if clip else None,
    }
