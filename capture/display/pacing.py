"""How a screen's refresh is measured, and how flips are paced where nothing else does it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from statistics import median

from capture.clock import Clock
from capture.display.port import FlipSource, Refresh

MISSED_PERIODS = 1.5
_BLOCKING_SHARE = 0.6


def measure_refresh(flip: Callable[[], int], flips: int, source: FlipSource) -> Refresh:
    """Flip ``flips`` times (``flip`` returns the time in ns) and return what that took."""
    times = [flip() for _ in range(flips)]
    gaps_ms = [(after - before) / 1e6 for before, after in pairwise(times)]
    middle_ms = max(median(gaps_ms), 1e-3)
    missed = sum(gap > MISSED_PERIODS * middle_ms for gap in gaps_ms)
    return Refresh(1000 / middle_ms, middle_ms, missed, flips, source)


def flips_block(refresh: Refresh, nominal_hz: float) -> bool:
    """Return whether the median flip waited for the display, not merely for the driver."""
    return refresh.median_ms >= _BLOCKING_SHARE * 1000 / nominal_hz


class Pacer:
    """Waits for the next beat of a software refresh on the session clock."""

    def __init__(self, clock: Clock, hz: float) -> None:
        self._clock = clock
        self._period_ns = round(1e9 / hz)
        self._beat_ns = clock.now_ns()

    def wait(self) -> None:
        """Return at the next beat; beats that were missed are skipped, never caught up."""
        late_ns = self._clock.now_ns() - self._beat_ns
        self._beat_ns += self._period_ns * max(1, late_ns // self._period_ns + 1)
        self._clock.sleep_until(self._beat_ns)
