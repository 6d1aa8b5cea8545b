"""All limits together: a frame has to pass every one, so they share one promise.

``Joint.EVIDENCE`` moves a limit on that limit's own evidence alone. Loosened are those that turn
good training frames away themselves, the worst first and no more of them than it takes for what any
limit rejects to keep the target, bounded as conformal risk control does, ``(n R + 1) / (n + 1)``.
Made stricter are those that let frames pass which are labelled bad for their reason. A limit of the
service's contract never loosens, and none loosens where more of its bad frames would pass than good
ones are regained. One factor for all limits, which this replaces, loosened every limit for the
fault of one: a single cause took bad frames accepted from 0 to 39 %.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from calibration.tuning.levels import Chosen, Level, Training
from calibration.tuning.options import Joint, TuneOptions
from calibration.tuning.single import alone, fixed, kept, relaxed
from calibration.tuning.statistics.conformal import least_subjects, mean_share, subject_weights

PARTS: Final = (1.0, 0.5, 0.25, 0.1, 0.0)
"""Of the target, what each loosened limit may still reject itself: as much as the whole allows."""


def choose(training: Training, options: TuneOptions) -> Chosen:
    """Return a level for each limit that keeps ``options.target_frr`` on a further subject."""
    alpha = options.target_frr
    single = tuple(alone(training, n, options, alpha) for n in range(len(training.limits)))
    least = least_subjects(alpha)
    if training.people < least:
        told = (
            f"not enough data: {training.people} training subjects with good frames, "
            f"{least} are needed to promise {alpha:.3g}"
        )
        return Chosen(tuple(kept(one, told) for one in single), options.joint, told, told)
    if options.joint is Joint.EVIDENCE:
        return _by_evidence(training, single, options)
    if options.joint is Joint.BONFERRONI:
        found = _by_bonferroni(training, single, options)
    else:
        note = "each limit alone keeps the target; together they may reject more"
        found = Chosen(single, Joint.NONE, note, _refusal(single, note))
    return replace(found, levels=_traded(training, found.levels, options))


def _by_evidence(training: Training, single: tuple[Level, ...], options: TuneOptions) -> Chosen:
    """Return the levels with the fewest limits loosened that keep the target on the training side.

    What does not keep it with any is told with what it rejects, and refused.
    """
    alpha = options.target_frr
    free = [
        n for n, one in enumerate(single) if one.limit.rejects and not fixed(one.limit, options)
    ]
    causes = sorted(
        (n for n in free if _share_beyond(training, n) > 0),
        key=lambda n: (-_share_beyond(training, n), n),
    )
    start = tuple(
        kept(one, _why_kept(training, n)) if n in free else one for n, one in enumerate(single)
    )
    levels, risk, count = start, _risk(training, start), 0
    while risk > alpha and count < len(causes):
        count += 1
        for part in PARTS:
            levels = _loosened(training, start, causes[:count], part * alpha)
            levels = _traded(training, levels, options)
            risk = _risk(training, levels)
            if risk <= alpha:
                break
    if risk > alpha:
        note = f"no limits loosened on their own evidence keep {alpha:.3g}: {risk:.3g} are rejected"
        if lost := _lost(training):
            note += f", {lost:.1%} of the good frames have no face or lack a measure"
        return Chosen(levels, Joint.EVIDENCE, note, note)
    levels = _tightened(training, levels, single, options)
    note = f"{count} limits loosened on their own evidence: together they keep {alpha:.3g}"
    return Chosen(levels, Joint.EVIDENCE, note)


def _loosened(
    training: Training, levels: tuple[Level, ...], causes: Sequence[int], share: float
) -> tuple[Level, ...]:
    """Return the levels with each cause rejecting at most ``share`` of the good frames itself."""
    found = list(levels)
    for n in causes:
        limit, before = training.limits[n], _share_beyond(training, n)
        level = limit.more_lenient(_needed_level(training, n, share), limit.default)
        why = f"the default turns {before:.2%} of the good frames away: at most {share:.2%} now"
        found[n] = replace(levels[n], level=level, why=why)
    return tuple(found)


def _needed_level(training: Training, number: int, share: float) -> float:
    """Return the strictest level that rejects at most ``share`` of the good frames it can judge."""
    limit, badness = training.limits[number], training.badness[number]
    good = training.good & np.isfinite(badness)
    order = np.argsort(-badness[good], kind="stable")
    weights = subject_weights(training.subject[good])[order]
    beyond = np.cumsum(weights) - weights
    allowed = share * len(np.unique(training.subject[good]))
    place = int(np.flatnonzero(beyond <= allowed + 1e-9)[-1])
    return limit.level_of(float(badness[good][order][place]))


def _tightened(
    training: Training, levels: tuple[Level, ...], single: tuple[Level, ...], options: TuneOptions
) -> tuple[Level, ...]:
    """Return the levels with those stricter that let their own bad frames pass, as far as is kept.

    One by one, each only where the whole gate still keeps the target.
    """
    for n, one in enumerate(single):
        stricter = one.limit.more_lenient(one.level, one.limit.default) != one.level
        if not (one.limit.rejects and stricter and _lets_bad_pass(training, n)):
            continue
        tried = _traded(training, (*levels[:n], one, *levels[n + 1 :]), options)
        if _risk(training, tried) <= options.target_frr:
            levels = tried
    return levels


def _traded(
    training: Training, levels: tuple[Level, ...], options: TuneOptions
) -> tuple[Level, ...]:
    """Return the levels with what each change does to whom; the unjustified stay at the default."""
    back = [relaxed(training, n, one) if options.relax else one for n, one in enumerate(levels)]
    return tuple(_weighed(training, n, one) for n, one in enumerate(back))


def _weighed(training: Training, number: int, one: Level) -> Level:
    limit, badness = one.limit, training.badness[number]
    if one.level == limit.default or not limit.rejects:
        return one
    before, now = limit.badness_of(limit.default), limit.badness_of(one.level)
    regained = _share(training, (badness > before) & (badness <= now), training.good)
    passed = _share(training, (badness > before) & (badness <= now), training.bad[number])
    if now > before:
        if limit.contract:
            return kept(one, "the service's own limit: it never loosens")
        if passed > regained:
            told = f"{passed:.1%} of its bad frames would pass for {regained:.1%} good ones"
            return kept(one, f"not loosened: {told}")
        told = f"{regained:.1%} of the good frames regained, {passed:.1%} of its bad ones pass"
        return replace(one, why=f"{one.why}; {told}", regained=regained, passed=passed)
    lost = _share(training, (badness > now) & (badness <= before), training.good)
    caught = _share(training, (badness > now) & (badness <= before), training.bad[number])
    told = f"{caught:.1%} of its bad frames caught, {lost:.1%} of the good ones turned away"
    return replace(one, why=f"{one.why}; {told}", regained=-lost, passed=-caught)


def _lets_bad_pass(training: Training, number: int) -> bool:
    badness = training.badness[number]
    within = badness <= training.limits[number].badness_of(training.limits[number].default)
    return bool((training.bad[number] & within & np.isfinite(badness)).any())


def _share_beyond(training: Training, number: int) -> float:
    """Return the share of good frames beyond the default that a level could regain."""
    badness, limit = training.badness[number], training.limits[number]
    beyond = (badness > limit.badness_of(limit.default)) & np.isfinite(badness)
    return _share(training, beyond, training.good)


def _share(training: Training, hit: NDArray[np.bool_], among: NDArray[np.bool_]) -> float:
    return mean_share(hit[among], training.subject[among])


def _risk(training: Training, levels: tuple[Level, ...]) -> float:
    """Return conformal risk control's bound on what any limit rejects of a further subject."""
    at = np.array([one.limit.badness_of(one.level) for one in levels])
    rejecting = np.array([one.limit.rejects for one in levels])
    beyond = (training.badness > at[:, np.newaxis])[rejecting].any(axis=0)
    people = training.people
    return (people * _share(training, beyond, training.good) + 1) / (people + 1)


def _why_kept(training: Training, number: int) -> str:
    share = _share_beyond(training, number)
    if not share:
        return "the default turns no good training frame away, and lets none of its bad ones pass"
    return f"the default turns {share:.2%} of the good frames away: the target is kept with it"


def _by_bonferroni(training: Training, single: tuple[Level, ...], options: TuneOptions) -> Chosen:
    """Give each rejecting limit that is free to move its share of the rate."""
    free = [one for one in single if one.limit.rejects and not fixed(one.limit, options)]
    alpha = options.target_frr / max(1, len(free))
    levels = tuple(
        alone(training, number, options, alpha) if one in free else one
        for number, one in enumerate(single)
    )
    note = f"each of {len(free)} limits at {alpha:.3g} (Bonferroni)"
    stuck = sum(one.limit.rejects and one.conformal is None for one in levels)
    if stuck:
        note += f"; {stuck} of them without a promise"
    return Chosen(levels, Joint.BONFERRONI, note, _refusal(levels, note))


def _refusal(levels: tuple[Level, ...], note: str) -> str:
    """Return why nothing can be promised, "" when some rejecting limit keeps its rate."""
    rejecting = [one for one in levels if one.limit.rejects]
    if any(one.conformal is not None for one in rejecting):
        return ""
    whys = {one.why for one in rejecting if one.subjects}
    return f"{note}: no limit can be promised anything ({'; '.join(sorted(whys))})"


def _lost(training: Training) -> float:
    rejecting = [limit.rejects for limit in training.limits]
    lost = np.isposinf(training.badness[rejecting][:, training.good]).any(axis=0)
    return float(lost.mean())
