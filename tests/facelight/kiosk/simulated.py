"""A whole kiosk on a virtual clock: simulated person, camera and screen, no network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from capture.clock import VirtualClock
from capture.display.virtual import VirtualScreen
from capture.errors import CameraError
from capture.frame import Frame
from capture.simulator.camera.simulated_camera import SimulatedCamera
from capture.simulator.scene.simulated_screen import FlipHistory
from capture.simulator.sim_spec import parse_spec
from facelight.commands.demo_session import for_simulation
from facelight.config.settings import Settings
from facelight.kiosk.app import Devices, Extras, KioskSession
from facelight.kiosk.loop import Ending
from facelight.kiosk.machine.events import Event
from facelight.kiosk.outbox import answer_of
from facelight.kiosk.session_runner import ServedSession
from preprocess.clip.clip import Clip
from uploader.api.decision import LivenessDecision
from uploader.api.submission import Origin, Outcome

SPEC = "sim:size=640x360,distance=45,fps=15"


class KeptOutbox:
    """Takes every clip, keeps the last, and says what it is told to say."""

    def __init__(self, decision: LivenessDecision = LivenessDecision.REALFACE) -> None:
        self.outcome: Outcome | None = None
        self.clips: list[Clip] = []
        self.origins: list[Origin] = []
        self._decision = decision

    def ensure_room(self) -> None:
        pass

    def send(self, job: int, clip: Clip, origin: Origin, tell: Callable[[Event], None]) -> None:
        self.clips, self.origins = [clip], [origin]
        self.outcome = Outcome(200, "0", decision=self._decision)
        tell(answer_of(job, self.outcome))

    def close(self) -> None:
        pass


class WatchedCamera(SimulatedCamera):
    """Notes what is asked of its controls, and that it was closed."""

    def __init__(self, *arguments: Any) -> None:
        self.asked: list[str] = []
        super().__init__(*arguments)

    def lock(self) -> bool:
        self.asked.append("lock")
        return super().lock()

    def unlock(self) -> None:
        self.asked.append("unlock")
        super().unlock()

    def close(self) -> None:
        self.asked.append("close")
        super().close()


class FaultyCamera(WatchedCamera):
    """Does something else than a camera should for a while; ``fault`` is set by the test."""

    fault: Callable[[Frame], Frame | None] | None = None

    def read(self, timeout_s: float = 2.0) -> Frame | None:
        frame = super().read(timeout_s)
        if frame is None or self.fault is None:
            return frame
        changed = self.fault(frame)
        if changed is None:
            raise CameraError("unplugged")
        return changed


@dataclass
class Run:
    """What a simulated kiosk did."""

    outbox: KeptOutbox
    camera: WatchedCamera
    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    ending: Ending = field(default_factory=Ending)
    last: ServedSession | None = None

    def all(self, name: str) -> list[dict[str, Any]]:
        return [values for told, values in self.events if told == name]


def run_simulated(
    spec: str = SPEC,
    settings: Settings | None = None,
    extras: Extras | None = None,
    *,
    once: bool = True,
    on_event: Callable[[KioskSession, str, dict[str, Any]], None] | None = None,
    make_camera: Callable[..., WatchedCamera] = WatchedCamera,
) -> Run:
    """Run a kiosk until it ends; ``on_event`` may stop it or change its camera."""
    options = parse_spec(spec)
    options = replace(options, duration_s=options.duration_s or 60.0)
    clock, history = VirtualClock(), FlipHistory()
    camera = make_camera(options, clock, history)
    run = Run(KeptOutbox(), camera)
    screen = VirtualScreen(clock, on_flip=history.on_flip)
    devices = Devices(camera, screen, run.outbox, clock, stepping=True)
    running: list[KioskSession] = []

    def told(name: str, values: dict[str, Any]) -> None:
        run.events.append((name, values))
        if on_event is not None and running:
            on_event(running[0], name, values)

    known = for_simulation(settings or Settings(), options)
    extras = extras or Extras(seed=options.seed, keep_last=True)
    with KioskSession(known, devices, told, extras) as kiosk:
        running.append(kiosk)
        run.ending = kiosk.run(once=once)
        run.last = kiosk.last
    return run


def recorded(folder: Path) -> Extras:
    """Return extras that record there, repeatably."""
    folder.mkdir(exist_ok=True)
    return Extras(record_dir=folder, seed=0, keep_last=True)
