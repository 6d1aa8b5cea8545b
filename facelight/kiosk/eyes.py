"""Tracks, measures and judges every frame; while capturing, feeds the clip and the recording."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from capture.frame import Frame
from facelight.kiosk.light import LiveLight, is_clean
from facelight.kiosk.recorder import Recorder
from facelight.pipeline import SessionPipeline, SessionResult
from facelight.session_events import Observed
from facelight.settings import Settings
from preprocess.face import Face
from preprocess.gate import Gate
from preprocess.measures.measurer import Measurer
from preprocess.tracker import Tracker

JUMP_IED = 1.5
"""A head moves at most about 1 m/s: 1.5 inter-eye distances (9 cm) within a tenth of a second."""
JUMP_WINDOW_NS = 150_000_000


@dataclass(slots=True)
class _Capture:
    pipeline: SessionPipeline
    light: LiveLight | None
    recorder: Recorder | None
    accepted: list[tuple[int, str]]


class Eyes:
    """The observer's work; used by one thread."""

    def __init__(
        self, settings: Settings, make_tracker: Callable[[], Tracker], presence_ied_px: float
    ) -> None:
        self._settings = settings
        self._make_tracker = make_tracker
        self._presence_ied_px = presence_ied_px
        self._tracker: Tracker = make_tracker()
        self._measurer = Measurer()
        self._gate = Gate(settings.thresholds, settings.gate)
        self._capture: _Capture | None = None
        self._last: tuple[int, Face] | None = None

    def look(self, frame: Frame) -> Observed:
        """Take in one frame and return what it shows."""
        if self._capture is not None:
            return self._captured(self._capture, frame)
        face = self._tracker.track(frame)
        if face is None or face.inter_eye_px < self._presence_ied_px:
            self._last = None
            self._gate.reset()
            return Observed(faces=0)
        state = self._gate.update(self._measurer.measure(frame, face))
        return Observed(
            face.count, state.good, state.verdict.reasons, jumped=self._jumped(frame, face)
        )

    def open_person(self) -> None:
        """Begin with a fresh tracker and gate: nothing of one person is left for the next."""
        self._forget()
        self._tracker.close()
        self._tracker = self._make_tracker()

    def close_person(self) -> None:
        """Forget the person."""
        self.drop_capture()
        self.open_person()

    def start_capture(self, light: LiveLight | None, recorder: Recorder | None) -> None:
        """Keep frames from here on, in a new, empty clip."""
        self.drop_capture()
        colours = light.colours if light else None
        pipeline = SessionPipeline(self._settings, self._tracker, light, colours)
        self._capture = _Capture(pipeline, light, recorder, [])

    def drop_capture(self) -> None:
        """Throw away what was kept."""
        capture, self._capture = self._capture, None
        if capture is not None:
            capture.pipeline.close()
            if capture.recorder is not None:
                capture.recorder.abort()

    def accepted(self) -> list[tuple[int, str]]:
        """Return time and colour of the accepted, cleanly lit frames so far."""
        return list(self._capture.accepted) if self._capture else []

    def finish_capture(self) -> SessionResult | None:
        """Select, encode and check the light; None when there is no capture."""
        capture, self._capture = self._capture, None
        if capture is None:
            return None
        timeline = capture.light.timeline() if capture.light else None
        with capture.pipeline:
            result = capture.pipeline.finish(timeline)
        if capture.recorder is not None:
            capture.recorder.finish(timeline)
        return result

    def close(self) -> None:
        """Release the tracker and throw away what was kept; idempotent."""
        self.drop_capture()
        self._tracker.close()

    def _captured(self, capture: _Capture, frame: Frame) -> Observed:
        report = capture.pipeline.feed(frame)
        if capture.recorder is not None:
            capture.recorder.write(frame)
        if report.face is None:
            self._last = None
            return Observed(faces=0)
        verdict = report.verdict
        if verdict.accepted and is_clean(report.label) and report.label.colour:
            capture.accepted.append((frame.t_frame_ns, report.label.colour))
        return Observed(
            report.face.count,
            verdict.accepted,
            verdict.reasons,
            jumped=self._jumped(frame, report.face),
        )

    def _jumped(self, frame: Frame, face: Face) -> bool:
        """Return whether this face cannot be the one of the frame before."""
        before, self._last = self._last, (frame.t_frame_ns, face)
        if before is None or frame.t_frame_ns - before[0] > JUMP_WINDOW_NS:
            return False
        here, there = face.rectangle, before[1].rectangle
        dx = (here.left + here.width / 2) - (there.left + there.width / 2)
        dy = (here.top + here.height / 2) - (there.top + there.height / 2)
        return math.hypot(dx, dy) > JUMP_IED * max(face.inter_eye_px, before[1].inter_eye_px)

    def _forget(self) -> None:
        self._measurer.reset()
        self._gate.reset()
        self._last = None
