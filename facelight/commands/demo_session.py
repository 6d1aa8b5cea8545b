"""One whole session with no camera, no screen and no account: simulated, on a virtual clock.

The simulated person walks through the same loop, stages and wire as a real one; only the clock is
virtual, so that the demo takes as long as its computations.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

from capture.clock import VirtualClock
from capture.display.port import FlipSource
from capture.display.virtual import VirtualScreen
from capture.simulator.camera.simulated_camera import SimulatedCamera
from capture.simulator.options import PersonKind, SimulatorOptions
from capture.simulator.planned_session import true_timing
from capture.simulator.scene.simulated_screen import FlipHistory
from facelight.batch.one_input import Job, SessionOrigin, write_session
from facelight.batch.submitting.deliver import update_result
from facelight.config.kiosk_options import TimingOptions
from facelight.config.settings import Settings
from facelight.errors import FacelightError
from facelight.kiosk.app import Devices, Extras, KioskSession, with_half_light
from facelight.kiosk.loop import Ending
from facelight.kiosk.outbox import DirectOutbox
from facelight.result import ResultRecord
from facelight.service.server import LocalService
from uploader.api.detect import DetectClient
from uploader.http.credentials import SubscriptionKey
from uploader.http.endpoint import Endpoint

KEY = "demo"
LIMIT_S = 40.0
"""Of simulated time: three attempts fit in."""
NOBODY_S = 8.0
"""A place where nobody comes must end too."""
OnEvent: TypeAlias = Callable[[str, dict[str, Any]], None]


class DemoError(FacelightError):
    """The simulated session did not come to a submission."""


@dataclass(frozen=True, slots=True)
class DemoResult:
    """What the demo prints."""

    result: ResultRecord
    folder: Path
    timings_s: dict[str, float]


def run_demo(
    person: SimulatorOptions, settings: Settings, out: Path, on_event: OnEvent
) -> DemoResult:
    """Run one session against a local service and write its artefacts and report.

    Raises
    ------
    DemoError
        the session ended before a clip was delivered; names the outcome.
    """
    started_s = time.monotonic()
    settings = for_simulation(settings, person)
    limit_s = NOBODY_S if person.person.kind is PersonKind.NONE else LIMIT_S
    person = replace(person, duration_s=person.duration_s or limit_s)
    clock = VirtualClock()
    history = FlipHistory()
    camera = SimulatedCamera(person, clock, history)
    screen = VirtualScreen(clock, on_flip=history.on_flip)
    with LocalService(KEY) as service:
        ready_s = time.monotonic()
        with DetectClient(Endpoint(service.url), SubscriptionKey(KEY)) as client:
            outbox = DirectOutbox(client)
            devices = Devices(camera, screen, outbox, clock, stepping=True)
            extras = Extras(seed=person.seed, keep_last=True)
            with KioskSession(settings, devices, on_event, extras) as kiosk:
                ending = kiosk.run(once=True)
                served_s = time.monotonic()
                last = kiosk.last
    if last is None:
        raise DemoError(f"no clip came of person={person.person.kind}: {_why(ending, person)}")
    job = Job(f"sim:{person.person.kind}", "demo", out)
    origin = SessionOrigin(last.id, camera.info.provenance, None, last.timeline)
    found = write_session(job, settings, origin, last.result)
    if outbox.outcome is not None:
        found = update_result(job.target, {"outcome": outbox.outcome.to_json()})
    timings_s = {
        "start": ready_s - started_s,
        "session": served_s - ready_s,
        "session_simulated": clock.now_ns() / 1e9,
        "all": time.monotonic() - started_s,
    }
    return DemoResult(found, job.target, timings_s)


def for_simulation(settings: Settings, person: SimulatorOptions) -> Settings:
    """Return settings that know the simulated kiosk as a calibration would."""
    timing = true_timing(person.camera, person.screen)
    known = TimingOptions(
        latency_ms=timing.latency_ns / 1e6,
        uncertainty_ms=max(3.0, timing.latency_uncertainty_ns / 1e6),
        exposure_ms=person.camera.exposure_ms,
        readout_ms=person.camera.readout_ms,
    )
    session = replace(
        settings.session,
        notice_ms=2000,
        result_ms=1500,
        problem_ms=1500,
        position_limit_ms=5000,
    )
    known_to_us = settings.model_copy(update={"timing": known, "session": session})
    return with_half_light(known_to_us, FlipSource.SIMULATED)


def _why(ending: Ending, person: SimulatorOptions) -> str:
    if ending.outcome in {"", "quit"}:
        return f"nobody stood right within {person.duration_s:g} simulated seconds"
    return f"the session ended as '{ending.outcome}'"
