"""A whole kiosk for integrators and the command line: opens everything, checks it, serves."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self, TypeAlias

from capture.camera import Camera, check_offers
from capture.clock import Clock
from capture.display.port import FlipSource, Screen
from capture.light.plan import make_plan
from facelight.config.settings import Settings
from facelight.kiosk.background import BackgroundWork, NoWorkers, ThreadWorkers
from facelight.kiosk.frame_judge import FrameJudge
from facelight.kiosk.light import Latency, half_light_ns
from facelight.kiosk.loop import Around, Ending, Inbox, Loop
from facelight.kiosk.observing import Observer, OnAge, StepObserver, ThreadObserver, unasked
from facelight.kiosk.outbox import Outbox
from facelight.kiosk.screens.wording import Words
from facelight.kiosk.session_runner import Parts, ServedSession, SessionRunner
from facelight.kiosk.speech.narrator import Mute, Narrator
from preprocess.tracking.opening import open_tracker
from preprocess.tracking.tracker import Tracker

OnEvent: TypeAlias = Callable[[str, dict[str, Any]], None]


STOPPING_S = 1.0
COMPLETING_S = 30.0
"""Recordings on a slow disk are waited for, unless somebody asked for the end."""


@dataclass(frozen=True, slots=True)
class Devices:
    """What a kiosk works with; ``KioskSession`` closes camera, screen and outbox.

    Attributes
    ----------
    stepping : for cameras on a virtual clock: frames are looked at in step with the screen, and
        nothing has a thread of its own.
    """

    camera: Camera
    screen: Screen
    outbox: Outbox
    clock: Clock
    stepping: bool = False


def _none() -> None:
    """Nobody has asked."""


@dataclass(frozen=True, slots=True)
class Extras:
    """What few need.

    Attributes
    ----------
    record_dir : where each captured session is kept as ``.flrec``, faces in the clear; None: none.
    seed : plans and session ids are drawn from it, for simulations that can be repeated; None:
        from the system's CSPRNG.
    keep_last : keep the last session's result when the person has gone.
    on_age : called with the age of each frame in ns when it has been judged; with live cameras.
    inbox : what programs beside the kiosk ask of the session; called at every turn of the loop.
    narrator : says what the screen says; the caller closes it.
    reference : the asking program's own name for the session under way; None: nobody asked.
    """

    record_dir: Path | None = None
    seed: int | None = None
    keep_last: bool = False
    on_age: OnAge = unasked
    inbox: Inbox = list
    reference: Callable[[], str | None] = _none
    narrator: Narrator = field(default_factory=Mute)


class KioskSession:
    """Serves people one after another with the devices given.

    Everything that can be wrong with the settings is found before the screen is opened.

    Parameters
    ----------
    settings : everything that can be set; see ``facelight.config.settings.load_settings``.
    devices : opened camera and outbox, and a screen that is opened here.
    on_event : called with each event's name and values (``docs/kiosk.md``), from several threads.

    Raises
    ------
    SettingsError, CaptureError, PreprocessError
        a plan that is not safe, a missing language, theme, font, model or display.
    """

    def __init__(
        self,
        settings: Settings,
        devices: Devices,
        on_event: OnEvent | None = None,
        extras: Extras | None = None,
    ) -> None:
        self._settings = settings
        extras = extras or Extras()
        self._stack = ExitStack()
        self._asked = False
        self._runner: SessionRunner | None = None
        with ExitStack() as opening:
            opening.enter_context(devices.camera)
            check_offers(devices.camera)
            opening.callback(devices.outbox.close)
            words = checked_words(settings)
            opening.enter_context(devices.screen)
            self._settings = with_half_light(settings, devices.screen.refresh.source)
            timing = settings.timing
            self.latency = Latency(timing.timing(), round(timing.measured_uncertainty_ms * 1e6))
            workers: BackgroundWork = NoWorkers() if devices.stepping else ThreadWorkers()
            opening.callback(lambda: workers.close(STOPPING_S))
            opening.callback(self._await_recordings)
            self._observer = opening.enter_context(closing(self._watch(devices, extras.on_age)))
            told = on_event or _silent
            runner = self._runner = SessionRunner(self._parts(devices, workers, told, extras))
            around = Around(extras.inbox, extras.narrator)
            self._loop = Loop(devices.screen, runner, words, devices.clock, told, around)
            self._stack = opening.pop_all()

    @property
    def last(self) -> ServedSession | None:
        """The last finished capture; None once the person has gone, unless asked to be kept."""
        return None if self._runner is None else self._runner.last

    @property
    def looked(self) -> int:
        """How many frames were judged so far: stands still when camera or tracker do."""
        return self._observer.looked

    def run(self, *, once: bool = False) -> Ending:
        """Serve until ``stop``, or until one session has ended."""
        return self._loop.run(self._settings.session, once=once)

    def stop(self) -> None:
        """End the run at the next flip; for any thread and for signal handlers."""
        self._asked = True
        self._loop.stop()

    def close(self) -> None:
        """Give back screen, camera controls and threads; idempotent."""
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def _watch(self, devices: Devices, on_age: OnAge) -> Observer:
        settings = self._settings

        def tracker() -> Tracker:
            return open_tracker(settings.tracker)

        judge = FrameJudge(settings, tracker, settings.kiosk.presence_ied_px)
        if devices.stepping:
            return StepObserver(devices.camera, judge, devices.clock)
        return ThreadObserver(devices.camera, judge, devices.clock, on_age)

    def _parts(
        self, devices: Devices, workers: BackgroundWork, told: OnEvent, extras: Extras
    ) -> Parts:
        return Parts(
            settings=self._settings,
            camera=devices.camera,
            observer=self._observer,
            outbox=devices.outbox,
            clock=devices.clock,
            workers=workers,
            told=told,
            latency=self.latency,
            record_dir=extras.record_dir,
            seed=extras.seed,
            keep_last=extras.keep_last,
            reference=extras.reference,
        )

    def _await_recordings(self) -> None:
        if self._runner is not None:
            self._runner.close(STOPPING_S if self._asked else COMPLETING_S)


def checked_words(settings: Settings) -> Words:
    """Return the wording, after everything was found that makes these settings unusable.

    Raises
    ------
    SettingsError, CaptureError, PreprocessError
        a plan that is not safe, a missing language, theme, font, consent text or model.
    """
    light = settings.session.light
    if light:
        make_plan(settings.plan, seed=0, screen_nits=settings.kiosk.screen_nits)
    words = Words(settings.kiosk, settings.plan, light=light)
    open_tracker(settings.tracker).close()  # loads the models, once, before anybody comes
    return words


def with_half_light(settings: Settings, source: FlipSource) -> Settings:
    """Return settings that know how slow this screen's light comes, unless they say it."""
    if settings.light.rise_ns:
        return settings
    rise_ns = half_light_ns(settings.timing.timing(), source)
    return settings.model_copy(update={"light": replace(settings.light, rise_ns=rise_ns)})


def live(settings: Settings) -> Settings:
    """Return the settings of a session that must not wait: the encoder falls back instead."""
    return settings.model_copy(update={"clip": replace(settings.clip, live=True)})


def _silent(_name: str, _values: dict[str, Any]) -> None:
    """Tell nobody."""
