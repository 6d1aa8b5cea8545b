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
from facelight.batch.job import SOFTWARE, Job, header, write_failed, write_json
from facelight.batch.outputs import csv_bytes, whole_directory
from facelight.batch.tables import FRAME_COLUMNS, frame_row
from facelight.config.profiles import timeline_in_force
from facelight.config.settings import Settings, output_umask
from facelight.delivery.payload import metadata_of, submission_of
from facelight.pipeline import SessionPipeline, SessionResult
from facelight.report.session_page import session_page
from preprocess.errors import PreprocessError
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
            result = run_source(source, settings, tracker)
            digest = content_sha256(job.path)
        origin = SessionOrigin(
            session_id_of(job, digest),
            source.provenance,
            digest,
            timeline_in_force(source, settings),
            source.session_id,
            source.notes,
        )
        return write_session(job, settings, origin, result)
    except (CalibrationError, CaptureError, PreprocessError, UploaderError) as error:
        return write_failed(job, settings, error)


def session_id_of(job: Job, content: str) -> str:
    """Return 32 hex digits that name an input: its path below the folder given, and its content."""
    return hashlib.sha256(f"{job.shown_input}\n{content}".encode()).hexdigest()[:32]


def run_source(
    source: SessionSource, settings: Settings, tracker: FaceMeshTracker | None = None
) -> SessionResult:
    """Take every frame of a source through the stages, with a tracker that knows no frame yet."""
    timeline = timeline_in_force(source, settings)
    colours = _colours(source)
    with ExitStack() as stack:
        if tracker is None:
            tracker = stack.enter_context(FaceMeshTracker(settings.tracker))
        tracker.reset()
        pipeline = stack.enter_context(SessionPipeline(settings, tracker, timeline, colours))
        while (frame := source.camera.read()) is not None:
            pipeline.feed(frame)
        return pipeline.finish(timeline)


def write_session(
    job: Job, settings: Settings, origin: SessionOrigin, result: SessionResult
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
        "encoding": result.encoding.as_dict(),
        "light": result.response.as_dict() if result.response else None,
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
        write_json(folder / "result.json", found)
        page = session_page(found, result, settings, origin.timeline)
        (folder / "report.html").write_bytes(page.encode("utf-8", "backslashreplace"))
    return found


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
