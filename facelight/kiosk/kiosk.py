"""A whole kiosk for integrators and the command line: opens everything, checks it, serves."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self, TypeAlias

from capture.camera import Camera
from capture.clock import Clock
from capture.display.port import Screen
from capture.plan import make_plan
from facelight.kiosk.desk import Desk, Parts, Runner, Session, in_thread
from facelight.kiosk.eyes import Eyes
from facelight.kiosk.light import Latency
from facelight.kiosk.loop import Ending, Loop
from facelight.kiosk.observers import Observer, StepObserver, ThreadObserver
from facelight.kiosk.outbox import Outbox
from facelight.kiosk.wording import Words
from facelight.settings import Settings
from preprocess.facemesh import FaceMeshTracker

OnEvent: TypeAlias = Callable[[str, dict[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Devices:
    """What a kiosk works with; ``KioskSession`` closes camera, screen and outbox.

    ``stepping`` is for cameras on a virtual clock: frames are looked at in step with the screen.
    """

    camera: Camera
    screen: Screen
    outbox: Outbox
    clock: Clock
    run: Runner = in_thread
    stepping: bool = False


class KioskSession:
    """Serves people one after another with the devices given.

    Parameters
    ----------
    settings : everything that can be set; see ``facelight.settings.load_settings``.
    devices : opened camera and outbox, and a screen that is opened here.
    on_event : called from the main thread and the observer's with each event's name and values.
    record_dir : where each captured session is kept as ``.flrec``; None keeps nothing.

    Raises
    ------
    SettingsError, CaptureError
        a plan that is not safe, a missing language, theme, font or display.
    """

    def __init__(
        self,
        settings: Settings,
        devices: Devices,
        on_event: OnEvent | None = None,
        record_dir: Path | None = None,
    ) -> None:
        self._settings = settings
        self._stack = ExitStack()
        told = on_event or _silent
        options = settings.session
        if options.light:
            make_plan(settings.plan, seed=0, screen_nits=settings.kiosk.screen_nits)
        words = Words(settings.kiosk, settings.plan, light=options.light)
        timing = settings.timing
        self.latency = Latency(timing.timing(), round(timing.measured_uncertainty_ms * 1e6))
        with ExitStack() as opening:
            opening.enter_context(devices.camera)
            opening.callback(devices.outbox.close)
            opening.enter_context(devices.screen)
            observer = opening.enter_context(closing(self._observer(devices)))
            parts = Parts(
                settings=settings,
                camera=devices.camera,
                observer=observer,
                outbox=devices.outbox,
                clock=devices.clock,
                run=devices.run,
                told=told,
                latency=self.latency,
                record_dir=record_dir,
            )
            self._desk = Desk(parts)
            self._loop = Loop(devices.screen, self._desk, words, devices.clock, told)
            self._stack = opening.pop_all()

    @property
    def last(self) -> Session | None:
        """What is left of the last finished session; its pixels are those of the clip alone."""
        return self._desk.last

    def run(self, *, once: bool = False) -> Ending:
        """Serve until ``stop``, or until one session has ended."""
        return self._loop.run(self._settings.session, once=once)

    def stop(self) -> None:
        """End the run at the next flip; for any thread and for signal handlers."""
        self._loop.stop()

    def close(self) -> None:
        """Give back screen, camera controls and threads; idempotent."""
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def _observer(self, devices: Devices) -> Observer:
        def tracker() -> FaceMeshTracker:
            return FaceMeshTracker(self._settings.tracker)

        eyes = Eyes(self._settings, tracker, self._settings.kiosk.presence_ied_px)
        kind = StepObserver if devices.stepping else ThreadObserver
        return kind(devices.camera, eyes)


def live(settings: Settings) -> Settings:
    """Return the settings of a session that must not wait: the encoder falls back instead."""
    return settings.model_copy(update={"clip": replace(settings.clip, live=True)})


def _silent(_name: str, _values: dict[str, Any]) -> None:
    """Tell nobody."""
