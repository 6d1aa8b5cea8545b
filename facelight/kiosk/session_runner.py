"""What serves one person after another: frame judge, light, camera lock, clip and delivery."""

from __future__ import annotations

import logging
import random
import secrets
import uuid
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from capture.camera import Camera, Lockable, ReportsControls
from capture.clock import Clock
from capture.files.recording import RecordingHead
from capture.frame import ImageU8
from capture.light.photosensitivity import check_flips
from capture.light.plan import SEED_BITS, make_plan
from capture.light.timeline import Timeline
from facelight.config.settings import Settings
from facelight.kiosk.background import BackgroundWork
from facelight.kiosk.frame_judge import FrameJudge
from facelight.kiosk.light import Latency, LiveLight
from facelight.kiosk.machine.events import (
    CameraSettled,
    ClipReady,
    DeviceBack,
    DeviceLost,
    Event,
    Spooled,
    WorkFailed,
)
from facelight.kiosk.machine.state import Device
from facelight.kiosk.observing import Observer
from facelight.kiosk.outbox import Outbox
from facelight.kiosk.recorder import Recorder
from facelight.pipeline import SessionResult
from preprocess.errors import PreprocessError
from preprocess.face.continuity import first_break
from preprocess.light.decision import DelayOrigin, LightDecision, LightEvidence, decide
from preprocess.light.verdict import LightResponse, LightState
from uploader.api.submission import Origin
from uploader.errors import UploaderError

STORAGE_CHECK_NS = 10_000_000_000
WATCH_NS = 700_000_000
"""Frames of the last slot are judged within this time, or not in this session."""

_LOG = logging.getLogger(__name__)
Told: TypeAlias = Callable[[str, dict[str, object]], None]


@dataclass(frozen=True, slots=True)
class Parts:
    """What a runner works with; it closes none of them.

    Attributes
    ----------
    seed : draws plans and session ids that can be repeated, for simulations; None: from the CSPRNG.
    keep_last : keep the last session's result after the person has gone, for reports.
    reference : the name that a program beside the kiosk gave the session under way, or None.
    """

    settings: Settings
    camera: Camera
    observer: Observer
    outbox: Outbox
    clock: Clock
    workers: BackgroundWork
    told: Told
    latency: Latency
    record_dir: Path | None = None
    seed: int | None = None
    keep_last: bool = False
    reference: Callable[[], str | None] = lambda: None


@dataclass(frozen=True, slots=True, eq=False)
class ServedSession:
    """What came of a finished capture; ``result.clip`` is None unless it may be delivered."""

    id: str
    result: SessionResult
    timeline: Timeline | None


class SessionRunner:
    """Carries out the effects that are about a person; used by the main thread."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._draw = random.Random(parts.seed) if parts.seed is not None else None
        self._events: deque[Event] = deque()
        self._lit = False
        self._stopped_ns: int | None = None
        self._storage_ok = True
        self._next_storage_ns = 0
        self._recorders: list[Recorder] = []
        self.id = ""
        self.light: LiveLight | None = None
        self.last: ServedSession | None = None

    @property
    def settle_ns(self) -> int:
        """How long exposure and white balance may move before they are locked."""
        return round(self._parts.settings.kiosk.settle_ms * 1e6)

    def poll(self) -> list[Event]:
        """Return what frame judge and workers have to say; raises what has ended one of them."""
        self._parts.workers.check()
        events = self._parts.observer.poll()
        while self._events:
            events.append(self._events.popleft())
        return events + self._storage()

    def preview_pixels(self) -> ImageU8 | None:
        """Return the newest frame's pixels."""
        frame = self._parts.observer.preview()
        return None if frame is None else frame.pixels

    def open(self, *, light: bool) -> None:
        """Begin with a new person."""
        self.id = f"{self._bits(128):032x}"
        self._lit = light
        self._parts.told("session", {"session": self.id, "light": light})
        self._post(lambda judge: judge.open_person())

    def close_person(self) -> None:
        """Forget the person."""
        self.light = None
        self._parts.latency.next_person()
        if not self._parts.keep_last:
            self.last = None
        self._post(lambda judge: judge.close_person())

    def lock_camera(self, job: int) -> None:
        """Lock exposure and white balance as far as the camera lets us; answers `CameraSettled`."""

        def lock() -> None:
            camera = self._parts.camera
            locked = camera.lock() if isinstance(camera, Lockable) else False
            self._events.append(CameraSettled(job, locked))

        self._parts.workers.in_order(lock)

    def unlock_camera(self) -> None:
        """Give the controls back to the camera."""
        camera = self._parts.camera
        if isinstance(camera, Lockable):
            self._parts.workers.in_order(camera.unlock)

    def start_capture(self) -> None:
        """Keep frames from now on, in a new clip, with a new plan where there is light."""
        settings = self._parts.settings
        self.light = None
        if self._lit:
            seed = self._bits(SEED_BITS)
            plan = make_plan(settings.plan, seed, settings.kiosk.screen_nits)
            self.light = LiveLight(plan, self._parts.latency.timing, self._parts.clock)
        light, recorder = self.light, self._recorder()
        self._post(lambda judge: judge.start_capture(light, recorder))

    def drop_capture(self) -> None:
        """Throw away what was kept."""
        self.light = None
        self._post(lambda judge: judge.drop_capture())

    def play(self, slots: Sequence[int], refresh_hz: float) -> None:
        """Play the plan, or some of its slots once more."""
        self._stopped_ns = None
        if self.light is None:
            return
        if slots:
            self.light.repeat(slots, refresh_hz, self._parts.settings.kiosk.screen_nits)
        else:
            self.light.start(refresh_hz)

    def played(self, now_ns: int) -> tuple[int, ...] | None:
        """Return the slots with too few good frames once all is shown and judged, else None."""
        light = self.light
        if light is None or light.due(now_ns) is not None:
            return None
        if self._stopped_ns is None:
            light.stop(now_ns)
            self._stopped_ns = now_ns
        if not light.watched() and now_ns - self._stopped_ns < WATCH_NS:
            return None
        clip, plan = self._parts.settings.clip, self._parts.settings.plan
        return light.bad_slots(-(-clip.min_per_colour // plan.repeats))

    def finish(self, job: int) -> None:
        """Let the frame judge select, encode and judge; they answer with `ClipReady`."""
        light, session_id = self.light, self.id

        def finish(judge: FrameJudge) -> Sequence[Event]:
            try:
                result = judge.finish_capture()
            except PreprocessError as error:
                _LOG.warning("session %s: the clip failed: %s", session_id, error)
                return (WorkFailed(job, str(error)),)
            if result is None:
                return (WorkFailed(job, "there is no capture to finish"),)
            return (self._judged(job, ServedSession(session_id, result, None), light),)

        self._parts.observer.post(finish)

    def deliver(self, job: int) -> None:
        """Hand the accepted clip to the outbox."""
        last = self.last
        if last is None or last.id != self.id or last.result.clip is None:
            self._events.append(WorkFailed(job, "there is no clip to deliver"))
            return
        parts, clip, session_id = self._parts, last.result.clip, last.id
        request_id = str(uuid.uuid4())
        origin = Origin(provenance=parts.camera.info.provenance.value, client_request_id=request_id)
        parts.told("submitted", {"session": session_id, "client_request_id": request_id})

        def tell(event: Event) -> None:
            if not isinstance(event, Spooled):
                outcome = parts.outbox.outcome
                told = None if outcome is None else outcome.to_json()
                parts.told("delivery", {"session": session_id, "outcome": told})
            self._events.append(event)

        parts.workers.apart(lambda: parts.outbox.send(job, clip, origin, tell))

    def close(self, timeout_s: float) -> None:
        """Wait for recordings that are being completed; what takes longer is deleted."""
        for recorder in self._recorders:
            if not recorder.join(timeout_s):
                recorder.discard()

    def _judged(self, job: int, found: ServedSession, light: LiveLight | None) -> ClipReady:
        """Return whether the clip may go: selection, light, and what the screen really flashed."""
        result, timeline = found.result, None
        self._parts.told("encoder", result.encoding.as_dict())
        reasons = list(result.reasons)
        if light is not None:
            timeline = light.timeline()
            flashes = check_flips(light.flips(), self._parts.settings.kiosk.screen_nits)
            if not flashes.safe:
                _LOG.error("session %s: the screen flashed: %s", found.id, flashes.describe())
                self._parts.told("unsafe_light", {"figures": flashes.describe()})
        if result.response is not None and light is not None:
            decision = self._light_decided(result.response, light)
            result = replace(result, decision=decision)
            reasons += decision.reasons
        span = None if timeline is None else timeline.colour_span_ns()
        if span is not None:
            seen = [(report.t_frame_ns, report.face) for report in result.reports]
            broken = first_break(seen, *span)
            reasons += [] if broken is None else [broken.reason]
        if reasons:  # what was not accepted can never be delivered
            result = replace(result, clip=None)
        self.last = ServedSession(found.id, result, timeline)
        return ClipReady(job, result.clip is not None, tuple(dict.fromkeys(reasons)))

    def _light_decided(self, response: LightResponse, light: LiveLight) -> LightDecision:
        """Decide on the light as `process` does for a recording of it; learn the delay."""
        options = self._parts.settings.light
        evidence = LightEvidence(
            response=response,
            timing=light.timing,
            bounds=light.timing,
            origin=DelayOrigin.DECLARED
            if self._parts.settings.profile is None
            else DelayOrigin.PROFILE,
            imported=False,
            relabels=False,
        )
        decision = decide(evidence, options)
        seen = response.state in (LightState.OK, LightState.WEAK) and not response.stamps_in_doubt
        if seen and response.delay_ns is not None and response.delay_sd_ns is not None:
            self._parts.latency.learn(response.delay_ns, response.delay_sd_ns, light.late_flips)
        told = response.as_dict() | {
            "policy": decision.policy,
            "reasons": [str(reason) for reason in decision.reasons],
            "detail": decision.detail,
            "late_flips": light.late_flips,
        }
        self._parts.told("light", told)
        return decision

    def _recorder(self) -> Recorder | None:
        parts = self._parts
        if parts.record_dir is None:
            return None
        plan = self.light.plan if self.light else None
        camera = parts.camera
        controls = camera.controls if isinstance(camera, ReportsControls) else {}
        head = RecordingHead(self.id, camera.info, controls, plan, parts.reference())
        path = parts.record_dir / f"{self.id}-{self._bits(32):08x}.flrec"
        self._recorders = [recorder for recorder in self._recorders if not recorder.join(0)]
        self._recorders.append(Recorder(path, head, self._recorded))
        return self._recorders[-1]

    def _recorded(self, recorder: Recorder) -> None:
        if recorder.kept:
            self._parts.told("recording", {"path": str(recorder.path)})
        elif recorder.problem:
            _LOG.error("no recording: %s", recorder.problem)
            self._parts.told("recording_failed", {"message": recorder.problem})

    def _storage(self) -> list[Event]:
        """Tell when there is no room for another session, and when there is again."""
        now_ns = self._parts.clock.now_ns()
        if now_ns < self._next_storage_ns or self.light is not None:
            return []
        self._next_storage_ns = now_ns + STORAGE_CHECK_NS
        try:
            self._parts.outbox.ensure_room()
        except UploaderError as error:
            was_ok, self._storage_ok = self._storage_ok, False
            if was_ok:
                self._parts.told("storage", {"message": str(error)})
                return [DeviceLost(Device.STORAGE)]
            return []
        was_ok, self._storage_ok = self._storage_ok, True
        return [] if was_ok else [DeviceBack(Device.STORAGE)]

    def _bits(self, count: int) -> int:
        return secrets.randbits(count) if self._draw is None else self._draw.getrandbits(count)

    def _post(self, command: Callable[[FrameJudge], None]) -> None:
        def run(judge: FrameJudge) -> Sequence[Event]:
            command(judge)
            return ()

        self._parts.observer.post(run)
