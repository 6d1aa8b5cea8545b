"""Measures in, a verdict out: judged frame by frame, and with hysteresis for live positioning."""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from capture.light.timeline import Label, LabelKind
from capture.options import option, options
from preprocess.gate.rules import RULES, LightPhase, Rule
from preprocess.gate.thresholds import Thresholds
from preprocess.measures.measures import Measures
from preprocess.reasons import Reason

REASON_OF_MESSAGE: Final[Mapping[int, Reason]] = {
    9: Reason.NO_FACE,
    10: Reason.TOO_FEW_FRAMES,
    11: Reason.BLURRED,
    12: Reason.OVER_EXPOSED,
    13: Reason.UNDER_EXPOSED,
    14: Reason.NOT_FRONTAL,
}
"""Number of the service's 400 message (CONTRACT: 9 to 14) -> the gate's reason for it."""

MESSAGE_OF_REASON: Final[Mapping[Reason, int]] = {
    **{reason: number for number, reason in REASON_OF_MESSAGE.items()},
    Reason.FACE_TOO_SMALL: 9,
    Reason.FACE_CUT: 9,
    Reason.OUT_OF_CROP: 9,
    Reason.TOO_FEW_PER_COLOUR: 10,
    Reason.MOVING: 11,
    Reason.BACKLIT: 13,
}
"""The gate's reason -> the message the service would give; what it would not say is absent."""


INVERTED_DEG: Final = 90.0
"""Roll beyond which a head is upside down: the picture is to be turned, not the head."""

TOO_LITTLE_LIGHT: Final = frozenset({Reason.UNDER_EXPOSED, Reason.BACKLIT})
"""What no over-exposed frame is told."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a frame may be submitted.

    Attributes
    ----------
    accepted : no rule rejects it.
    reasons : why not, the most helpful first; empty when accepted.
    warnings : what could be better, never a cause of rejection.
    """

    accepted: bool
    reasons: tuple[Reason, ...] = ()
    warnings: tuple[Reason, ...] = ()


def judge(measures: Measures, label: Label | None, thresholds: Thresholds) -> Verdict:
    """Return the verdict of one frame at the drop levels.

    Under-exposure, light from behind and side light are judged in neutral or unknown light only: a
    colour takes two channels away by design. Values beyond the accept level alone are warnings.

    Parameters
    ----------
    measures : the frame's row.
    label : the light of the frame; None where nothing is known of it.
    thresholds : the limits.
    """
    return _judged(measures, label, thresholds, strict=False)


def judge_to_start(measures: Measures, label: Label | None, thresholds: Thresholds) -> Verdict:
    """Return the verdict at the accept levels: what a live session should begin on."""
    return _judged(measures, label, thresholds, strict=True)


def _judged(
    measures: Measures, label: Label | None, thresholds: Thresholds, *, strict: bool
) -> Verdict:
    if not measures.has_face:
        return Verdict(accepted=False, reasons=(Reason.NO_FACE,))
    if abs(measures.roll_deg) > INVERTED_DEG:
        return Verdict(accepted=False, reasons=(Reason.NO_FACE, Reason.UPSIDE_DOWN))
    reasons: list[Reason] = []
    warnings: list[Reason] = []
    unassessable = False
    for rule in rules_in(label):
        value = rule.value(measures, thresholds)
        if math.isnan(value):
            unassessable |= rule.rejects and not rule.nan_passes
        elif rule.rejects and _violated(rule, value, measures, thresholds, strict=strict):
            reasons.append(rule.reason)
        elif _violated(rule, value, measures, thresholds, strict=True):
            warnings.append(rule.reason)
    if unassessable:
        reasons.append(Reason.UNASSESSABLE)
    told = [*reasons, *warnings]
    if Reason.OVER_EXPOSED in reasons:  # clipping takes contrast away, and the cure is opposite
        told = [reason for reason in told if reason not in TOO_LITTLE_LIGHT]
    kept = tuple(dict.fromkeys(r for r in told if r in reasons))
    return Verdict(not kept, kept, tuple(w for w in dict.fromkeys(told) if w not in reasons))


def _violated(
    rule: Rule, value: float, measures: Measures, thresholds: Thresholds, *, strict: bool
) -> bool:
    return rule.beyond(value, thresholds, strict=strict) and rule.speaks(
        measures, thresholds, strict=strict
    )


def rules_in(label: Label | None) -> tuple[Rule, ...]:
    """Return the rules that hold under a label; a transition is neither neutral nor one colour."""
    if label is None or label.kind in (LabelKind.NEUTRAL, LabelKind.NONE):
        return tuple(rule for rule in RULES if rule.phase is not LightPhase.COLOUR)
    return tuple(rule for rule in RULES if rule.phase is not LightPhase.NEUTRAL)


@options
class GateOptions:
    """How steady the live gate is."""

    window: int = option(
        5, unit="frames", low=1, high=60, why="a sixth of a second at 30 frames a second"
    )
    needed: int = option(
        3, unit="frames", low=1, high=60, why="a majority: one blink or one glint decides nothing"
    )

    def __post_init__(self) -> None:
        if self.needed > self.window:
            raise ValueError(f"needed: {self.needed} of a window of {self.window} frames never are")


@dataclass(frozen=True, slots=True)
class GateState:
    """Where the live gate stands after a frame.

    Attributes
    ----------
    good : the person stands right; colours may run.
    verdict : of this frame, at the accept levels while not good and the drop levels while good.
    advice : the reason to show, None while good; the commonest of the window, the newest on a tie.
    """

    good: bool
    verdict: Verdict
    advice: Reason | None


class Gate:
    """Hysteresis for positioning: begins on accept levels, ends on drop levels, by majority."""

    def __init__(
        self, thresholds: Thresholds | None = None, options: GateOptions | None = None
    ) -> None:
        self._thresholds = thresholds or Thresholds()
        self._options = options or GateOptions()
        self._recent: deque[Verdict] = deque(maxlen=self._options.window)
        self._good = False

    def reset(self) -> None:
        """Forget the person."""
        self._recent.clear()
        self._good = False

    def update(self, measures: Measures, label: Label | None = None) -> GateState:
        """Take in one frame and return where the gate stands."""
        verdict = _judged(measures, label, self._thresholds, strict=not self._good)
        self._recent.append(verdict)
        passed = sum(v.accepted for v in self._recent)
        if self._good:
            failed = len(self._recent) - passed
            turned = failed > self._options.window - self._options.needed
        else:
            turned = passed >= self._options.needed
        if turned:
            self._good = not self._good
            self._recent.clear()
        return GateState(self._good, verdict, None if self._good else self._advice(verdict))

    def _advice(self, newest: Verdict) -> Reason | None:
        firsts = [v.reasons[0] for v in self._recent if v.reasons]
        if not firsts:
            return newest.reasons[0] if newest.reasons else None
        counted = Counter(reversed(firsts))
        return counted.most_common(1)[0][0]


@dataclass(slots=True)
class Tally:
    """What a session has gathered: frames by colour, and how long K good ones took.

    Attributes
    ----------
    seen : frames judged.
    accepted : of these accepted, by colour; "" gathers neutral and unknown light.
    reasons : first reasons of the rejected ones.
    """

    seen: int = 0
    accepted: Counter[str] = field(default_factory=Counter)
    reasons: Counter[Reason] = field(default_factory=Counter)
    _start_ns: int | None = None
    _good_ns: list[int] = field(default_factory=list)

    def add(self, t_ns: int, label: Label | None, verdict: Verdict) -> None:
        """Count one frame."""
        self._start_ns = t_ns if self._start_ns is None else self._start_ns
        self.seen += 1
        if not verdict.accepted:
            self.reasons[verdict.reasons[0]] += 1
            return
        self._good_ns.append(t_ns)
        clean = label is not None and label.kind is LabelKind.CLEAN
        self.accepted[(label.colour or "") if label is not None and clean else ""] += 1

    def time_to_ms(self, k: int) -> float:
        """Return ms from the first frame to the k-th accepted one, infinity while there is none.

        Raises
        ------
        ValueError
            k below 1.
        """
        if k < 1:
            raise ValueError(f"k: expected at least 1, got {k}")
        if self._start_ns is None or len(self._good_ns) < k:
            return math.inf
        return (self._good_ns[k - 1] - self._start_ns) / 1e6

    def short_of(self, colours: tuple[str, ...], least: int) -> tuple[str, ...]:
        """Return the colours with fewer than ``least`` accepted frames."""
        return tuple(colour for colour in colours if self.accepted[colour] < least)
