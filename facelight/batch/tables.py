"""Tables that people read: a row of ``frames.csv`` a source frame, a row of ``summary.csv``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from facelight.pipeline import FrameReport
from facelight.result import ResultRecord
from preprocess.measures.measures import FIELDS

FRAME_COLUMNS = (
    "seq", "t_ms", "label", "colour", "face_left", "face_top", "face_width", "face_height",
    "crop_left", "crop_top", *FIELDS, "accepted", "reasons", "frame_number",
)  # fmt: skip


def frame_row(report: FrameReport, frame_number: int | None) -> dict[str, Any]:
    """Return the row; face columns in full-frame pixels, an empty cell for what is not there."""
    row: dict[str, Any] = {
        "seq": report.seq,
        "t_ms": f"{report.t_frame_ns / 1e6:.3f}",
        "label": report.label.kind.value,
        "colour": report.label.colour or "",
        "accepted": int(report.verdict.accepted),
        "reasons": " ".join(report.verdict.reasons),
        "frame_number": "" if frame_number is None else frame_number,
    }
    if report.face is not None:
        box = report.face.rectangle
        row |= {"face_left": box.left, "face_top": box.top}
        row |= {"face_width": box.width, "face_height": box.height}
    if report.crop is not None:
        row |= {"crop_left": report.crop.x_px, "crop_top": report.crop.y_px}
    return row | {name: number(getattr(report.measures, name)) for name in FIELDS}


def label_runs(reports: Sequence[FrameReport]) -> tuple[tuple[str, str | None, int], ...]:
    """Return the labels over time as ``(label, colour or None, frames)``, one a run of equals."""
    labels = groupby((report.label.kind.value, report.label.colour) for report in reports)
    return tuple((kind, colour, sum(1 for _ in run)) for (kind, colour), run in labels)


def number(value: float) -> str:
    """Return a measure with four significant decimals; what could not be assessed is empty."""
    return "" if math.isnan(value) else f"{value:.4f}".rstrip("0").rstrip(".")


SUMMARY_COLUMNS = (
    "name", "input", "status", "reasons", "frames", "faces", "accepted_frames", "submitted_frames",
    "bytes", "light", "delay_origin", "http_status", "decision", "error",
)  # fmt: skip


def summary_row(result: ResultRecord) -> dict[str, Any]:
    """Return the row of one ``result.json``."""
    counts, outcome = result.counts, result.outcome
    error = result.error or (outcome.error if outcome else None)
    row = {
        "name": result.name,
        "input": result.input,
        "status": result.status,
        "reasons": " ".join(result.reasons),
        "light": result.light.state if result.light else "",
        "delay_origin": result.delay_origin or "",
        "http_status": "" if outcome is None else outcome.status,
        "decision": (outcome and outcome.decision) or "",
        "error": error.message if error else "",
    }
    if counts is not None:
        row |= {"frames": counts.frames, "faces": counts.faces, "bytes": counts.bytes}
        row |= {"accepted_frames": counts.accepted, "submitted_frames": counts.submitted}
    return row
