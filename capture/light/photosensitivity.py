"""Flash counter: refuses light that could harm photosensitive people, with the figures.

The light is full screen, so the area exemptions of the norms never hold. Counted are *transitions*;
a flash is a pair of opposing ones.

- General: relative luminance moves by 0.10 or more and the darker state is below 0.80 (WCAG 2.3.1),
  or by 20 cd/m2 with the darker state below 160 cd/m2 (ITU-R BT.1702); the stricter of both for the
  given screen. Steps in one direction merge into one transition.
- Red: a state with linear R/(R+G+B) >= 0.8 takes part and u'v' moves by more than 0.2 (WCAG 2.2),
  or max(0, (R-G-B)*320) moves by more than 20 (WCAG 2.0); the larger count holds.
- Extended: 4 or more transitions in a second, kept up for 4 s of 5 (EA IRIS).

The norms allow 6 transitions in any second. Our own limit for a plan is 3, one saturated red slot a
second, no edge from red or white to black and no state shorter than 334 ms.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from capture.errors import PlanError
from capture.light.illumination import NEUTRAL_RGB, Flip, IlluminationPlan, Rgb

DEFAULT_SCREEN_NITS = 300.0
"""Peak luminance of a usual desktop monitor, cd/m2; brighter screens get a finer threshold."""

SECOND_NS = 1_000_000_000
DWELL_FLOOR_MS = 334.0
"""Edges this far apart pass BT.1702 at 60 Hz: at most three in a second."""

RED_GAP_MS = 1050.0
"""One saturated red slot a second, and 50 ms of room for flips that come late."""

_GENERAL_STEP = 0.10
_GENERAL_DARKER = 0.80
_BT1702_STEP_NITS = 20.0
_BT1702_DARKER_NITS = 160.0
_RED_SHARE = 0.8
_RED_UV_STEP = 0.2
_RED_LEGACY_STEP = 20.0
_BLACK_Y = 0.05
_WHITE_Y = 0.80
_WHITE_UV = (0.1978, 0.4683)
_EXTENDED_RATE = 4
_EXTENDED_SPAN_NS = 5 * SECOND_NS
_EXTENDED_LIMIT_NS = 4 * SECOND_NS


@dataclass(frozen=True, slots=True)
class FieldState:
    """What the whole screen shows from ``t_ns`` until the next state; the last one stays."""

    t_ns: int
    rgb: Rgb


@dataclass(frozen=True, slots=True)
class FlashLimits:
    """What is allowed; ``None`` switches a house rule off.

    Attributes
    ----------
    per_second : general, and red, transitions in any second.
    red_gap_ms : least time between the onsets of two saturated red states.
    dwell_ms : shortest state between the first and the last.
    black_edges : whether red or white may touch black.
    """

    per_second: int
    red_gap_ms: float | None
    dwell_ms: float | None
    black_edges: bool


PLAN_LIMITS = FlashLimits(
    per_second=3, red_gap_ms=RED_GAP_MS, dwell_ms=DWELL_FLOOR_MS, black_edges=False
)
"""For what we intend to show: half of what the norms allow."""

NORM_LIMITS = FlashLimits(per_second=6, red_gap_ms=None, dwell_ms=None, black_edges=True)
"""For what was really shown: the norms themselves, as an abort may cut a slot short."""


@dataclass(frozen=True, slots=True)
class FlashReport:
    """Figures of a light sequence; ``problems`` is empty when it keeps the limits.

    Attributes
    ----------
    general_per_s, red_per_s : most transitions in any second.
    red_states_per_s : most onsets of a saturated red state in any second.
    extended_s : longest time, within 5 s, with 4 or more transitions in the last second.
    shortest_ms : shortest state between the first and the last; None with fewer than three.
    step : least change of relative luminance that counted.
    problems : one sentence for each broken limit.
    """

    general_per_s: int
    red_per_s: int
    red_states_per_s: int
    extended_s: float
    shortest_ms: float | None
    step: float
    problems: tuple[str, ...]

    @property
    def safe(self) -> bool:
        """Whether every limit is kept."""
        return not self.problems

    def describe(self) -> str:
        """Return the figures in one line."""
        shortest = "-" if self.shortest_ms is None else f"{self.shortest_ms:.0f} ms"
        return (
            f"{self.general_per_s} general and {self.red_per_s} red transitions in the worst "
            f"second, {self.red_states_per_s} red slots a second, shortest state {shortest}, "
            f"luminance step {self.step:.3f}"
        )


@dataclass(frozen=True, slots=True)
class _Transition:
    start_ns: int
    end_ns: int


def relative_luminance(rgb: Rgb) -> float:
    """Return Y of sRGB, 0 (black) to 1 (white)."""
    red, green, blue = _linear(rgb)
    return 0.2126729 * red + 0.7151522 * green + 0.0721750 * blue


def is_saturated_red(rgb: Rgb) -> bool:
    """Return whether linear R/(R+G+B) is 0.8 or more."""
    linear = _linear(rgb)
    return sum(linear) > 0 and linear[0] / sum(linear) >= _RED_SHARE


def chromaticity_uv(rgb: Rgb) -> tuple[float, float]:
    """Return CIE 1976 u', v' of sRGB; black has none and is given white's."""
    red, green, blue = _linear(rgb)
    x = 0.4124564 * red + 0.3575761 * green + 0.1804375 * blue
    y = 0.2126729 * red + 0.7151522 * green + 0.0721750 * blue
    z = 0.0193339 * red + 0.1191920 * green + 0.9503041 * blue
    total = x + 15 * y + 3 * z
    return _WHITE_UV if total == 0 else (4 * x / total, 9 * y / total)


def check_states(
    states: Sequence[FieldState],
    screen_nits: float = DEFAULT_SCREEN_NITS,
    limits: FlashLimits = PLAN_LIMITS,
) -> FlashReport:
    """Count the flashes of full-field ``states`` (in time order) and judge them.

    Raises
    ------
    PlanError
        times go back, or ``screen_nits`` is no positive number.
    """
    if not screen_nits > 0:
        raise PlanError(f"screen_nits: {screen_nits!r}, expected a luminance above 0 cd/m2")
    if any(later.t_ns < earlier.t_ns for earlier, later in pairwise(states)):
        raise PlanError("light states: times go back, expected them in order")
    seen = _without_repeats(states)
    step = min(_GENERAL_STEP, _BT1702_STEP_NITS / screen_nits)
    darker = max(_GENERAL_DARKER, _BT1702_DARKER_NITS / screen_nits)
    general = _swings(seen, lambda low, high: high - low >= step and low < darker)
    red = max(
        _edges(seen, _red_by_chromaticity), _edges(seen, _red_by_difference), key=_worst_second
    )
    onsets = [_at(state.t_ns) for state in seen if is_saturated_red(state.rgb)]
    lengths = [(later.t_ns - earlier.t_ns) / 1e6 for earlier, later in pairwise(seen[1:])]
    report = FlashReport(
        general_per_s=_worst_second(general),
        red_per_s=_worst_second(red),
        red_states_per_s=_worst_second(onsets),
        extended_s=max(_extended_ns(general), _extended_ns(red)) / 1e9,
        shortest_ms=min(lengths, default=None),
        step=step,
        problems=(),
    )
    return _judged(report, limits, seen)


def check_plan(plan: IlluminationPlan, screen_nits: float = DEFAULT_SCREEN_NITS) -> FlashReport:
    """Judge a plan between the neutral screens before and after it, by our own limits."""
    return check_states(plan_states(plan), screen_nits, PLAN_LIMITS)


def check_flips(
    flips: Sequence[Flip],
    screen_nits: float = DEFAULT_SCREEN_NITS,
    limits: FlashLimits = NORM_LIMITS,
) -> FlashReport:
    """Judge what the screen really showed, by the norms: late flips compress a safe plan."""
    return check_states([FieldState(flip.t_ns, flip.rgb) for flip in flips], screen_nits, limits)


def require_safe(plan: IlluminationPlan, screen_nits: float = DEFAULT_SCREEN_NITS) -> FlashReport:
    """Return the report of a safe plan.

    Raises
    ------
    PlanError
        the plan breaks a limit; the message holds the figures.
    """
    report = check_plan(plan, screen_nits)
    if not report.safe:
        raise PlanError(f"unsafe light plan: {'; '.join(report.problems)} ({report.describe()})")
    return report


def plan_states(plan: IlluminationPlan, start_ns: int = 0) -> list[FieldState]:
    """Return the plan's states from ``start_ns`` on, with neutral before and after."""
    states = [FieldState(start_ns - 10 * SECOND_NS, NEUTRAL_RGB)]
    at_ms = 0.0
    for slot in plan.slots:
        states.append(FieldState(start_ns + round(at_ms * 1e6), slot.rgb))
        at_ms += slot.dwell_ms
    states.append(FieldState(start_ns + round(at_ms * 1e6), NEUTRAL_RGB))
    return states


def _judged(report: FlashReport, limits: FlashLimits, states: Sequence[FieldState]) -> FlashReport:
    problems = [
        f"{count} {kind} transitions in one second, at most {limits.per_second} are allowed"
        for kind, count in (("general", report.general_per_s), ("red", report.red_per_s))
        if count > limits.per_second
    ]
    if report.extended_s >= _EXTENDED_LIMIT_NS / 1e9:
        problems.append(
            f"{_EXTENDED_RATE} or more transitions a second for {report.extended_s:.1f} s of 5, "
            "less than 4 s is allowed"
        )
    if limits.red_gap_ms is not None:
        gap_ms = _least_gap_ms([state.t_ns for state in states if is_saturated_red(state.rgb)])
        if gap_ms < limits.red_gap_ms:
            problems.append(
                f"two red slots begin {gap_ms:.0f} ms apart, "
                f"at least {limits.red_gap_ms:.0f} ms are needed"
            )
    shortest_ms = report.shortest_ms
    if limits.dwell_ms is not None and shortest_ms is not None and shortest_ms < limits.dwell_ms:
        problems.append(
            f"a state lasts {shortest_ms:.0f} ms, at least {limits.dwell_ms:.0f} ms are needed"
        )
    if not limits.black_edges and any(_black_edge(a.rgb, b.rgb) for a, b in pairwise(states)):
        problems.append("red or white touches black, put neutral grey between them")
    return replace(report, problems=tuple(problems))


def _linear(rgb: Rgb) -> tuple[float, float, float]:
    def channel(value: int) -> float:
        share = value / 255
        return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4

    return channel(rgb[0]), channel(rgb[1]), channel(rgb[2])


def _without_repeats(states: Sequence[FieldState]) -> list[FieldState]:
    kept: list[FieldState] = []
    for state in states:
        if not kept or state.rgb != kept[-1].rgb:
            kept.append(state)
    return kept


def _at(t_ns: int) -> _Transition:
    return _Transition(t_ns, t_ns)


def _swings(
    states: Sequence[FieldState], counts: Callable[[float, float], bool]
) -> list[_Transition]:
    """Return the swings of luminance: runs between turning points that ``counts(low, high)`` takes.

    A reversal too small to count does not end a run, so that a ripple on a rise stays one rise.
    """
    swings: list[_Transition] = []
    low, high = float("inf"), float("-inf")
    direction = 0
    for state in states:
        level = relative_luminance(state.rgb)
        rises = direction <= 0 and level > low and counts(low, level)
        falls = direction >= 0 and level < high and counts(level, high)
        if rises or falls:
            swings.append(_at(state.t_ns))
            direction = 1 if rises else -1
            low = high = level
        elif (direction > 0 and level > high) or (direction < 0 and level < low):
            swings[-1] = _Transition(swings[-1].start_ns, state.t_ns)
            low = high = level
        else:
            low, high = min(low, level), max(high, level)
    return swings


def _edges(states: Sequence[FieldState], is_edge: Callable[[Rgb, Rgb], bool]) -> list[_Transition]:
    """Compare with every state since the last transition: a ramp must not hide its edge."""
    found: list[_Transition] = []
    since: list[Rgb] = []
    for state in states:
        if any(is_edge(earlier, state.rgb) for earlier in since):
            found.append(_at(state.t_ns))
            since = []
        since.append(state.rgb)
    return found


def _red_by_chromaticity(before: Rgb, after: Rgb) -> bool:
    (u0, v0), (u1, v1) = chromaticity_uv(before), chromaticity_uv(after)
    moved = ((u1 - u0) ** 2 + (v1 - v0) ** 2) ** 0.5
    return moved > _RED_UV_STEP and (is_saturated_red(before) or is_saturated_red(after))


def _red_by_difference(before: Rgb, after: Rgb) -> bool:
    def excess(rgb: Rgb) -> float:
        red, green, blue = _linear(rgb)
        return max(0.0, (red - green - blue) * 320)

    moved = abs(excess(after) - excess(before))
    return moved > _RED_LEGACY_STEP and (is_saturated_red(before) or is_saturated_red(after))


def _black_edge(before: Rgb, after: Rgb) -> bool:
    darker, brighter = sorted((before, after), key=relative_luminance)
    if relative_luminance(darker) >= _BLACK_Y:
        return False
    return is_saturated_red(brighter) or relative_luminance(brighter) >= _WHITE_Y


def _worst_second(transitions: Sequence[_Transition]) -> int:
    """Return the most transitions in any [t, t + 1 s), each taken at its start or at its end."""
    worst = 0
    for times in ([t.start_ns for t in transitions], [t.end_ns for t in transitions]):
        for index, t_ns in enumerate(times):
            worst = max(worst, bisect_left(times, t_ns + SECOND_NS) - index)
    return worst


def _least_gap_ms(times_ns: Sequence[int]) -> float:
    return min(((b - a) / 1e6 for a, b in pairwise(times_ns)), default=float("inf"))


def _extended_ns(transitions: Sequence[_Transition]) -> int:
    """Return the longest time, within 5 s, in which the last second held 4 or more transitions."""
    times = [t.end_ns for t in transitions]
    busy = [
        (times[index + _EXTENDED_RATE - 1], times[index] + SECOND_NS)
        for index in range(len(times) - _EXTENDED_RATE + 1)
        if times[index + _EXTENDED_RATE - 1] < times[index] + SECOND_NS
    ]
    merged: list[tuple[int, int]] = []
    for start_ns, end_ns in busy:
        if merged and start_ns <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end_ns, merged[-1][1]))
        else:
            merged.append((start_ns, end_ns))
    windows = [start for start, _ in merged] + [end - _EXTENDED_SPAN_NS for _, end in merged]
    return max((_overlap_ns(merged, start) for start in windows), default=0)


def _overlap_ns(spans: Sequence[tuple[int, int]], start_ns: int) -> int:
    end_ns = start_ns + _EXTENDED_SPAN_NS
    return sum(max(0, min(end, end_ns) - max(start, start_ns)) for start, end in spans)
