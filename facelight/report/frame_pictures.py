"""The best frame of a session as a small picture, read again from its source."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import cv2

from capture.files.source import open_source
from capture.frame import ImageU8
from facelight.pipeline import FrameReport
from preprocess.reduction import shrunk

SIDE_PX: Final = 72
MARGIN: Final = 0.35
"""Of the face's larger side, on each side of it."""


def best_frame(reports: Sequence[FrameReport]) -> FrameReport | None:
    """Return the sharpest accepted frame, else the sharpest with a face, else the middle one."""
    if not reports:
        return None
    for wanted in (
        [r for r in reports if r.verdict.accepted and r.face is not None],
        [r for r in reports if r.face is not None],
    ):
        if wanted:
            return min(wanted, key=_blur)
    return reports[len(reports) // 2]


def thumbnail_of(path: Path, reports: Sequence[FrameReport]) -> bytes | None:
    """Return the best frame as JPEG of at most 72 px, cut to the face; None without frames.

    Raises
    ------
    SourceError
        the source cannot be read a second time.
    """
    report = best_frame(reports)
    if report is None:
        return None
    with open_source(path) as source:
        while (frame := source.camera.read()) is not None:
            if frame.seq == report.seq:
                small = shrunk(_cut(frame.pixels, report), SIDE_PX)
                _, jpeg = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 60])
                return jpeg.tobytes()
    return None


def _cut(pixels: ImageU8, report: FrameReport) -> ImageU8:
    if report.face is None:
        return pixels
    height, width = pixels.shape[:2]
    box = report.face.rectangle
    half = round((0.5 + MARGIN) * max(box.width, box.height))
    x, y = box.left + box.width // 2, box.top + box.height // 2
    return pixels[max(0, y - half) : min(height, y + half), max(0, x - half) : min(width, x + half)]


def _blur(report: FrameReport) -> float:
    blur = report.measures.blur_pct
    return math.inf if math.isnan(blur) else blur
