"""One labelled input to its table of measures, by the gate's own tracker and measures."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import cache, lru_cache
from importlib.metadata import version
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

import numpy as np

from calibration.tuning.limits import KINDS
from calibration.tuning.material.table import FrameTable, frame_row
from capture.errors import SourceError
from capture.files.pictures.images import is_image, read_image
from capture.files.source import content_sha256, open_source
from capture.frame import Frame
from capture.light.timeline import Label, LabelKind
from preprocess.face.face import Face
from preprocess.measures.measurer import Measurer
from preprocess.tracking.opening import open_tracker
from preprocess.tracking.tracker import Tracker
from preprocess.tracking.tracker_options import TrackerOptions

QUARTERS: Final = 9
"""The tracker searches one of nine parts of a frame without a face, in turn; a still gets all."""


@dataclass(frozen=True, slots=True)
class Task:
    """One input to be measured, and the options of the tracker that finds its faces."""

    path: Path
    tracker: TrackerOptions


def measure(task: Task) -> FrameTable:
    """Return the measures of every frame.

    The light comes from the recording or the sidecar, as when it is processed; without either it is
    unknown, and the rules of neutral light hold.

    Raises
    ------
    capture.errors.CaptureError
        the input is missing, damaged, or of another kind than it should be.
    """
    tracker = _tracker(task.tracker)
    tracker.reset()
    if is_image(task.path):
        pixels = read_image(task.path)
        face = None
        for t_ns in range(QUARTERS):
            face = tracker.track(frame := Frame(0, t_ns, t_ns, pixels))
            if face is not None:
                break
        rows = [_row(frame, face, Label(LabelKind.NONE), Measurer())]
        return FrameTable.of_rows(np.array(rows))
    rows, measurer = [], Measurer()
    with open_source(task.path) as source:
        while (frame_read := source.camera.read()) is not None:
            frame = frame_read
            label = source.timeline.label(frame.t_frame_ns) if source.timeline else _UNKNOWN
            rows.append(_row(frame, tracker.track(frame), label, measurer))
    if not rows:
        raise SourceError(task.path, "holds no frame")
    return FrameTable.of_rows(np.array(rows))


def input_sha256(path: Path) -> str:
    """Return the SHA-256 (hex) of what an input's measures depend on.

    Raises
    ------
    SourceError
        missing or unreadable.
    """
    if not is_image(path):
        return content_sha256(path)
    try:
        with path.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest()
    except OSError as error:
        raise SourceError(path, f"cannot be read: {error.strerror or error}") from error


def method_of(tracker: TrackerOptions) -> str:
    """Return what else the measures depend on, as one hash: tracker, its options, and the code."""
    options = json.dumps(asdict(tracker), sort_keys=True, default=str)
    told = f"mediapipe/{version('mediapipe')} {code_sha256()} {options} {KINDS}"
    return hashlib.sha256(told.encode()).hexdigest()


MEASURING_PACKAGES: Final = (
    "capture",
    "capture.files",
    "capture.files.container",
    "capture.files.pictures",
    "capture.light",
    "preprocess",
    "preprocess.face",
    "preprocess.gate",
    "preprocess.measures",
    "preprocess.tracking",
    "preprocess.tracking.facemesh",
)
"""Whose modules decide what is measured in a picture."""


@cache
def code_sha256() -> str:
    """Return the SHA-256 (hex) of the modules that read, track and measure.

    A version number would not do: it stays while measures are being worked on.
    """
    digest = hashlib.sha256()
    for package in MEASURING_PACKAGES:
        found: list[Traversable] = sorted(files(package).iterdir(), key=lambda file: file.name)
        for file in found:
            if file.name.endswith(".py"):
                digest.update(f"{package}/{file.name}\n".encode() + file.read_bytes())
    return digest.hexdigest()


_UNKNOWN: Final = Label(LabelKind.NONE)


@lru_cache(maxsize=1)
def _tracker(options: TrackerOptions) -> Tracker:
    """Return this process's tracker: loading its models takes longer than twenty stills."""
    return open_tracker(options)


def _row(frame: Frame, face: Face | None, label: Label, measurer: Measurer) -> tuple[float, ...]:
    lit = label.rgb if label.kind is LabelKind.CLEAN else None
    measures = measurer.measure(frame, face, lit)
    box = None if face is None else face.rectangle
    return frame_row(frame.seq, frame.t_frame_ns / 1e6, KINDS.index(label.kind), box, measures)
