"""The kiosk's own state machine behind a control port, moved on by hand: no camera, no waiting."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from capture.clock import VirtualClock
from facelight.config.session_options import SessionOptions
from facelight.kiosk.control.event_log import EventLog
from facelight.kiosk.control.port import ControlAddress, ControlPort, ControlSettings
from facelight.kiosk.control.sessions import RequestedSessions
from facelight.kiosk.machine.effects import Deliver, Effect, Emit, FinishClip, OpenSession
from facelight.kiosk.machine.events import (
    CameraSettled,
    ClipReady,
    Delivered,
    Event,
    LightFinished,
    Observed,
    Tick,
)
from facelight.kiosk.machine.state import Phase
from facelight.kiosk.machine.step import begin, step
from uploader.http.credentials import BearerToken

GOOD = Observed(1, good=True)
NOBODY = Observed(0)
TOKEN = "a-token-of-some-length"
START: dict[str, Any] = {"camera": {"id": "sim", "identity": {"virtual": "unknown"}}}
ORIGIN = "http://127.0.0.1:8701"


class SteppedKiosk:
    """The session machine with its inbox and its events; every work answers at once and well."""

    def __init__(self, options: SessionOptions | None = None, *, started: bool = True) -> None:
        self.clock = VirtualClock()
        self.sessions = RequestedSessions(("en", "de"), EventLog(self.clock.now_ns))
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.told = self.sessions.tagged(lambda name, values: self.events.append((name, values)))
        self.opened = 0
        self._answers: list[Event] = []
        self.state, effects = begin(options or SessionOptions(), self.clock.now_ns())
        if started:
            self.told("start", START)
        self._carry_out(effects)

    def send(self, event: Event) -> None:
        self._answers.append(event)
        while self._answers:
            self.state, effects = step(self.state, self._answers.pop(0), self.clock.now_ns())
            self._carry_out(effects)

    def run(self, ms: int, *events: Event) -> None:
        end_ns = self.clock.now_ns() + ms * 1_000_000
        while self.clock.now_ns() < end_ns:
            self.clock.sleep_until(self.clock.now_ns() + 33_000_000)
            for event in (*self.sessions.inbox(), *events, Tick()):
                self.send(event)
            if self.state.phase is Phase.SETTLE:
                self.send(CameraSettled(self.state.job, locked=True))
            if self.state.phase is Phase.COLOURS:
                self.send(LightFinished(self.state.job))

    def names(self) -> list[str]:
        return [name for name, _ in self.events]

    def phase(self) -> Phase:
        return self.state.phase

    def _carry_out(self, effects: tuple[Effect, ...]) -> None:
        for effect in effects:
            if isinstance(effect, Emit):
                self.told(effect.name, dict(effect.data))
            elif isinstance(effect, OpenSession):
                self.opened += 1
                self.told("session", {"session": f"{self.opened:032x}", "light": effect.light})
            elif isinstance(effect, FinishClip):
                self._answers.append(ClipReady(effect.job, accepted=True))
            elif isinstance(effect, Deliver):
                ids = {"session": f"{self.opened:032x}", "client_request_id": "c1"}
                self.told("submitted", ids)
                self.told("delivery", ids | {"outcome": {"request_id": "r1"}})
                self._answers.append(Delivered(effect.job, "realface"))


@contextmanager
def served(
    kiosk: SteppedKiosk, address: ControlAddress | None = None
) -> Iterator[tuple[ControlPort, httpx.Client]]:
    """Open the port of a kiosk, with a client that holds the token."""
    token = BearerToken(TOKEN)
    settings = ControlSettings(address or ControlAddress("127.0.0.1"), token, (ORIGIN,), False)
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with ControlPort(settings, kiosk.sessions) as port:
        path = port.address.path
        transport = httpx.HTTPTransport(uds=None if path is None else str(path))
        url = "http://localhost" if path is not None else f"http://{port.address}"
        with httpx.Client(base_url=url, headers=headers, transport=transport) as client:
            yield port, client


def token_file(folder: Path, text: str = TOKEN, mode: int = 0o600) -> Path:
    path = folder / "token"
    path.write_text(text)
    path.chmod(mode)
    return path
