"""The light of a live session: which slot is due, what was really shown, what lit a frame."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace

from capture.clock import Clock
from capture.display.flip_log import FlipLog
from capture.display.player import LightPlayer
from capture.display.port import FlipRecord, FlipSource
from capture.light.illumination import NEUTRAL_RGB, Flip, IlluminationPlan, Slot
from capture.light.plan import repeat_plan
from capture.light.timeline import Label, LabelKind, Timeline, Timing

LOOK_AGAIN_NS = 4_000_000
SURE_LATE_FLIPS = 5
"""Of some 250 in a session; a host that misses more of them has too much to do to be measured."""
PATIENCE_NS = 100_000_000
"""How long a label waits for the flip after its exposure to be noted; a screen flips every 17 ms,
and what takes longer than a few of them has stalled."""


@dataclass(frozen=True, slots=True)
class ShownSlot:
    """A coloured slot that was shown; ``index`` is that of the first plan, also for repeats."""

    index: int
    start_ns: int
    end_ns: int


class LiveLight:
    """Plays plans on the screen's flips and labels frames; one for each attempt.

    The main thread plays and reports flips; the observer's thread asks for labels and notes frames.
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
        self._shown_ns: int | None = None
        self._noted_ns: int | None = None
        self._usable: list[int] = []
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
        else:
            index, slot = due
            self._log.record(shown, slot.colour, slot.rgb)
            if self._player is not None:
                self._player.flipped(index, shown.flipped_ns)
            if index not in self._started:
                self._close_slot(shown.flipped_ns)
                self._started[index] = shown.flipped_ns
        with self._lock:
            self._shown_ns = shown.flipped_ns

    def stop(self, now_ns: int) -> None:
        """End the plan; the caller shows neutral at the very next flip."""
        self._close_slot(now_ns)
        self._player = None
        self._started.clear()

    def label(self, t_frame_ns: int) -> Label:
        """Return what lit a frame; waits until no flip can touch its exposure any more.

        So the label is final: a replay of the recording gives the same. Where the screen has
        stalled and nobody knows what came next, the frame counts as touched by it.
        """
        timeline = self.timeline()
        closes_ns = timeline.window_ns(t_frame_ns)[1]
        shown_ns = self._wait_for_flip(closes_ns)
        if shown_ns is None or shown_ns < closes_ns:
            return _unsure(self.timeline(), t_frame_ns)
        return self.timeline().label(t_frame_ns)

    def timeline(self) -> Timeline:
        """Return the light so far."""
        return Timeline(self._log.flips(), self.timing)

    def flips(self) -> tuple[Flip, ...]:
        """Return what was shown so far."""
        return self._log.flips()

    @property
    def late_flips(self) -> int:
        """How many flips took longer than they should: the machine has too much to do."""
        return self._log.late

    def note(self, t_frame_ns: int, *, usable: bool) -> None:
        """Note that a frame was judged; ``usable``: accepted and cleanly lit."""
        with self._lock:
            self._noted_ns = t_frame_ns
            if usable:
                self._usable.append(t_frame_ns)

    def watched(self) -> bool:
        """Return whether every frame of the slots shown so far has been judged."""
        with self._lock:
            noted_ns = self._noted_ns
        if not self.slots:
            return True
        if noted_ns is None:
            return False
        return noted_ns - self.timing.latency_ns >= self.slots[-1].end_ns

    def bad_slots(self, least: int) -> tuple[int, ...]:
        """Return the coloured slots of the first plan with fewer than ``least`` usable frames."""
        with self._lock:
            usable = [t_ns - self.timing.latency_ns for t_ns in self._usable]
        counts = {slot.index: 0 for slot in self.slots}
        for slot in self.slots:
            counts[slot.index] += sum(slot.start_ns <= t_ns < slot.end_ns for t_ns in usable)
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

    def _wait_for_flip(self, t_ns: int) -> int | None:
        """Wait until a flip at or after ``t_ns`` is noted, not for ever; return the last noted."""
        self._clock.sleep_until(t_ns)
        give_up_ns = max(t_ns, self._clock.now_ns()) + PATIENCE_NS
        while True:
            with self._lock:
                shown_ns = self._shown_ns
            now_ns = self._clock.now_ns()
            if (shown_ns is not None and shown_ns >= t_ns) or now_ns >= give_up_ns:
                return shown_ns
            self._clock.sleep_until(now_ns + LOOK_AGAIN_NS)


class Latency:
    """What is known of the lag: begins with a profile or a guess, learns from each lit session.

    An estimate is used for the same person's next attempt. It is carried over to the next person
    only when it is sure: precise, measured on a screen that kept its beat, and within what was
    known before or confirmed by a second session. One bad estimate costs nobody else a session.

    Parameters
    ----------
    timing : to begin with.
    measured_uncertainty_ns : how far a session's own estimate may be off, at least.
    """

    def __init__(self, timing: Timing, measured_uncertainty_ns: int) -> None:
        self.timing = timing
        self._sure = timing
        self._unconfirmed_ns: int | None = None
        self._measured_uncertainty_ns = measured_uncertainty_ns

    def learn(self, delay_ns: int, sd_ns: int, late_flips: int = 0) -> None:
        """Take in a session's own estimate; all frames to come move by one constant.

        Parameters
        ----------
        late_flips : of the session: a busy host measures its own hiccups.
        """
        uncertainty_ns = max(self._measured_uncertainty_ns, 2 * sd_ns)
        self.timing = replace(
            self.timing, latency_ns=delay_ns, latency_uncertainty_ns=uncertainty_ns
        )
        if late_flips > SURE_LATE_FLIPS or sd_ns > self._measured_uncertainty_ns:
            return
        known = self._sure
        expected = abs(delay_ns - known.latency_ns) <= known.latency_uncertainty_ns
        before_ns = self._unconfirmed_ns
        confirmed = before_ns is not None and abs(delay_ns - before_ns) <= 2 * uncertainty_ns
        self._unconfirmed_ns = None if expected or confirmed else delay_ns
        if expected or confirmed:
            self._sure = self.timing

    def next_person(self) -> None:
        """Go on with what is sure."""
        self.timing = self._sure


def half_light_ns(timing: Timing, source: FlipSource) -> int:
    """Return the time from the first light of a flip to half of it, for the estimate of the lag.

    `Timing.latency_ns` counts from the first light, a measured lag from half of it: half the
    scan-out and the panel's time constant later, of which ``settle_ns`` is three. A screen without
    scan-out (Xvfb, offscreen) changes at once.
    """
    if source is FlipSource.SWAP:
        return 0
    return timing.scanout_ns // 2 + timing.settle_ns // 3


def is_clean(label: Label) -> bool:
    """Return whether a frame was lit by one colour alone."""
    return label.kind is LabelKind.CLEAN


def _unsure(timeline: Timeline, t_frame_ns: int) -> Label:
    label = timeline.label(t_frame_ns)
    certain = label.kind in (LabelKind.TRANSITION, LabelKind.NONE)
    return label if certain else Label(LabelKind.TRANSITION)
