"""What serves one person after another: eyes, light, camera lock, clip and delivery."""

from __future__ import annotations

import threading
import uuid
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from capture.camera import Camera, Lockable
from capture.clock import Clock
from capture.errors import CaptureError
from capture.frame import ImageU8
from capture.photosensitivity import check_flips
from capture.plan import make_plan
from capture.recording import RecordingHead
from capture.timeline import Timeline
from facelight.kiosk.eyes import Eyes
from facelight.kiosk.light import Latency, LiveLight
from facelight.kiosk.observers import Observer
from facelight.kiosk.outbox import Outbox
from facelight.kiosk.recorder import Recorder
from facelight.pipeline import SessionResult
from facelight.session_events import ClipReady, DeviceBack, DeviceLost, Event, WorkFailed
from facelight.session_types import Device
from facelight.settings import Settings
from preprocess.light.verdict import LightResponse, LightState
from preprocess.reasons import Reason
from uploader.errors import UploaderError
from uploader.submission import Origin

STORAGE_CHECK_NS = 10_000_000_000
Runner: TypeAlias = Callable[[Callable[[], None]], None]
Told: TypeAlias = Callable[[str, dict[str, object]], None]


@dataclass(frozen=True, slots=True)
class Parts:
    """What a desk works with; it closes none of them."""

    settings: Settings
    camera: Camera
    observer: Observer
    outbox: Outbox
    clock: Clock
    run: Runner
    told: Told
    latency: Latency
    record_dir: Path | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Session:
    """What is left of the last finished session, for reports."""

    id: str
    result: SessionResult
    timeline: Timeline | None


class Desk:
    """Carries out the effects that are about a person; used by the main thread."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._events: deque[Event] = deque()
        self._id = ""
        self._lit = False
        self._eyes_accepted: Callable[[], list[tuple[int, str]]] = list
        self._storage_ok = True
        self._next_storage_ns = 0
        self.light: LiveLight | None = None
        self.last: Session | None = None

    @property
    def settle_ns(self) -> int:
        """How long exposure and white balance may move before they are locked."""
        return round(self._parts.settings.kiosk.settle_ms * 1e6)

    def poll(self) -> list[Event]:
        """Return what eyes and workers have to say."""
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
        self._id = uuid.uuid4().hex
        self._lit = light
        self._post(lambda eyes: eyes.open_person())

    def close_person(self) -> None:
        """Forget the person."""
        self.light = None
        self._post(lambda eyes: eyes.close_person())

    def lock_camera(self) -> bool:
        """Lock exposure and white balance as far as the camera lets us."""
        camera = self._parts.camera
        return camera.lock() if isinstance(camera, Lockable) else False

    def unlock_camera(self) -> None:
        """Give the controls back to the camera."""
        if isinstance(self._parts.camera, Lockable):
            self._parts.camera.unlock()

    def start_capture(self) -> None:
        """Keep frames from now on, in a new clip, with a new plan where there is light."""
        settings = self._parts.settings
        self.light = None
        if self._lit:
            plan = make_plan(settings.plan, screen_nits=settings.kiosk.screen_nits)
            self.light = LiveLight(plan, self._parts.latency.timing, self._parts.clock)
        light, recorder = self.light, self._recorder()

        def start(eyes: Eyes) -> None:
            eyes.start_capture(light, recorder)
            self._eyes_accepted = eyes.accepted

        self._post(start)

    def drop_capture(self) -> None:
        """Throw away what was kept."""
        self.light = None
        self._post(lambda eyes: eyes.drop_capture())

    def play(self, slots: Sequence[int], refresh_hz: float) -> None:
        """Play the plan, or some of its slots once more."""
        if self.light is None:
            return
        if slots:
            self.light.repeat(slots, refresh_hz, self._parts.settings.kiosk.screen_nits)
        else:
            self.light.start(refresh_hz)

    def bad_slots(self) -> tuple[int, ...]:
        """Return the slots that gave too few good frames."""
        if self.light is None:
            return ()
        clip, plan = self._parts.settings.clip, self._parts.settings.plan
        least = -(-clip.min_per_colour // plan.repeats)
        return self.light.bad_slots(self._eyes_accepted(), least)

    def finish(self, job: int) -> None:
        """Let the eyes select, encode and judge; they answer with ``ClipReady``."""
        light = self.light

        def finish(eyes: Eyes) -> Sequence[Event]:
            result = eyes.finish_capture()
            if result is None:
                return (WorkFailed(job, "there is no capture to finish"),)
            timeline = light.timeline() if light else None
            self.last = Session(self._id, result, timeline)
            return (self._judged(job, result, light),)

        self._parts.observer.post(finish)

    def deliver(self, job: int) -> None:
        """Hand the accepted clip to the outbox."""
        last = self.last
        if last is None or last.result.clip is None:
            self._events.append(WorkFailed(job, "there is no clip to deliver"))
            return
        clip = last.result.clip
        origin = Origin(provenance=self._parts.camera.info.provenance.value)
        outbox = self._parts.outbox
        self._parts.run(lambda: outbox.send(job, clip, origin, self._events.append))

    def _judged(self, job: int, result: SessionResult, light: LiveLight | None) -> ClipReady:
        """Return whether the clip may go: selection, light, and what the screen really flashed."""
        reasons = list(result.reasons)
        if light is not None:
            flashes = check_flips(light.flips(), self._parts.settings.kiosk.screen_nits)
            if not flashes.safe:
                self._parts.told("unsafe_light", {"figures": flashes.describe()})
        if result.response is not None:
            reasons += self._light_reasons(result.response)
        if reasons:
            self.last = replace_clip(self.last, keep=not reasons)
        return ClipReady(job, result.clip is not None and not reasons, tuple(reasons))

    def _light_reasons(self, response: LightResponse) -> list[Reason]:
        """Return why the light makes the labels or the session worthless; learn the lag."""
        seen = response.state in (LightState.OK, LightState.WEAK)
        if seen and response.delay_ns is not None:
            self._parts.latency.learn(response.delay_ns)
        self._parts.told("light", response.as_dict())
        if seen and response.delay_disagrees:
            return [Reason.LIGHT_DELAY]
        if self._parts.settings.kiosk.light_required and not seen:
            return list(response.reasons)
        return []

    def _recorder(self) -> Recorder | None:
        parts = self._parts
        if parts.record_dir is None:
            return None
        plan = self.light.plan if self.light else None
        head = RecordingHead(self._id, parts.camera.info, plan=plan)
        path = parts.record_dir / f"{self._id}-{uuid.uuid4().hex[:4]}.flrec"
        try:
            return Recorder(path, head)
        except CaptureError as error:
            parts.told("recording_failed", {"message": str(error)})
            return None

    def _storage(self) -> list[Event]:
        """Tell when there is no room for another session, and when there is again."""
        now_ns = self._parts.clock.now_ns()
        if now_ns < self._next_storage_ns:
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

    def _post(self, command: Callable[[Eyes], None]) -> None:
        def run(eyes: Eyes) -> Sequence[Event]:
            command(eyes)
            return ()

        self._parts.observer.post(run)


def replace_clip(session: Session | None, *, keep: bool) -> Session | None:
    """Return the session without its clip: what was not accepted can never be delivered."""
    if session is None or keep:
        return session
    return replace(session, result=replace(session.result, clip=None))


def in_thread(work: Callable[[], None]) -> None:
    """Run in a thread of its own; it is bounded by the outbox's own limits."""
    threading.Thread(target=work, name="facelight-deliver", daemon=True).start()


def at_once(work: Callable[[], None]) -> None:
    """Run here and now: with a virtual clock no time passes meanwhile."""
    work()
