"""One recorded session from its file to a finished output directory."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from capture.camera import Provenance
from capture.errors import CaptureError
from capture.source import SessionSource, content_sha256, open_source
from capture.timeline import Timeline
from facelight import __version__
from facelight.outputs import csv_bytes, whole_directory
from facelight.package import metadata_of, submission_of
from facelight.pipeline import SessionPipeline, SessionResult
from facelight.report.session import session_page
from facelight.rows import FRAME_COLUMNS, frame_row
from facelight.settings import Settings, settings_hash
from preprocess.errors import PreprocessError
from preprocess.facemesh import FaceMeshTracker
from uploader.submission import Origin

SOFTWARE = f"facelight/{__version__}"


@dataclass(frozen=True, slots=True)
class Job:
    """One input and the directory that its results go to."""

    input: str
    name: str
    out: Path

    @property
    def target(self) -> Path:
        """The output directory of this input."""
        return self.out / self.name


@dataclass(frozen=True, slots=True)
class SessionOrigin:
    """Where a session comes from; ``input_sha256`` None when there is no file behind it."""

    session_id: str
    provenance: Provenance
    input_sha256: str | None
    timeline: Timeline | None


def process_job(job: Job, settings: Settings) -> dict[str, Any]:
    """Process one input and write its directory; return what ``result.json`` holds.

    Damaged input is a result of status ``error``, not an exception.

    Raises
    ------
    OutputError
        the directory cannot be written.
    """
    try:
        with open_source(Path(job.input)) as source:
            result = run_source(source, settings)
            digest = content_sha256(Path(job.input))
    except (CaptureError, PreprocessError) as error:
        return write_failed(job, settings, error)
    origin = SessionOrigin(
        source.session_id or digest[:32], source.provenance, digest, source.timeline
    )
    return write_session(job, settings, origin, result)


def run_source(source: SessionSource, settings: Settings) -> SessionResult:
    """Take every frame of a source through the stages."""
    timeline = source.timeline
    colours = _colours(source)
    with (
        FaceMeshTracker(settings.tracker) as tracker,
        SessionPipeline(settings, tracker, timeline, colours) as pipeline,
    ):
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
    found = _header(job, settings) | {
        "session_id": origin.session_id,
        "input_sha256": origin.input_sha256,
        "provenance": origin.provenance.value,
        "status": "accepted" if result.accepted else "rejected",
        "reasons": [str(reason) for reason in result.reasons],
        "detail": result.detail,
        "counts": _counts(result),
        "light": result.response.as_dict() if result.response else None,
    }
    rows = [frame_row(report, numbers.get(report.seq)) for report in result.reports]
    with whole_directory(job.target) as folder:
        if result.clip is not None:
            found["digest"] = submission_of(result.clip, Origin()).digest
            (folder / "metadata.json").write_bytes(metadata_of(result.clip).to_bytes())
            for file in result.clip.files:
                path = folder / ("images" if settings.clip.container != "webp" else "") / file.name
                path.parent.mkdir(exist_ok=True)
                path.write_bytes(file.content)
        (folder / "frames.csv").write_bytes(csv_bytes(FRAME_COLUMNS, rows))
        _write_json(folder / "result.json", found)
        page = session_page(found, result, settings, origin.timeline)
        (folder / "report.html").write_text(page, encoding="utf-8")
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


def _header(job: Job, settings: Settings) -> dict[str, Any]:
    return {
        "name": job.name,
        "input": Path(job.input).name,
        "session_id": None,
        "status": "error",
        "reasons": [],
        "digest": None,
        "counts": None,
        "settings_hash": settings_hash(settings),
        "software": SOFTWARE,
        "outcome": None,
    }


def write_failed(job: Job, settings: Settings, error: Exception) -> dict[str, Any]:
    """Write the directory of an input that could not be processed: its ``result.json`` alone."""
    found = failed(job, settings, error)
    with whole_directory(job.target) as folder:
        _write_json(folder / "result.json", found)
    return found


def failed(job: Job, settings: Settings, error: Exception) -> dict[str, Any]:
    """Return the result of an input that could not be processed."""
    told = {"code": type(error).__name__, "message": str(error)}
    return _header(job, settings) | {"error": told}


def _write_json(path: Path, value: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
