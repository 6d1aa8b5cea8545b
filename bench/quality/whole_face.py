"""Whether it is this face, upright, all of it: turned pictures and close-ups, frame by frame."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.figures import Figure
from bench.quality import material
from bench.quality.material import Sample
from calibration.tuning.statistics.intervals import rate
from capture.frame import Frame, ImageU8
from preprocess.face.face import Face, Rect
from preprocess.gate.gate import judge
from preprocess.gate.thresholds import Thresholds
from preprocess.measures.measurer import Measurer
from preprocess.reasons import Reason
from preprocess.tracking.facemesh.facemesh import FaceMeshTracker

FRAMES = 12
"""A watch of the tracker lies among them."""

SHARES = (0.5, 0.6, 0.7, 0.8, 0.9)
SIZES = ((1280, 720), (720, 1280))
RIGHT_IOU = 0.8
UNLIKE_A_FACE = {Reason.BLURRED, Reason.OVER_EXPOSED, Reason.UNDER_EXPOSED, Reason.BACKLIT}
"""Reasons of the picture rather than of what was taken for the face: they hide nothing here."""


def run(data: Path) -> list[Figure]:
    """Return the figures on the whole portraits and on frames of the videos."""
    wide = float("inf")
    samples = [*material.portraits(data, wide), *material.video_frames(80, data, wide)]
    samples = [material.scaled(s, 120) if s.ied_px > 120 else s for s in samples]
    people = np.unique([s.group for s in samples], return_inverse=True)[1].astype(np.int32)
    with FaceMeshTracker() as tracker:
        turned = [bool(_accepted(tracker, _turned(s.pixels))) for s in samples]
        upright = [bool(_accepted(tracker, s.pixels)) for s in samples]
        found = [
            _rate("accepted upright", np.array(upright), people, ">= 0.9"),
            _rate("accepted turned by 180 degrees", np.array(turned), people, "<= 0"),
        ]
        for share in SHARES:
            wrong = [_wrong(tracker, s, share) for s in samples]
            name = f"close-up of {share:g} of the frame: accepted with a wrong rectangle"
            found.append(_rate(name, np.array(wrong), people, "<= 0"))
    return found


def _turned(pixels: ImageU8) -> ImageU8:
    return np.ascontiguousarray(pixels[::-1, ::-1])


def _wrong(tracker: FaceMeshTracker, sample: Sample, share: float) -> bool:
    """Return whether any accepted frame of the close-ups has another face than the picture."""
    for width, height in SIZES:
        box = sample.face.rectangle
        factor = min(share * height / box.height, 1.2 * share * width / box.width)
        x, y = box.left + box.width / 2, box.top + box.height / 2
        move = np.array([[factor, 0, width / 2 - factor * x], [0, factor, height / 2 - factor * y]])
        near = cv2.warpAffine(sample.pixels, move, (width, height), flags=cv2.INTER_CUBIC)
        corners = np.array([[box.left, box.top], [box.right, box.bottom]]) @ move[:, :2].T
        low, high = np.clip(corners + move[:, 2], 0, (width, height)).round().astype(int).tolist()
        truth = Rect(low[0], low[1], high[0] - low[0], high[1] - low[1])
        seen = _accepted(tracker, np.asarray(near, np.uint8))
        if any(_iou(face.rectangle, truth) < RIGHT_IOU for face in seen):
            return True
    return False


def _accepted(tracker: FaceMeshTracker, pixels: ImageU8) -> list[Face]:
    """Return the faces of the accepted frames of a still scene."""
    tracker.reset()
    measurer, found = Measurer(), []
    for seq in range(FRAMES):
        frame = Frame(seq, seq * 33_000_000, seq * 33_000_000, pixels)
        face = tracker.track(frame)
        verdict = judge(measurer.measure(frame, face), None, Thresholds())
        if face is not None and set(verdict.reasons) <= UNLIKE_A_FACE:
            found.append(face)
    return found


def _iou(one: Rect, other: Rect) -> float:
    wide = min(one.right, other.right) - max(one.left, other.left)
    high = min(one.bottom, other.bottom) - max(one.top, other.top)
    both = max(wide, 0) * max(high, 0)
    return both / (one.width * one.height + other.width * other.height - both)


def _rate(
    name: str, errors: NDArray[np.bool_], people: NDArray[np.int32], target: str = ""
) -> Figure:
    found = rate(errors, people)
    interval = (found.interval.low, found.interval.high)
    return Figure(name, float(errors.mean()), target, "", interval)
