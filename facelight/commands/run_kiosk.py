"""``facelight kiosk``: opens what the settings name, serves, and ends with the right code."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from capture.camera import Camera, Provenance
from capture.clock import Clock, SystemClock
from capture.display.port import Screen
from capture.display.pygame_screen import PygameScreen, ScreenOptions
from capture.display.x11 import when_x_server_dies
from capture.errors import DisplayError
from capture.files.recording import remove_abandoned
from capture.live.options import LiveOptions
from capture.live.spec import open_camera
from capture.simulator.scene.simulated_screen import FlipHistory
from facelight import __version__
from facelight.commands.lighting_screen import LightingScreen
from facelight.config.log import set_up
from facelight.config.profiles import require_profiled
from facelight.config.settings import Settings, spool_dir
from facelight.delivery.client import endpoint_of
from facelight.errors import Exit, FacelightError
from facelight.kiosk.app import (
    Devices,
    Extras,
    KioskSession,
    OnEvent,
    checked_words,
    live,
)
from facelight.kiosk.control.event_log import EventLog
from facelight.kiosk.control.port import ControlPort, control_settings
from facelight.kiosk.control.sessions import RequestedSessions
from facelight.kiosk.events import EVENTS_VERSION, EventWriter
from facelight.kiosk.host import HostLoad, HostWatch
from facelight.kiosk.loop import Ending
from facelight.kiosk.machine.state import Device, Problem, Result
from facelight.kiosk.outbox import SpoolOutbox
from facelight.kiosk.screens.scenes import every_scene
from facelight.kiosk.screens.wording import Words
from facelight.kiosk.speech.opening import checked_voices, open_narrator
from facelight.kiosk.systemd import ServiceManager
from facelight.kiosk.telemetry import Telemetry
from facelight.memory_guard import forbid_core_dumps
from uploader.errors import ProvenanceError
from uploader.http.network_options import NetworkOptions, first_hop
from uploader.secret_environment import withdraw_secrets

CONNECT_TIMEOUT_S = 5.0
CONTROLS_FILE = "camera-controls.json"
_REJECTED = frozenset({Problem.QUALITY, Problem.LIGHT, Problem.MOVED, Problem.TIME, Problem.SECOND})
_IDENTITY = (
    "driver",
    "bus",
    "vendor",
    "product",
    "serial",
    "port",
    "virtual",
    "virtual_why",
)
_LOG = logging.getLogger(__name__)


class KioskError(FacelightError):
    """The kiosk cannot be started; nothing was shown."""


@dataclass(frozen=True, slots=True)
class KioskRequest:
    """What the command line asked for besides settings.

    Attributes
    ----------
    leave : called with the exit code after a signal, once everything is closed; ends the process.
    """

    once: bool = False
    events: bool = False
    record_dir: Path | None = None
    offline: bool = False
    exit_by_decision: bool = False
    leave: Callable[[int], None] | None = None


def run_kiosk(settings: Settings, asked: KioskRequest) -> Exit:
    """Check everything, then serve people until a signal or, with ``once``, one session's end.

    Raises
    ------
    FacelightError, CaptureError, UploaderError
        before anything is shown: unsafe plan, missing language, theme, font, display or camera,
        service that cannot be reached. Later: the display or a thread of ours is lost.
    """
    _prepare_process(settings)
    clock, history = SystemClock(), FlipHistory()
    metrics_file = settings.kiosk.metrics_file
    telemetry = Telemetry(Path(metrics_file) if metrics_file else None, clock)
    with ExitStack() as stack, stopping() as stop:
        words = checked_words(settings)
        voices = checked_voices(settings.kiosk, words.codes)
        port = control_settings(settings.kiosk)
        _check_surroundings(settings, asked)
        told = both(EventWriter(clock), telemetry.on_event) if asked.events else telemetry.on_event
        narrator = stack.enter_context(closing(open_narrator(settings.kiosk, voices)))
        extras = Extras(asked.record_dir, on_age=telemetry.on_age, narrator=narrator)
        if port is not None:
            asking = RequestedSessions(words.codes, EventLog(clock.now_ns))
            told, extras = asking.tagged(told), extras_of(asking, extras)
            stack.enter_context(ControlPort(port, asking))
        outbox = stack.enter_context(SpoolOutbox(settings, telemetry.on_delivery))
        camera = stack.enter_context(
            open_camera(settings.kiosk.camera, remembering(settings), clock, history)
        )
        _check_camera(camera, settings)
        glass = stack.enter_context(closing(open_screen(settings, words, clock)))
        lit = LightingScreen(glass, history)
        devices = Devices(camera, lit, outbox, clock)
        telemetry.watch_camera(camera)
        telemetry.watch_spool(outbox.depth)
        stack.enter_context(telemetry)
        told("start", about(camera, glass, settings))
        kiosk = stack.enter_context(KioskSession(live(settings), devices, told, extras))
        when_x_server_dies(lambda: display_died(camera, told))
        stop.calls(kiosk.stop)
        manager = ServiceManager()
        stack.callback(manager.stopping)
        lit.each_turn(lambda: manager.turn(kiosk.looked))
        host = HostWatch(camera.info.fps, telemetry.on_load, lambda load: tell_load(load, told))
        lit.each_flip(lambda shown: host.turn(shown, kiosk.looked))
        ending = served(kiosk, told, once=asked.once)
    code = exit_of(ending, asked)
    if stop.came and asked.leave is not None:
        asked.leave(code)
    return code


def served(kiosk: KioskSession, told: OnEvent, *, once: bool) -> Ending:
    """Serve people; a lost display ends it with an event that says so.

    Raises
    ------
    DisplayError
        the display is lost.
    """
    try:
        return kiosk.run(once=once)
    except DisplayError:
        told("quit", {"device": Device.SCREEN.value})
        raise


def display_died(camera: Camera, told: OnEvent) -> None:
    """Put in order what the death of the X server leaves: the last event, the camera's controls."""
    _LOG.error("the display is lost: the X server has gone")
    told("quit", {"device": Device.SCREEN.value})
    camera.close()


def leave_at_once(code: int) -> None:
    """End the process without taking the interpreter apart: that takes 0.6 to 2.6 s [measured]."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def both(one: OnEvent, other: OnEvent) -> OnEvent:
    """Return what tells two listeners."""

    def tell(name: str, values: dict[str, Any]) -> None:
        one(name, values)
        other(name, values)

    return tell


def tell_load(load: HostLoad, told: OnEvent) -> None:
    """Tell that the machine is too slow for a kiosk, or that it keeps up again."""
    if load.slow:
        _LOG.warning("%s", load.reason)
    else:
        _LOG.warning("this machine keeps up again: %.1f frames a second", load.frames_per_s)
    told("host", load.as_dict())


def about(camera: Camera, screen: Screen, settings: Settings) -> dict[str, Any]:
    """Return what the ``start`` event says of the devices."""
    info, refresh = camera.info, screen.refresh
    return {
        "version": EVENTS_VERSION,
        "software": f"facelight/{__version__}",
        "camera": {
            "id": info.id,
            "name": info.name,
            "size": list(info.size_wh),
            "provenance": info.provenance.value,
            "identity": identity_of(camera),
        },
        "screen": {
            "size": list(screen.size_wh),
            "refresh_hz": round(refresh.hz, 2),
            "missed": refresh.missed,
            "timed_by": refresh.source.value,
        },
        "endpoint": endpoint_of(settings).url,
    }


def remembering(settings: Settings) -> LiveOptions:
    """Return the camera's options with a place for how it was found: beside the device key."""
    options = settings.camera
    if options.controls_file:
        return options
    key = settings.device_key_file
    folder = key.parent if key is not None else spool_dir(settings)
    return replace(options, controls_file=str(folder / CONTROLS_FILE))


def identity_of(camera: Camera) -> dict[str, str]:
    """Return who the camera is and whether it is virtual; only a device can be told."""
    details = camera.info.details
    if "virtual" not in details:
        return {"virtual": "unknown", "virtual_why": "no device: a stream or a file proves nothing"}
    return {name: details[name] for name in _IDENTITY if name in details}


def open_screen(settings: Settings, words: Words, clock: Clock) -> PygameScreen:
    """Return the open screen, after every text in every language was found to be drawable."""
    options = settings.kiosk
    chosen = ScreenOptions(
        display=options.display,
        windowed=options.windowed,
        unsynced=options.unsynced,
        text_scale=options.text_scale,
    )
    screen = PygameScreen(words.wording.theme, chosen, clock)
    screen.open()
    try:
        screen.rehearse(scene for wording in words.all() for scene in every_scene(wording))
    except DisplayError:
        screen.close()
        raise
    return screen


def _prepare_process(settings: Settings) -> None:
    """Set up the log, and keep faces and keys within this process."""
    set_up(settings.log)
    forbid_core_dumps()
    withdraw_secrets()


def extras_of(asking: RequestedSessions, extras: Extras) -> Extras:
    """Return the extras of a kiosk that programs beside it may ask for sessions."""
    return replace(extras, inbox=asking.inbox, reference=asking.reference)


def _check_camera(camera: Camera, settings: Settings) -> None:
    """Log who the camera is; raise where profile or service do not go with it."""
    _LOG.info("camera %s: %s", camera.info.id, identity_of(camera))
    require_profiled(settings, camera.info.id)
    refuse_simulated(settings, camera.info.provenance)


def _check_surroundings(settings: Settings, asked: KioskRequest) -> None:
    """Raise `KioskError` when the service, or the folder for recordings, cannot be used."""
    if not asked.offline:
        ensure_reachable(endpoint_of(settings).url, settings.http)
    if asked.record_dir is not None:
        ensure_folder(asked.record_dir)
        remove_abandoned(asked.record_dir)


def ensure_reachable(endpoint: str, network: NetworkOptions | None = None) -> None:
    """Raise `KioskError` when nothing listens at the endpoint, or at the proxy before it."""
    hop = first_hop(network or NetworkOptions(), endpoint)
    try:
        with socket.create_connection(hop, timeout=CONNECT_TIMEOUT_S):
            pass
    except OSError as error:
        by = "" if hop[0] == urlsplit(endpoint).hostname else f" by the proxy {hop[0]}:{hop[1]}"
        told = f"endpoint {endpoint}: cannot be reached{by}: {error}"
        raise KioskError(f"{told}; --offline starts all the same and spools") from error


def ensure_folder(folder: Path) -> None:
    """Raise `KioskError` when recordings cannot be written there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".facelight-probe"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise KioskError(f"--record {folder}: cannot be written: {error.strerror}") from error


def refuse_simulated(settings: Settings, provenance: Provenance) -> None:
    """Raise `ProvenanceError` when simulated sessions would go to a real service."""
    if provenance is not Provenance.SIMULATED or settings.allow_simulated:
        return
    where = endpoint_of(settings)
    if not where.local:
        raise ProvenanceError(
            f"camera {settings.kiosk.camera} is simulated and {where.url} is no local service"
        )


class Stop:
    """What a signal does: unwinds while things are being opened, then ends the kiosk gently."""

    def __init__(self) -> None:
        self.came = False
        self._end: Callable[[], None] | None = None

    def calls(self, end: Callable[[], None]) -> None:
        """From now on call ``end`` instead of raising."""
        self._end = end

    def __call__(self, number: int, _frame: object) -> None:
        """Handle a signal; a second one unwinds in any case."""
        self.came = True
        end, self._end = self._end, None
        if end is None:
            raise SystemExit(128 + number)
        end()


@contextmanager
def stopping() -> Iterator[Stop]:
    """Let SIGINT and SIGTERM end what runs here, with everything closed."""
    stop = Stop()
    names = [name for name in ("SIGINT", "SIGTERM", "SIGBREAK") if hasattr(signal, name)]
    before = {name: signal.getsignal(getattr(signal, name)) for name in names}
    for name in names:
        signal.signal(getattr(signal, name), stop)
    try:
        yield stop
    finally:
        for name, handler in before.items():
            signal.signal(getattr(signal, name), handler)


def exit_of(ending: Ending, asked: KioskRequest) -> Exit:
    """Return the exit code of ``--once``; without it, ending on request is success."""
    if ending.source_ended and not ending.delivered:
        return Exit.FAILED
    if not asked.once or ending.outcome in {"", "quit"}:
        return Exit.DONE
    if ending.outcome == Result.SAVED:
        return Exit.NOT_DELIVERED
    if ending.outcome in _REJECTED:
        return Exit.REJECTED
    if not ending.delivered:
        return Exit.FAILED
    unreal = ending.decision is not None and ending.decision.casefold() != "realface"
    return Exit.NOT_REAL if asked.exit_by_decision and unreal else Exit.DONE
