"""Which light a frame was exposed under: the flip log, the lag, and guards on both sides.

A frame is labelled by the time at which its rows were *exposed*, not by the time it arrived: a
label taken at arrival is wrong for 14-24 % of the frames at a lag of 85 ms (computed).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise

from capture.errors import PlanError
from capture.frame import Frame
from capture.light.illumination import Flip, Rgb
from capture.options import option


class LabelKind(StrEnum):
    """What is known of the light that a frame was exposed under."""

    CLEAN = "clean"
    """Every row saw one colour of the plan and nothing else."""
    TRANSITION = "transition"
    """Some row saw, or may have seen, two lights."""
    NEUTRAL = "neutral"
    """Every row saw a neutral stretch: lead-in, pause or tail."""
    NONE = "none"
    """Exposed before the first flip or after the end: the light is not known."""


@dataclass(frozen=True, slots=True)
class Label:
    """The light of one frame; ``colour`` is set for clean frames, ``rgb`` for neutral ones too."""

    kind: LabelKind
    colour: str | None = None
    rgb: Rgb | None = None


@dataclass(frozen=True, slots=True, eq=False)
class LabelledFrame:
    """A frame and the light it was exposed under."""

    frame: Frame
    label: Label


@dataclass(frozen=True, slots=True)
class Timing:
    """How display time and frame stamps relate; the defaults suit a 60 Hz LCD and a 30 fps webcam.

    The defaults are upper bounds of ordinary hardware rather than typical values: a bound too wide
    costs a frame at each end of a slot, one too narrow calls a mixed frame clean.

    Attributes
    ----------
    latency_ns : from a flip to the frame stamp of an exposure that begins with it (display lag,
        exposure, transfer, buffers); measured for the kiosk, 40 to 250 ms on ordinary hardware.
    """

    latency_ns: int
    latency_uncertainty_ns: int = option(
        0,
        unit="ns",
        low=0,
        high=500_000_000,
        why="widens both guards; 10 ms where the lag comes from a calibration, not the session",
    )
    exposure_ns: int = option(
        33_333_333,
        unit="ns",
        low=0,
        high=1_000_000_000,
        why="the longest exposure that still gives 30 fps; UVC cameras sit there in dim rooms",
    )
    readout_ns: int = option(
        30_000_000,
        unit="ns",
        low=0,
        high=1_000_000_000,
        why="rolling shutters take 10-33 ms from the first row to the last; the whole readout "
        "counts, because a frame is labelled before the rows of the face are known",
    )
    scanout_ns: int = option(
        16_666_667,
        unit="ns",
        low=0,
        high=100_000_000,
        why="a 60 Hz panel paints its last row one refresh after the flip",
    )
    settle_ns: int = option(
        12_000_000,
        unit="ns",
        low=0,
        high=100_000_000,
        why="LCD response after the row is painted: 0 impure frames at 12 ms in simulation",
    )
    exposure_stated: bool = option(
        False, unit="", why="the exposure is the camera's own figure, not a bound on it"
    )
    row_top: float = option(
        0.0,
        unit="of the height",
        low=0,
        high=1,
        why="rows above it show no face and may see what they like",
    )
    row_bottom: float = option(1.0, unit="of the height", low=0, high=1, why="the same below")

    def __post_init__(self) -> None:
        for name in ("latency_uncertainty_ns", "exposure_ns", "readout_ns", "scanout_ns"):
            if getattr(self, name) < 0:
                raise PlanError(f"timing: {name}: expected 0 or more, got {getattr(self, name)}")
        if self.settle_ns < 0:
            raise PlanError(f"timing: settle_ns: expected 0 or more, got {self.settle_ns}")
        if not 0 <= self.row_top < self.row_bottom <= 1:
            rows = f"{self.row_top:g}, {self.row_bottom:g}"
            raise PlanError(f"timing: row_top, row_bottom: expected rising within 0..1, got {rows}")


@dataclass(frozen=True, slots=True)
class _Slot:
    """A stretch of one light on the display clock, repeats of the same light merged."""

    start_ns: int
    colour: str | None
    rgb: Rgb


class Timeline:
    """Labels frames by the flips that were really shown.

    Immutable: a live session builds it again, or calls `extended`, when the flip log has grown. A
    frame's label is final once the log covers ``window_ns(t_frame_ns)[1]``; up to then the last
    slot has no known end, so ask for the label of a frame only after that moment has passed, or
    give ``end_ns`` = now, which makes a frame that reaches beyond it a transition.

    Parameters
    ----------
    flips : strictly increasing in time, ns of the session clock.
    timing : lag and guards.
    end_ns : when the last light ended on the session clock; None where it stayed on.

    Raises
    ------
    PlanError
        flips that do not strictly increase, or an end before the last flip.
    """

    def __init__(self, flips: Sequence[Flip], timing: Timing, end_ns: int | None = None) -> None:
        self.flips = tuple(flips)
        self.timing = timing
        self.end_ns = end_ns
        for index, (before, flip) in enumerate(pairwise(self.flips), 1):
            if flip.t_ns <= before.t_ns:
                raise PlanError(
                    f"flip {index} at {flip.t_ns} ns is not after the one before it "
                    f"({before.t_ns} ns)"
                )
        if end_ns is not None and self.flips and end_ns < self.flips[-1].t_ns:
            raise PlanError(f"the end, {end_ns} ns, lies before the last flip")
        self._slots = _merged(self.flips)
        self._starts = [slot.start_ns for slot in self._slots]

    def window_ns(self, t_frame_ns: int, exposure_ns: int | None = None) -> tuple[int, int]:
        """Return the stretch of display time whose light may be in the frame stamped so.

        From the earliest start of the first row's exposure to the latest end of the last row's, of
        the rows that count. ``exposure_ns`` is this frame's, where it is another than the timing's.
        """
        timing = self.timing
        start_ns = t_frame_ns - timing.latency_ns
        exposure_ns = timing.exposure_ns if exposure_ns is None else exposure_ns
        first_ns, last_ns = (
            round(row * timing.readout_ns) for row in (timing.row_top, timing.row_bottom)
        )
        return (
            start_ns - timing.latency_uncertainty_ns + first_ns,
            start_ns + timing.latency_uncertainty_ns + last_ns + exposure_ns,
        )

    def label(self, t_frame_ns: int, exposure_ns: int | None = None) -> Label:
        """Return the light under which the frame stamped ``t_frame_ns`` was exposed.

        Clean or neutral only where the panel had settled before the window of `window_ns` opens,
        and the next light came after it closes.
        """
        opens_ns, closes_ns = self.window_ns(t_frame_ns, exposure_ns)
        index = bisect_right(self._starts, opens_ns) - 1
        if index < 0:
            touched = bool(self._starts) and closes_ns > self._starts[0]
            return Label(LabelKind.TRANSITION if touched else LabelKind.NONE)
        if self.end_ns is not None and opens_ns >= self.end_ns:
            return Label(LabelKind.NONE)
        slot = self._slots[index]
        last = index + 1 == len(self._slots)
        until_ns = self.end_ns if last else self._starts[index + 1]
        settled_ns = slot.start_ns + self.timing.scanout_ns + self.timing.settle_ns
        if opens_ns < settled_ns or (until_ns is not None and closes_ns > until_ns):
            return Label(LabelKind.TRANSITION)
        if slot.colour is None:
            return Label(LabelKind.NEUTRAL, None, slot.rgb)
        return Label(LabelKind.CLEAN, slot.colour, slot.rgb)

    def colour_span_ns(self) -> tuple[int, int] | None:
        """Return the stamps between which frames may show the first to the last colour, or None."""
        coloured = [i for i, slot in enumerate(self._slots) if slot.colour is not None]
        if not coloured:
            return None
        lag_ns, after = self.timing.latency_ns, coloured[-1] + 1
        until_ns = self._starts[after] if after < len(self._starts) else self.end_ns
        last_ns = self._starts[coloured[-1]] if until_ns is None else until_ns
        return self._starts[coloured[0]] + lag_ns, last_ns + lag_ns

    def extended(self, flips: Sequence[Flip], end_ns: int | None = None) -> Timeline:
        """Return this timeline with later flips added, and its end if it is known by now."""
        return Timeline((*self.flips, *flips), self.timing, end_ns)

    def shifted(self, delta_ns: int) -> Timeline:
        """Return this timeline on a clock that reads ``delta_ns`` more."""
        flips = [replace(flip, t_ns=flip.t_ns + delta_ns) for flip in self.flips]
        end_ns = None if self.end_ns is None else self.end_ns + delta_ns
        return Timeline(flips, self.timing, end_ns)


def _merged(flips: Sequence[Flip]) -> list[_Slot]:
    """Join neighbours of one light: the screen did not change, so no frame there is mixed."""
    slots: list[_Slot] = []
    for flip in flips:
        if not slots or (flip.colour, flip.rgb) != (slots[-1].colour, slots[-1].rgb):
            slots.append(_Slot(flip.t_ns, flip.colour, flip.rgb))
    return slots
