"""The one monotonic clock of a session, as a port: tests and the simulator bring their own."""

from __future__ import annotations

import threading
import time
from typing import Protocol


class Clock(Protocol):
    """Monotonic nanoseconds, and waiting on the same time base."""

    def now_ns(self) -> int:
        """Return monotonic time in ns."""
        ...

    def sleep_until(self, t_ns: int) -> None:
        """Return at ``t_ns`` or at once when that has passed."""
        ...


class SystemClock:
    """``CLOCK_MONOTONIC``: the clock of V4L2 buffer stamps and of SDL's flips."""

    def now_ns(self) -> int:
        """Return monotonic time in ns."""
        return time.monotonic_ns()

    def sleep_until(self, t_ns: int) -> None:
        """Sleep until ``t_ns``."""
        left_ns = t_ns - time.monotonic_ns()
        if left_ns > 0:
            time.sleep(left_ns / 1e9)


class VirtualClock:
    """Time that passes only when it is told to: simulated sessions and tests never wait."""

    def __init__(self, start_ns: int = 0) -> None:
        self._now_ns = start_ns
        self._lock = threading.Lock()

    def now_ns(self) -> int:
        """Return virtual time in ns."""
        with self._lock:
            return self._now_ns

    def sleep_until(self, t_ns: int) -> None:
        """Jump to ``t_ns``; the clock never goes back."""
        with self._lock:
            self._now_ns = max(self._now_ns, t_ns)
