"""What the screen really showed: one entry for each change of light, read by the labelling."""

from __future__ import annotations

import threading

from capture.display.port import FlipRecord
from capture.light.illumination import NEUTRAL_RGB, Flip, Rgb


class FlipLog:
    """Changes of the light field in time order; written by the main thread, read by any.

    Attributes
    ----------
    late : flips that came more than 1.5 refresh periods after they were submitted.
    """

    def __init__(self) -> None:
        self._flips: list[Flip] = []
        self._lock = threading.Lock()
        self.late = 0

    def record(self, shown: FlipRecord, colour: str | None, rgb: Rgb = NEUTRAL_RGB) -> None:
        """Note that ``rgb`` is on the screen since ``shown``; no change, no entry."""
        if (shown.flipped_ns - shown.submitted_ns) * shown.refresh_hz > 1.5e9:
            self.late += 1
        with self._lock:
            last = self._flips[-1] if self._flips else None
            if last is None or (last.colour, last.rgb) != (colour, rgb):
                self._flips.append(Flip(shown.flipped_ns, colour, rgb))

    def flips(self) -> tuple[Flip, ...]:
        """Return a snapshot."""
        with self._lock:
            return tuple(self._flips)
