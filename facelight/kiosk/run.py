"""``facelight kiosk``: opens what the settings name, serves, and ends with the right code."""

from __future__ import annotations

import json
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from capture.camera import Provenance
from capture.clock import Clock, SystemClock
from capture.display.port import FlipRecord, InputEvent, Refresh, Screen
from capture.display.pygame_screen import PygameScreen, ScreenOptions
from capture.display.scene import Scene
from capture.errors import DisplayError
from capture.live.spec import open_camera
from capture.simulator.screen import FlipHistory
from facelight.delivery import endpoint_of
from facelight.errors import Exit, FacelightError
from facelight.kiosk.kiosk import Devices, KioskSession, live
from facelight.kiosk.loop import Ending
from facelight.kiosk.outbox import SpoolOutbox
from facelight.kiosk.wording import Words
from facelight.screens import every_scene
from facelight.settings import Settings
from uploader.errors import ProvenanceError

CONNECT_TIMEOUT_S = 5.0
_REJECTED = frozenset({"quality", "light", "moved", "time", "second"})
_NOT_SENT = frozenset({"saved", "not_sent"})


class KioskError(FacelightError):
    """The kiosk cannot be started; nothing was shown."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line asked for besides settings."""

    once: bool = False
    events: bool = False
    record_dir: Path | None = None
    offline: bool = False
    exit_by_decision: bool = False


def run_kiosk(settings: Settings, asked: Asked) -> Exit:
    """Check everything, then serve people until a signal or, with ``once``, one session's end.

    Raises
    ------
    FacelightError, CaptureError, UploaderError
        before anything is shown: unsafe plan, missing language, theme, font, display or camera,
        service that cannot be reached.
    """
    if not asked.offline:
        ensure_reachable(endpoint_of(settings).url)
    if asked.record_dir is not None:
        ensure_folder(asked.record_dir)
    clock, history = SystemClock(), FlipHistory()
    with ExitStack() as stack:
        outbox = stack.enter_context(SpoolOutbox(settings))
        glass = open_screen(settings, clock)
        stack.callback(glass.close)
        camera = open_camera(settings.kiosk.camera, settings.camera, clock, history)
        stack.callback(camera.close)
        refuse_simulated(settings, camera.info.provenance)
        devices = Devices(camera, LightingScreen(glass, history), outbox, clock)
        told = EventWriter(clock) if asked.events else None
        kiosk = stack.enter_context(KioskSession(live(settings), devices, told, asked.record_dir))
        with stopping(kiosk):
            ending = kiosk.run(once=asked.once)
    return exit_of(ending, asked)


def open_screen(settings: Settings, clock: Clock) -> PygameScreen:
    """Return the open screen, after every text in every language was found to be drawable."""
    options = settings.kiosk
    words = Words(options, settings.plan, light=settings.session.light)
    chosen = ScreenOptions(
        display=options.display, windowed=options.windowed, unsynced=options.unsynced
    )
    screen = PygameScreen(words.wording.theme, chosen, clock)
    screen.open()
    try:
        screen.rehearse(scene for wording in words.all() for scene in every_scene(wording))
    except DisplayError:
        screen.close()
        raise
    return screen


def ensure_reachable(endpoint: str) -> None:
    """Raise `KioskError` when nothing listens at the endpoint."""
    parts = urlsplit(endpoint)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        with socket.create_connection((parts.hostname or "", port), timeout=CONNECT_TIMEOUT_S):
            pass
    except OSError as error:
        told = f"endpoint {endpoint}: cannot be reached: {error}"
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


@contextmanager
def stopping(kiosk: KioskSession) -> Iterator[None]:
    """Let SIGINT and SIGTERM end the kiosk at its next flip."""
    names = [name for name in ("SIGINT", "SIGTERM", "SIGBREAK") if hasattr(signal, name)]
    before = {name: signal.getsignal(getattr(signal, name)) for name in names}
    for name in names:
        signal.signal(getattr(signal, name), lambda *_: kiosk.stop())
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(getattr(signal, name), handler)


def exit_of(ending: Ending, asked: Asked) -> Exit:
    """Return the exit code of ``--once``; without it, ending on request is success."""
    if not asked.once or ending.outcome in {"", "quit"}:
        return Exit.DONE
    if ending.outcome in _NOT_SENT:
        return Exit.NOT_DELIVERED
    if ending.outcome in _REJECTED:
        return Exit.REJECTED
    if not ending.delivered:
        return Exit.FAILED
    unreal = ending.decision is not None and ending.decision != "realface"
    return Exit.NOT_REAL if asked.exit_by_decision and unreal else Exit.DONE


class EventWriter:
    """Writes each event as one JSON line on stdout; for any thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()

    def __call__(self, name: str, values: dict[str, Any]) -> None:
        """Write ``{"t_ms": ..., "event": name, ...}``."""
        line = json.dumps({"t_ms": self._clock.now_ns() // 1_000_000, "event": name} | values)
        with self._lock:
            sys.stdout.write(line + "\n")
            sys.stdout.flush()


class LightingScreen:
    """A screen whose flips also light the simulator; other cameras do not care."""

    def __init__(self, screen: Screen, history: FlipHistory) -> None:
        self._screen = screen
        self._history = history

    @property
    def size_wh(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self._screen.size_wh

    @property
    def refresh(self) -> Refresh:
        """What ``open`` measured."""
        return self._screen.refresh

    def open(self) -> None:
        """Take the display."""
        self._screen.open()

    def show(self, scene: Scene) -> FlipRecord:
        """Show a scene and remember its light."""
        shown = self._screen.show(scene)
        self._history.on_flip(shown, scene)
        return shown

    def poll(self) -> tuple[InputEvent, ...]:
        """Return what happened since the last call."""
        return self._screen.poll()

    def close(self) -> None:
        """Give the display back."""
        self._screen.close()

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
