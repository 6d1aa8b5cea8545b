"""The last events, numbered, for any number of readers; a slow or dead one costs nothing."""

from __future__ import annotations

import asyncio
import json
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

KEPT_EVENTS = 1000
"""Some twenty sessions."""
BEAT_S = 10.0
"""A line is sent at least so often: a reader who has gone is noticed by it."""


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """An event with its number; ``text`` is the JSON line of ``--events``."""

    number: int
    name: str
    text: str
    session: str | None

    def frame(self) -> bytes:
        """Return it as a server-sent event."""
        return f"id: {self.number}\nevent: {self.name}\ndata: {self.text}\n\n".encode()


class EventLog:
    """Written by any thread, read by asyncio; who falls behind is told how much was missed."""

    def __init__(self, now_ns: Callable[[], int]) -> None:
        self._now_ns = now_ns
        self._lock = threading.Lock()
        self._events: deque[LoggedEvent] = deque(maxlen=KEPT_EVENTS)
        self._next = 1
        self._wakers: set[Callable[[], None]] = set()
        self._closed = False

    @property
    def last(self) -> int:
        """Number of the newest event; 0 before the first."""
        return self._next - 1

    def add(self, name: str, values: Mapping[str, Any], session: str | None) -> None:
        """Add an event and wake who waits; ``session`` is the requested one, if any."""
        text = json.dumps({"t_ms": self._now_ns() // 1_000_000, "event": name, **values})
        with self._lock:
            self._events.append(LoggedEvent(self._next, name, text, session))
            self._next += 1
        self._wake()

    def close(self) -> None:
        """Let every reader end."""
        self._closed = True
        self._wake()

    def after(self, number: int) -> tuple[list[LoggedEvent], int]:
        """Return the events after ``number`` and how many of them are no longer kept."""
        with self._lock:
            found = [event for event in self._events if event.number > number]
            first = found[0].number if found else self._next
            return found, max(0, first - 1 - number)

    async def frames(
        self, number: int, wanted: Callable[[LoggedEvent], bool], ended: Callable[[], bool]
    ) -> AsyncIterator[bytes]:
        """Yield server-sent events after ``number`` until all are sent and ``ended`` or closed.

        A number that was never given is one of an earlier run of the kiosk: all is sent.
        """
        number = number if number <= self.last else 0
        with self._waiting() as news:
            while True:
                news.clear()
                over = ended() or self._closed  # asked before reading: what came first is sent
                found, missed = self.after(number)
                if missed:
                    yield f"event: missed\ndata: {json.dumps({'events': missed})}\n\n".encode()
                for event in found:
                    number = event.number
                    if wanted(event):
                        yield event.frame()
                if over:
                    return
                try:
                    await asyncio.wait_for(news.wait(), BEAT_S)
                except TimeoutError:
                    yield b": beat\n\n"

    def _wake(self) -> None:
        with self._lock:
            wakers = list(self._wakers)
        for wake in wakers:
            with suppress(RuntimeError):  # its loop has just ended
                wake()

    @contextmanager
    def _waiting(self) -> Iterator[asyncio.Event]:
        """Have an asyncio event set whenever there is news."""
        news, loop = asyncio.Event(), asyncio.get_running_loop()

        def wake() -> None:
            loop.call_soon_threadsafe(news.set)

        with self._lock:
            self._wakers.add(wake)
        try:
            yield news
        finally:
            with self._lock:
                self._wakers.discard(wake)
