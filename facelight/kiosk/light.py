"""The light of a live session: which slot is due, what was really shown, what lit a frame."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace

from capture.clock import Clock
from capture.display.flip_log import FlipLog
from capture.display.player import LightPlayer
from capture.display.port import FlipRecord
from capture.illumination import NEUTRAL_RGB, Flip, IlluminationPlan, Slot
from capture.plan import repeat_plan
from capture.timeline import Label, LabelKind, Timeline, Timing


@dataclass(frozen=True, slots=True)
class ShownSlot:
    """A coloured slot that was shown; ``index`` is that of the first plan, also for repeats."""

    index: int
    start_ns: int
    end_ns: int


class LiveLight:
    """Plays plans on the screen's flips and labels frames; one for each attempt.

    The main thread plays and records; the observer's thread asks for labels.
    """

    def __init__(self, plan: IlluminationPlan, timing: Timing, clock: Clock) -> None:
        self.plan = plan
        self.timing = timing
        self._clock = clock
        self._log = FlipLog()
        self._lock = threading.Lock()
        self._player: LightPlayer | None = None
        self._indices: dict[int, int] = {}
        self._started: dict[int, int] = {}
        self.slots: list[ShownSlot] = []

    @property
    def colours(self) -> tuple[str, ...]:
        """Names of the plan's colours."""
        return tuple(dict.fromkeys(s.colour for s in self.plan.slots if s.colour is not None))

    @property
    def playing(self) -> bool:
        """Whether a plan runs."""
        return self._player is not None

    def start(self, refresh_hz: float) -> None:
        """Play the plan from the next flip on."""
        self._play(self.plan, {i: i for i in range(len(self.plan.slots))}, refresh_hz)

    def repeat(self, slots: Sequence[int], refresh_hz: float, nits: float) -> None:
        """Play coloured slots of the plan once more."""
        again = repeat_plan(self.plan, slots, nits)
        coloured = [i for i, slot in enumerate(again.slots) if slot.colour is not None]
        self._play(again, dict(zip(coloured, slots, strict=True)), refresh_hz)

    def due(self, now_ns: int) -> tuple[int, Slot] | None:
        """Return index and slot to show at the next flip, None when no plan runs or it is over."""
        return self._player.due(now_ns) if self._player else None

    def progress(self, now_ns: int) -> float:
        """Return the played share of the plan."""
        return self._player.progress(now_ns) if self._player else 0.0

    def flipped(self, due: tuple[int, Slot] | None, shown: FlipRecord) -> None:
        """Report every flip of the session, in or out of a plan; ``due`` None is neutral."""
        if due is None:
            self._log.record(shown, None, NEUTRAL_RGB)
            return
        index, slot = due
        self._log.record(shown, slot.colour, slot.rgb)
        if self._player is not None:
            self._player.flipped(index, shown.flipped_ns)
        if index not in self._started:
            self._close_slot(shown.flipped_ns)
            self._started[index] = shown.flipped_ns

    def stop(self, now_ns: int) -> None:
        """End the plan; the caller shows neutral at the very next flip."""
        self._close_slot(now_ns)
        self._player = None
        self._started.clear()

    def label(self, t_frame_ns: int) -> Label:
        """Return what lit a frame; waits until no flip can touch its exposure any more.

        So the label is final: a replay of the recording gives the same.
        """
        timeline = self.timeline()
        closes_ns = timeline.window_ns(t_frame_ns)[1]
        if closes_ns > self._clock.now_ns():
            self._clock.sleep_until(closes_ns)
            timeline = self.timeline()
        return timeline.label(t_frame_ns)

    def timeline(self) -> Timeline:
        """Return the light so far."""
        return Timeline(self._log.flips(), self.timing)

    def flips(self) -> tuple[Flip, ...]:
        """Return what was shown so far."""
        return self._log.flips()

    def bad_slots(self, accepted: Sequence[tuple[int, str]], least: int) -> tuple[int, ...]:
        """Return the coloured slots of the first plan with fewer than ``least`` accepted frames.

        Parameters
        ----------
        accepted : (t_frame_ns, colour) of accepted, cleanly lit frames.
        """
        counts = {slot.index: 0 for slot in self.slots}
        for t_frame_ns, _ in accepted:
            exposed_ns = t_frame_ns - self.timing.latency_ns
            for slot in self.slots:
                if slot.start_ns <= exposed_ns < slot.end_ns:
                    counts[slot.index] += 1
        return tuple(index for index, count in sorted(counts.items()) if count < least)

    def _play(self, plan: IlluminationPlan, indices: dict[int, int], refresh_hz: float) -> None:
        self._started.clear()
        self._indices = {
            i: first for i, first in indices.items() if plan.slots[i].colour is not None
        }
        self._player = LightPlayer(plan, refresh_hz)

    def _close_slot(self, now_ns: int) -> None:
        """Note the end of the slot that was on the screen, if it was a coloured one."""
        if not self._started:
            return
        last, start_ns = next(reversed(self._started.items()))
        if last in self._indices:
            self.slots.append(ShownSlot(self._indices[last], start_ns, now_ns))


class Latency:
    """What is known of the lag: begins with a profile or a guess, learns from each lit session."""

    def __init__(self, timing: Timing, measured_uncertainty_ns: int) -> None:
        self.timing = timing
        self._measured_uncertainty_ns = measured_uncertainty_ns

    def learn(self, delay_ns: int) -> None:
        """Take over a session's own estimate; all its frames move by one constant."""
        self.timing = replace(
            self.timing,
            latency_ns=delay_ns,
            latency_uncertainty_ns=self._measured_uncertainty_ns,
        )


def is_clean(label: Label) -> bool:
    """Return whether a frame was lit by one colour alone."""
    return label.kind is LabelKind.CLEAN
