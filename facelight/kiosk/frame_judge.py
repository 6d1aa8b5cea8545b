"""Tracks, measures and judges every frame; while capturing, feeds the clip and the recording."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from capture.frame import Frame
from facelight.config.settings import Settings
from facelight.kiosk.light import LiveLight, is_clean
from facelight.kiosk.machine.events import Observed, Stance
from facelight.kiosk.recorder import Recorder
from facelight.pipeline import SessionPipeline, SessionResult
from preprocess.face.continuity import other_shape
from preprocess.face.face import Face
from preprocess.gate.gate import Gate
from preprocess.measures.measurer import Measurer
from preprocess.tracking.tracker import Tracker

JUMP_IED = 1.5
"""A head moves at most about 1 m/s: 1.5 inter-eye distances (9 cm) within a tenth of a second."""
JUMP_WINDOW_NS = 150_000_000


@dataclass(slots=True)
class _Capture:
    pipeline: SessionPipeline
    light: LiveLight | None
    recorder: Recorder | None


class FrameJudge:
    """The observer's work; used by one thread.

    Parameters
    ----------
    make_tracker : loads the models, again only after ``restart``. For every person and every
        capture the tracker is reset: nothing of one is left for the next, and a replay, which
        begins with a fresh tracker, sees what the capture saw.
    presence_ied_px : smaller faces are somebody passing by.
    """

    def __init__(
        self, settings: Settings, make_tracker: Callable[[], Tracker], presence_ied_px: float
    ) -> None:
        self._settings = settings
        self._make_tracker = make_tracker
        self._presence_ied_px = presence_ied_px
        self._tracker: Tracker | None = None
        self._measurer = Measurer()
        self._gate = Gate(settings.thresholds, settings.gate)
        self._capture: _Capture | None = None
        self._last: tuple[int, Face] | None = None

    def look(self, frame: Frame, jpeg: bytes | None = None) -> Observed:
        """Take in one frame and return what it shows.

        Parameters
        ----------
        jpeg : the camera's own bytes of the frame, for the recording.

        Raises
        ------
        PreprocessError
            the tracker or the clip cannot go on; call ``restart``.
        """
        if self._capture is not None:
            return self._captured(self._capture, frame, jpeg)
        face = self._tracking().track(frame)
        if face is None or face.inter_eye_px < self._presence_ied_px:
            self._forget()
            return Observed(faces=0, distant=face is not None)
        state = self._gate.update(self._measurer.measure(frame, face))
        before = self._last
        jumped = self._jumped(frame, face) and before is not None and other_shape(before[1], face)
        return Observed(
            face.count,
            state.good,
            state.verdict.reasons,
            jumped=jumped,
            stance=stance_of(frame, face),
        )

    def open_person(self) -> None:
        """Begin as if no frame had been seen."""
        self.close_person()

    def close_person(self) -> None:
        """Forget the person."""
        self.drop_capture()
        self._reset_tracker()
        self._forget()

    def restart(self) -> None:
        """Throw away tracker and capture; the next frame gets a new tracker."""
        self.close()
        self._forget()

    def start_capture(self, light: LiveLight | None, recorder: Recorder | None) -> None:
        """Keep frames from here on, in a new, empty clip, as a fresh tracker sees them."""
        self.drop_capture()
        self._reset_tracker()
        colours = light.colours if light else None
        pipeline = SessionPipeline(self._settings, self._tracking(), light, colours)
        self._capture = _Capture(pipeline, light, recorder)

    def drop_capture(self) -> None:
        """Throw away what was kept."""
        capture, self._capture = self._capture, None
        if capture is not None:
            capture.pipeline.close()
            if capture.recorder is not None:
                capture.recorder.abort()

    def finish_capture(self) -> SessionResult | None:
        """Select, encode and check the light; None when there is no capture.

        Raises
        ------
        PreprocessError
            the encoders failed or stalled.
        """
        capture, self._capture = self._capture, None
        if capture is None:
            return None
        timeline = capture.light.timeline() if capture.light else None
        if capture.recorder is not None:
            capture.recorder.finish(timeline)
        with capture.pipeline:
            return capture.pipeline.finish(timeline)

    def close(self) -> None:
        """Release the tracker and throw away what was kept; idempotent."""
        self.drop_capture()
        self._drop_tracker()

    def _tracking(self) -> Tracker:
        if self._tracker is None:
            self._tracker = self._make_tracker()
        return self._tracker

    def _reset_tracker(self) -> None:
        if self._tracker is not None:
            self._tracker.reset()

    def _drop_tracker(self) -> None:
        tracker, self._tracker = self._tracker, None
        if tracker is not None:
            tracker.close()

    def _captured(self, capture: _Capture, frame: Frame, jpeg: bytes | None) -> Observed:
        if capture.recorder is not None:
            capture.recorder.write(frame, jpeg)
        report = capture.pipeline.feed(frame)
        verdict = report.verdict
        if capture.light is not None:
            usable = verdict.accepted and is_clean(report.label)
            capture.light.note(frame.t_frame_ns, usable=usable)
        if report.face is None:
            self._last = None
            return Observed(faces=0)
        return Observed(
            report.face.count,
            verdict.accepted,
            verdict.reasons,
            jumped=self._jumped(frame, report.face),
            stance=stance_of(frame, report.face),
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


def stance_of(frame: Frame, face: Face) -> Stance:
    """Return where a face is in a frame, and how it is held."""
    width, height = frame.size_wh
    box, pose = face.rectangle, face.pose
    return Stance(
        box.left / width,
        box.top / height,
        box.right / width,
        box.bottom / height,
        turned_deg=max(abs(pose.yaw_deg), abs(pose.pitch_deg)),
        tilted_deg=abs(pose.roll_deg),
    )
