"""Whether a frame came when the camera's own beat says: for cameras whose stamps are arrivals.

A frame that hung in a queue somewhere is stamped too late, and would be labelled with a light that
it has not seen. Cameras expose in a steady beat, so such a frame stands out. Nothing is corrected
here: it cannot be known which frame of a stream is late and which one was lost.
"""

from __future__ import annotations

from collections import deque
from statistics import median

WINDOW = 45
"""One and a half seconds at 30 fps."""
LEARN = 15
TOLERANCE_NS = 8_000_000
"""The guards around labels absorb this much; arrivals usually spread by 1 to 3 ms."""
BEATLESS = 1 / 6
"""Intervals that spread by more than this share: frames come as they are made, without a beat."""
PATIENCE = 10
"""So many frames out of beat in a row are a new beat."""


class Beat:
    """Judges the arrivals of one camera, in order."""

    def __init__(self) -> None:
        self._intervals: deque[float] = deque(maxlen=WINDOW)
        self._before: tuple[int, int] | None = None
        self._before_in_phase = True
        self._believed = (0, 0)
        self._refused = 0

    def fits(self, seq: int, t_ns: int) -> bool:
        """Return whether a frame came in the beat; while the beat is not known, every frame does.

        Parameters
        ----------
        seq : numbers every frame that arrived, also those that nobody took.
        t_ns : its arrival; strictly increasing.
        """
        before, self._before = self._before, (seq, t_ns)
        if before is not None:
            self._intervals.append((t_ns - before[1]) / max(1, seq - before[0]))
        fits = before is None or self._fits(before, seq, t_ns)
        self._refused = 0 if fits else self._refused + 1
        if fits or self._refused >= PATIENCE:
            self._believed, self._before_in_phase, self._refused = (seq, t_ns), True, 0
        return fits

    def _fits(self, before: tuple[int, int], seq: int, t_ns: int) -> bool:
        period_ns = median(self._intervals)
        spread_ns = median(abs(interval - period_ns) for interval in self._intervals)
        if len(self._intervals) < LEARN or spread_ns > BEATLESS * period_ns:
            return True
        phase_before, self._before_in_phase = self._before_in_phase, True
        steps, in_phase = _steps(self._believed[1], t_ns, period_ns)
        if in_phase and steps == seq - self._believed[0]:
            return True
        self._before_in_phase = in_phase
        # after a lost frame the count is off by one, and stays in step with the frame before
        steps_before, _ = _steps(before[1], t_ns, period_ns)
        return in_phase and phase_before and steps_before == seq - before[0]


def _steps(from_ns: int, to_ns: int, period_ns: float) -> tuple[int, bool]:
    """Return how many beats lie between two arrivals, and whether it is a whole number."""
    steps = round((to_ns - from_ns) / period_ns)
    return steps, abs(to_ns - from_ns - steps * period_ns) <= TOLERANCE_NS
