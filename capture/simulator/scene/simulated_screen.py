"""The simulated display: flips on the refreshes of a clock, remembered as the head's light."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from typing import Protocol

from capture.clock import Clock
from capture.display.port import FlipRecord
from capture.display.scene import Scene
from capture.errors import DisplayError
from capture.light.illumination import PRIMARIES, Flip, Rgb
from capture.simulator.lighting import SimulatedScreenOptions

_KEPT = 20_000
_NAMES = {rgb: name for name, rgb in PRIMARIES.items()}


class LightSource(Protocol):
    """Whatever knows what the screen has shown."""

    def since(self, t_ns: int) -> Sequence[Flip]:
        """Return the flips after ``t_ns`` and the last one before it, in order of time."""
        ...


class FlipHistory:
    """Flips in order of time, safe to read while another thread adds to them."""

    def __init__(self, flips: Sequence[Flip] = ()) -> None:
        self._flips: deque[Flip] = deque(flips, maxlen=_KEPT)
        self._lock = threading.Lock()

    def add(self, flip: Flip) -> None:
        """Append a flip.

        Raises
        ------
        DisplayError
            it does not come after the last one.
        """
        with self._lock:
            if self._flips and flip.t_ns <= self._flips[-1].t_ns:
                raise DisplayError(
                    f"simulated screen: flip at {flip.t_ns} ns is not after the last one "
                    f"({self._flips[-1].t_ns} ns)"
                )
            self._flips.append(flip)

    def on_flip(self, record: FlipRecord, scene: Scene) -> None:
        """Take over what a ``VirtualScreen`` shows: pass this method as its ``on_flip``.

        Pictures that do not change the light add nothing. A field of a primary's colour counts as
        that colour of the plan, every other one as neutral.
        """
        rgb = scene.field_rgb
        with self._lock:
            unchanged = bool(self._flips) and self._flips[-1].rgb == rgb
        if not unchanged:
            self.add(Flip(record.flipped_ns, _NAMES.get(rgb), rgb))

    def since(self, t_ns: int) -> Sequence[Flip]:
        """Return the flips after ``t_ns`` and the last one before it, in order of time."""
        recent: list[Flip] = []
        with self._lock:
            for flip in reversed(self._flips):
                recent.append(flip)
                if flip.t_ns <= t_ns:
                    break
        return recent[::-1]

    def all(self) -> tuple[Flip, ...]:
        """Return every flip that is still remembered."""
        with self._lock:
            return tuple(self._flips)


class SimulatedScreen:
    """A display whose flips wait for the next refresh of ``clock``, as a blocking vsync does."""

    def __init__(self, clock: Clock, options: SimulatedScreenOptions | None = None) -> None:
        self.options = options or SimulatedScreenOptions()
        self._clock = clock
        self._period_ns = 1e9 / self.options.refresh_hz
        self._start_ns = clock.now_ns()
        self._history = FlipHistory()

    @property
    def flips(self) -> tuple[Flip, ...]:
        """What was really shown, in order of time."""
        return self._history.all()

    def since(self, t_ns: int) -> Sequence[Flip]:
        """Return the flips after ``t_ns`` and the last one before it, in order of time."""
        return self._history.since(t_ns)

    def next_refresh_ns(self, t_ns: int) -> int:
        """Return the first refresh after ``t_ns``."""
        count = int((t_ns - self._start_ns) // self._period_ns) + 1
        return self._start_ns + round(count * self._period_ns)

    def show(self, rgb: Rgb, colour: str | None) -> Flip:
        """Show ``rgb`` from the next refresh on, wait for it, and return the flip."""
        flip = Flip(self.next_refresh_ns(self._clock.now_ns()), colour, rgb)
        self._clock.sleep_until(flip.t_ns)
        self._history.add(flip)
        return flip
