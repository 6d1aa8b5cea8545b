"""Frames of a session as small pictures: its best one, and those that show why it was rejected."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from capture.files.source import open_source
from capture.frame import ImageU8
from facelight.pipeline import FrameReport, SessionResult
from facelight.report.failure import Failure
from preprocess.clip.clip import Clip, ClipEntry
from preprocess.face.face import Rect
from preprocess.reduction import shrunk
from preprocess.webp.stills import decode_still
from preprocess.webp.webp_reader import read_animation

SIDE_PX: Final = 72
MARGIN: Final = 0.35
"""Of the face's larger side, on each side of it."""

SHOWN_PX: Final = 420
"""Longer side of a frame in the report."""

FACE_BGR, CROP_BGR = (90, 200, 60), (235, 160, 60)


@dataclass(frozen=True, slots=True)
class SessionPictures:
    """JPEG each; ``worst`` and ``best`` are whole frames of a rejected session, with rectangles."""

    thumbnail: bytes | None = None
    worst: bytes | None = None
    best: bytes | None = None


def pictures_of(path: Path, session: SessionResult, failure: Failure | None) -> SessionPictures:
    """Return the pictures of a session.

    That of an accepted one comes out of its clip; the source of a rejected one is read once more.

    Raises
    ------
    SourceError
        the source cannot be read a second time.
    """
    best = best_frame(session.reports, session.clip)
    if best is None:
        return SessionPictures()
    if session.clip is not None:
        entry = next(entry for entry in session.clip.entries if entry.seq == best.seq)
        (still,) = stills_of(session.clip, [entry])
        return SessionPictures(_jpeg(shrunk(_cut(still, _in_crop(best)), SIDE_PX), 60))
    worst = failure.worst if failure else None
    other = failure.best if failure else None
    frames = _read(path, {r.seq for r in (best, worst, other) if r is not None})
    if best.seq not in frames:
        return SessionPictures()
    box = None if best.face is None else best.face.rectangle
    small = _jpeg(shrunk(_cut(frames[best.seq], box), SIDE_PX), 60)
    marked = (
        None if r is None else _jpeg(_marked(frames[r.seq], r, session.crop_wh), 80)
        for r in (worst, other)
    )
    return SessionPictures(small, *marked)


def best_frame(reports: Sequence[FrameReport], clip: Clip | None = None) -> FrameReport | None:
    """Return the sharpest frame of the clip; without one the sharpest that was accepted.

    Else the sharpest with a face, else the middle one.
    """
    if not reports:
        return None
    sent = {entry.seq for entry in clip.entries} if clip else set[int]()
    for wanted in (
        [r for r in reports if r.seq in sent],
        [r for r in reports if r.verdict.accepted and r.face is not None],
        [r for r in reports if r.face is not None],
    ):
        if wanted:
            return min(wanted, key=_blur)
    return reports[len(reports) // 2]


def stills_of(clip: Clip, entries: Sequence[ClipEntry]) -> list[ImageU8]:
    """Return the pixels of some of a clip's frames, BGR."""
    files = {file.name: file.content for file in clip.files}
    if len(files) > 1:
        raw = [np.frombuffer(files[entry.file_name], np.uint8) for entry in entries]
        return [np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8) for data in raw]
    frames = read_animation(clip.files[0].content).frames
    return [decode_still(frames[entry.frame_number].still) for entry in entries]


def _read(path: Path, wanted: Iterable[int]) -> dict[int, ImageU8]:
    """Return the pixels of some frames of a source, read as far as the last of them."""
    left, frames = set(wanted), dict[int, ImageU8]()
    with open_source(path) as source:
        while left and (frame := source.camera.read()) is not None:
            if frame.seq in left:
                left.discard(frame.seq)
                frames[frame.seq] = frame.pixels
    return frames


def _marked(pixels: ImageU8, report: FrameReport, crop_wh: tuple[int, int] | None) -> ImageU8:
    """Return the frame, small, with the face's rectangle and the crop that would be sent."""
    small = shrunk(pixels, SHOWN_PX).copy()
    factor = small.shape[1] / pixels.shape[1]
    boxes = []
    if report.crop is not None and crop_wh is not None:
        boxes.append((Rect(report.crop.x_px, report.crop.y_px, *crop_wh), CROP_BGR))
    if report.face is not None:
        boxes.append((report.face.rectangle, FACE_BGR))
    for box, colour in boxes:
        corner = round(box.left * factor), round(box.top * factor)
        other = round(box.right * factor) - 1, round(box.bottom * factor) - 1
        cv2.rectangle(small, corner, other, colour, 2)
    return small


def _in_crop(report: FrameReport) -> Rect | None:
    """Return the face's rectangle in the pixels of its crop."""
    if report.face is None or report.crop is None:
        return None
    box = report.face.rectangle
    return Rect(box.left - report.crop.x_px, box.top - report.crop.y_px, box.width, box.height)


def _cut(pixels: ImageU8, box: Rect | None) -> ImageU8:
    """Return the face with some air, the whole picture without one."""
    if box is None:
        return pixels
    height, width = pixels.shape[:2]
    half = round((0.5 + MARGIN) * max(box.width, box.height))
    x, y = box.left + box.width // 2, box.top + box.height // 2
    return pixels[max(0, y - half) : min(height, y + half), max(0, x - half) : min(width, x + half)]


def _jpeg(pixels: ImageU8, quality: int) -> bytes:
    _, jpeg = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return jpeg.tobytes()


def _blur(report: FrameReport) -> float:
    blur = report.measures.blur_pct
    return math.inf if math.isnan(blur) else blur
