"""How fast a batch goes and how long it still takes, from when its results came."""

from __future__ import annotations

from collections import deque

WINDOW = 200
"""Results that count: enough to be calm, few enough to notice a change."""


class Pace:
    """Told of every result, it knows the rate of the last ones.

    Parameters
    ----------
    total : how many are to come.
    started_s : when the batch began, on any monotonic clock in seconds.
    """

    def __init__(self, total: int, started_s: float) -> None:
        self.total = total
        self.done = 0
        self._times: deque[float] = deque([started_s], maxlen=WINDOW + 1)

    def add(self, now_s: float) -> None:
        """Note a result."""
        self.done += 1
        self._times.append(now_s)

    @property
    def rate_hz(self) -> float:
        """Results a second over the last ``WINDOW``; 0 before the first."""
        span_s = self._times[-1] - self._times[0]
        return (len(self._times) - 1) / span_s if span_s > 0 else 0.0

    @property
    def left_s(self) -> float | None:
        """Seconds until the last result at this rate; None before the first."""
        rate_hz = self.rate_hz
        return (self.total - self.done) / rate_hz if rate_hz else None

    def told(self) -> str:
        """Return the state as one line."""
        line = f"{self.done} of {self.total}"
        left_s = self.left_s
        if left_s is None:
            return line
        rate_hz = self.rate_hz
        rate = f"{rate_hz:.2g} a second" if rate_hz >= 1 else f"{60 * rate_hz:.2g} a minute"
        return f"{line}, {rate}, {_duration(left_s)} left"


def _duration(seconds: float) -> str:
    minutes, whole_s = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {whole_s:02d} s" if minutes else f"{whole_s} s"
