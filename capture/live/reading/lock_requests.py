"""Any thread asks for a lock; the reader thread, which alone may touch a device, does it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from capture.live.reading.feed import LockableControls

if TYPE_CHECKING:
    from pydantic import JsonValue

NOTHING: Mapping[str, JsonValue] = MappingProxyType({})
NEEDED = ("exposure", "white_balance")
"""What must stand still for the light to be measured; a fixed lens needs no lock."""


class LockRequests:
    """Requests to lock and unlock, at most one at a time."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._asked: bool | None = None
        self._ticket = 0
        self._answered = 0
        self._report: Mapping[str, JsonValue] = NOTHING
        self._work: Generator[None, float, Mapping[str, JsonValue]] | None = None

    @property
    def report(self) -> Mapping[str, JsonValue]:
        """What the last lock achieved; empty while nothing is locked."""
        with self._changed:
            return self._report

    def ask(self, *, locked: bool, timeout_s: float) -> bool:
        """Wait until it is done; False when that takes too long or another request came."""
        with self._changed:
            self._ticket += 1
            ticket = self._ticket
            self._asked = locked
            self._report = NOTHING
            done = self._changed.wait_for(lambda: self._answered >= ticket, timeout_s)
            if not done and self._ticket == ticket:
                self._asked = False  # nobody waits any more; what is half locked must not stay so
            return done and self._answered == ticket

    def serve(self, controls: LockableControls | None, level: Callable[[], float]) -> None:
        """Do a piece of the work, at every new frame, on the reader thread."""
        with self._changed:
            asked, self._asked = self._asked, None
            ticket = self._ticket
        if asked is not None and self._work is not None:
            self._work.close()
            self._work = None
        if asked is None and self._work is None:
            return
        if controls is None:
            self._answer(ticket, NOTHING)
        elif asked is False:
            controls.unlock()
            self._answer(ticket, NOTHING)
        else:
            self._advance(controls, level, ticket, start=asked is True)

    def drop(self) -> None:
        """Answer whoever waits: the camera is lost, and its controls with it."""
        if self._work is not None:
            self._work.close()
            self._work = None
        with self._changed:
            ticket, self._asked = self._ticket, None
        self._answer(ticket, NOTHING)

    def _advance(
        self, controls: LockableControls, level: Callable[[], float], ticket: int, *, start: bool
    ) -> None:
        try:
            if start or self._work is None:
                self._work = controls.lock()
                next(self._work)
            else:
                self._work.send(level())
        except StopIteration as finished:
            self._work = None
            self._answer(ticket, finished.value)

    def _answer(self, ticket: int, report: Mapping[str, JsonValue]) -> None:
        with self._changed:
            self._report = report
            self._answered = ticket
            self._changed.notify_all()


def is_locked(report: Mapping[str, JsonValue]) -> bool:
    """Return whether exposure and white balance stand still."""
    entries = [report.get(name) for name in NEEDED]
    return all(isinstance(entry, dict) and entry.get("locked") is True for entry in entries)
