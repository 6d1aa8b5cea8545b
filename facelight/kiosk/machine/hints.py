"""Which one hint helps a person most, and which cause a failed attempt had."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType

from facelight.config.session_options import SessionOptions
from facelight.kiosk.machine.events import Observed, Stance
from facelight.kiosk.machine.state import Hint, Phase, SessionState, Tally
from preprocess.reasons import Reason

HINT_OF_REASON: Mapping[Reason, Hint] = MappingProxyType(
    {
        Reason.NO_FACE: Hint.STEP_IN,
        Reason.UPSIDE_DOWN: Hint.STEP_IN,
        Reason.SEVERAL_FACES: Hint.ONE_PERSON,
        Reason.FACE_TOO_SMALL: Hint.CLOSER,
        Reason.FACE_CUT: Hint.CENTRE,
        Reason.OUT_OF_CROP: Hint.CENTRE,
        Reason.NOT_FRONTAL: Hint.LOOK,
        Reason.OCCLUDED: Hint.UNCOVER,
        Reason.UNDER_EXPOSED: Hint.MORE_LIGHT,
        Reason.BACKLIT: Hint.BACKLIGHT,
        Reason.OVER_EXPOSED: Hint.LESS_LIGHT,
        Reason.SIDE_LIGHT: Hint.EVEN_LIGHT,
        Reason.EYES_CLOSED: Hint.EYES,
        Reason.MOUTH_OPEN: Hint.MOUTH,
        Reason.BLURRED: Hint.STILL,
        Reason.MOVING: Hint.STILL,
        Reason.UNASSESSABLE: Hint.LOOK,
    }
)
"""Reasons of frames only: those of whole sessions are no hints."""

PLACE_HINTS = frozenset(
    {Hint.STEP_BACK, Hint.MOVE_LEFT, Hint.MOVE_RIGHT, Hint.MOVE_UP, Hint.MOVE_DOWN}
)
"""Hints that follow from where the face is, not from a reason."""

TALLIED = frozenset({Phase.POSITION, Phase.SETTLE, Phase.COLOURS})
"""Phases that begin a tally; those after them explain themselves with the last one."""

WINDOW_NS = 800_000_000
"""A hint stands for what most frames of this time say: single frames contradict one another."""
_KEPT = 64
_OFTEN = 0.5
_DECIDES = 0.2
_HOLDS = 1.25
"""Who stands right may drift by a quarter of the limit before the place counts as wrong again."""
_CUT_NEAR_SHARE = 0.55
"""A face that is cut and this tall is too near; a smaller one is off the middle."""

_RANK = {hint: rank for rank, hint in enumerate(Hint)}


def hints_for(seen: Observed, options: SessionOptions, *, holding: bool) -> tuple[Hint, ...]:
    """Return all hints that one frame gives, the most useful first; none: keep what is shown.

    Where to stand comes first, then where to look, light, face, stillness: standing right often
    cures what comes after it, and never the other way round.
    """
    if seen.faces == 0:
        return (Hint.CLOSER if seen.distant else Hint.STEP_IN,)
    if seen.faces > 1:
        return (Hint.ONE_PERSON,)
    placed = place_hint(seen, options, holding=holding)
    if seen.good:
        return (Hint.GOOD,) if placed is None else (placed,)
    hints = {_hint_of(reason, seen.stance, placed) for reason in seen.reasons}
    hints |= {placed}
    return tuple(sorted((hint for hint in hints if hint is not None), key=_RANK.__getitem__))


def place_hint(seen: Observed, options: SessionOptions, *, holding: bool) -> Hint | None:
    """Return where to move, None where the place is right or not known.

    Parameters
    ----------
    holding : the place was right a moment ago: wider limits hold.
    """
    stance = seen.stance
    if stance is None:
        return None
    slack = _HOLDS if holding else 1.0
    height = stance.bottom - stance.top
    cut = Reason.FACE_CUT in seen.reasons
    if height > options.near_share * min(slack, 1.1) or (cut and height > _CUT_NEAR_SHARE):
        return Hint.STEP_BACK
    across = (stance.left + stance.right) / 2 - 0.5
    down = (stance.top + stance.bottom) / 2 - 0.5
    x_excess = abs(across) - options.off_centre_share * slack
    y_excess = abs(down) - options.off_height_share * slack
    if max(x_excess, y_excess) <= 0 and not cut:
        return None
    if x_excess >= y_excess:
        return Hint.MOVE_LEFT if across < 0 else Hint.MOVE_RIGHT
    return Hint.MOVE_DOWN if down < 0 else Hint.MOVE_UP


def remembered(state: SessionState, seen: Observed, now_ns: int) -> SessionState:
    """Return the state with what a frame says about hints and causes."""
    hints = hints_for(seen, state.options, holding=state.good_since_ns is not None)
    kept = [entry for entry in state.recent if now_ns - entry[0] <= WINDOW_NS]
    recent = (*kept[-_KEPT:], (now_ns, hints))
    if state.phase not in TALLIED:
        return replace(state, recent=recent)
    return replace(state, recent=recent, tally=counted(state.tally, hints, seen.reasons))


def wanted_hints(state: SessionState) -> tuple[Hint, ...]:
    """Return the hints that most of the recent frames give, the most useful first."""
    said = [hints for _, hints in state.recent if hints]
    counts = Counter(hint for hints in said for hint in hints)
    often = [hint for hint, count in counts.items() if count >= _OFTEN * len(said)]
    if not often:
        often = [hint for hint, _ in counts.most_common(1)]
    return tuple(sorted(often, key=_RANK.__getitem__))


def counted(tally: Tally, hints: tuple[Hint, ...], reasons: Iterable[Reason]) -> Tally:
    """Return the tally with one more frame."""
    of_hints = Counter(dict(tally.hints))
    of_hints.update(hints[:1])
    of_reasons = Counter(dict(tally.reasons))
    of_reasons.update(set(reasons))
    return Tally(tally.frames + 1, tuple(of_hints.items()), tuple(of_reasons.items()))


def common_reasons(tally: Tally) -> tuple[Reason, ...]:
    """Return the reasons that at least a fifth of the frames gave, the commonest first."""
    counts = sorted(tally.reasons, key=lambda entry: -entry[1])
    return tuple(reason for reason, count in counts if count >= _DECIDES * tally.frames)


def cause_of(tally: Tally, reasons: Iterable[Reason] = ()) -> Hint | None:
    """Return the hint that would have helped; None where no frame tells.

    Parameters
    ----------
    reasons : of a rejected clip, the one that decided first; used where the frames were good.
    """
    wrong = [(hint, count) for hint, count in tally.hints if hint is not Hint.GOOD]
    hint, count = max(wrong, key=lambda entry: (entry[1], -_RANK[entry[0]]), default=(None, 0))
    if hint is not None and count >= _DECIDES * tally.frames:
        return hint
    return next((HINT_OF_REASON[reason] for reason in reasons if reason in HINT_OF_REASON), hint)


def _hint_of(reason: Reason, stance: Stance | None, placed: Hint | None) -> Hint | None:
    """Return the hint of a reason, as far as the stance tells it more exactly."""
    hint = HINT_OF_REASON.get(reason)
    if hint is Hint.CENTRE and placed is not None:
        return placed
    if hint is Hint.LOOK and stance is not None and stance.tilted_deg > stance.turned_deg:
        return Hint.UPRIGHT
    return hint
