"""Frames of a calibration reduced to what is measured in them; the pixels are not kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from calibration.light import LitFrame
from capture.camera import Camera
from capture.frame import Frame, ImageU8
from capture.light.timeline import LabelKind, Timeline
from preprocess.face.face import Face
from preprocess.light.samples import ChromaSample, face_patch, sample_light
from preprocess.tracking.tracker import Tracker


def frames_of(camera: Camera) -> Iterator[Frame]:
    """Yield the frames of a source until it ends."""
    while (frame := camera.read()) is not None:
        yield frame


@dataclass(frozen=True, slots=True)
class _Seen:
    sample: ChromaSample
    peak_code: float


class FaceLight:
    """Gathers the light on the largest face of each frame.

    Parameters
    ----------
    tracker : a fresh one; closed by its owner.
    """

    def __init__(self, tracker: Tracker) -> None:
        self._tracker = tracker
        self._seen: list[_Seen] = []
        self._stamps_ns: list[int] = []

    def add(self, frame: Frame) -> None:
        """Take a frame; one without a measurable face only counts for the frame rate."""
        self._stamps_ns.append(frame.t_frame_ns)
        face = self._tracker.track(frame)
        if face is None:
            return
        sample = sample_light(frame.pixels, face, frame.t_frame_ns)
        if sample is not None:
            self._seen.append(_Seen(sample, _peak_code(frame.pixels, face)))

    @property
    def frames(self) -> int:
        """Frames that were taken."""
        return len(self._stamps_ns)

    @property
    def samples(self) -> list[ChromaSample]:
        """Samples of the frames with a face."""
        return [seen.sample for seen in self._seen]

    @property
    def row(self) -> float:
        """Median height of the face region in the frame, 0 top; 0.5 without a face."""
        rows = [seen.sample.face_row for seen in self._seen]
        return float(np.median(rows)) if rows else 0.5

    def lit(self, timeline: Timeline) -> list[LitFrame]:
        """Return the frames with a face under one clean colour or under neutral light."""
        before = dict(zip(self._stamps_ns[1:], self._stamps_ns, strict=False))
        found = []
        for seen in self._seen:
            t_ns = seen.sample.t_frame_ns
            label = timeline.label(t_ns)
            if label.kind not in (LabelKind.CLEAN, LabelKind.NEUTRAL) or label.rgb is None:
                continue
            earlier = before.get(t_ns)
            together = earlier is not None and timeline.label(earlier) == label
            gap_ms = (t_ns - earlier) / 1e6 if together and earlier is not None else None
            found.append(LitFrame(seen.sample, label.colour, label.rgb, seen.peak_code, gap_ms))
        return found


def _peak_code(pixels: ImageU8, face: Face) -> float:
    region = face_patch(face, (pixels.shape[1], pixels.shape[0]))
    if region is None:
        return 0.0
    brightest = pixels[region.rows, region.columns].max(axis=1)
    return float(np.percentile(brightest, 99))
