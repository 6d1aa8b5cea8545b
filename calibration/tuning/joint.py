"""All limits together: a frame has to pass every one, so they share one promise.

``Joint.LAMBDA`` moves a vector of levels by one factor. A family with one degree of freedom needs
no more subjects than one limit does; fitted one by one, m limits need m times as many. The vector
is the defaults, with those replaced that turn good frames away, as seen on a third of the training
subjects; the others find the factor by conformal risk control. The two sets share nobody, so the
promise is that of one limit (quality reference 1.5, point 4). Where that fails, all defaults are
scaled on all training subjects; where that fails too, each limit gets its part of the rate.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Final

import numpy as np
from numpy.typing import NDArray

from calibration.tuning.levels import Chosen, Level, Training
from calibration.tuning.options import Joint, TuneOptions
from calibration.tuning.single import alone, fixed, kept, no_reason, relaxed
from calibration.tuning.statistics.conformal import least_subjects, strictest_level, subject_weights

SCALE_RANGE: Final = (0.25, 4.0)
"""Beyond a factor of four, one factor for all says that a limit does not fit this material."""

SHAPE_SHARE: Final = 1 / 3
"""Of the training subjects, for the proportions of the limits."""

SHAPE_PART: Final = 0.25
"""Of the target rate, what one limit may reject among those subjects."""


@dataclass(frozen=True, eq=False)
class Vector:
    """Levels that one factor moves.

    Attributes
    ----------
    anchors : (limits,) level of each at factor 1.
    loosens, tightens : (limits,) whether a factor above, or below 1 moves it.
    told : how the anchors came about.
    """

    anchors: tuple[float, ...]
    loosens: tuple[bool, ...]
    tightens: tuple[bool, ...]
    told: str


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
        return Chosen(tuple(kept(one, told) for one in single), options.joint, None, told, told)
    if options.joint is Joint.LAMBDA:
        found = _by_scale(training, single, options)
    elif options.joint is Joint.BONFERRONI:
        found = _by_bonferroni(training, single, options, "")
    else:
        note = "each limit alone keeps the target; together they may reject more"
        found = Chosen(single, Joint.NONE, None, note, _refusal(single, note))
    if options.relax:
        back = tuple(relaxed(training, n, one) for n, one in enumerate(found.levels))
        found = replace(found, levels=back)
    return found


def _by_scale(training: Training, single: tuple[Level, ...], options: TuneOptions) -> Chosen:
    """Return the levels of the first vector that a factor within ``SCALE_RANGE`` makes keep it."""
    shape = _shape_side(training, options)
    rest = training.only(~shape)
    failed = "too few subjects for learned proportions"
    if rest.people >= least_subjects(options.target_frr):
        vector = learned(training.only(shape), single, options)
        scale = factor(rest, vector, options.target_frr)
        if scale is not None and scale <= SCALE_RANGE[1]:
            return _scaled(single, vector, max(scale, SCALE_RANGE[0]), options)
        failed = "learned proportions keep the target at no factor up to 4"
    vector = of_defaults(single, options)
    scale = factor(training, vector, options.target_frr)
    if scale is not None and scale <= SCALE_RANGE[1]:
        return _scaled(single, vector, max(scale, SCALE_RANGE[0]), options)
    failed += "; nor do the defaults"
    if lost := _lost(training):
        failed += f", {lost:.1%} of the good frames have no face or lack a measure"
    return _by_bonferroni(training, single, options, f"{failed}: ")


def of_defaults(single: tuple[Level, ...], options: TuneOptions) -> Vector:
    """Return the vector of all defaults; every limit loosens, whether it is the cause or not."""
    return Vector(
        tuple(one.limit.default for one in single),
        tuple(not fixed(one.limit, options) for one in single),
        _tightens(single, options),
        "the defaults",
    )


def learned(shape: Training, single: tuple[Level, ...], options: TuneOptions) -> Vector:
    """Return the defaults, loosened where they turn away good frames of the ``shape`` subjects.

    Only those go on to loosen with the factor.
    """
    anchors, loosens = [], []
    for number, one in enumerate(single):
        limit = one.limit
        needed = _needed_level(shape, number, SHAPE_PART * options.target_frr)
        fits = limit.more_lenient(needed, limit.default) == limit.default
        free = limit.rejects and not fits and not fixed(limit, options)
        anchors.append(needed if free else limit.default)
        loosens.append(free)
    told = f"the defaults, {sum(loosens)} of them loosened after {shape.people} training subjects"
    return Vector(tuple(anchors), tuple(loosens), _tightens(single, options), told)


def _tightens(single: tuple[Level, ...], options: TuneOptions) -> tuple[bool, ...]:
    """Return which limits may get stricter: those with something bad of their kind."""
    return tuple(one.bad_frames > 0 and not fixed(one.limit, options) for one in single)


def factor(training: Training, vector: Vector, alpha: float) -> float | None:
    """Return the least factor at which what any limit rejects keeps ``alpha``; may be infinite.

    The shares of frames that need more than a factor fall with it, so that conformal risk control
    holds for them as for the badness of one limit.
    """
    rows = [
        _needed_factor(training, number, vector)
        for number, limit in enumerate(training.limits)
        if limit.rejects
    ]
    with np.errstate(invalid="ignore"):
        needed = np.fmax.reduce(rows)
    needed = np.where(np.isnan(needed), 0.0, needed)
    return strictest_level(needed[training.good], training.subject[training.good], alpha)


def _needed_factor(training: Training, number: int, vector: Vector) -> NDArray[np.float64]:
    """Return for each frame the least factor at which this limit passes it; NaN where silent."""
    limit, anchor = training.limits[number], vector.anchors[number]
    badness = training.badness[number]
    needed = limit.scale_of(badness, anchor)
    if not vector.loosens[number]:
        needed = np.where(badness > limit.badness_of(anchor), np.inf, needed)
    if not vector.tightens[number]:
        needed = np.where(badness > limit.badness_of(limit.default), needed, 0.0)
    return needed


def _scaled(
    single: tuple[Level, ...], vector: Vector, scale: float, options: TuneOptions
) -> Chosen:
    levels = [
        _scaled_level(one, vector, number, scale)
        if one.limit.rejects and not fixed(one.limit, options)
        else one
        for number, one in enumerate(single)
    ]
    note = f"{vector.told}, scaled by {scale:.4g}: together they keep {options.target_frr:.3g}"
    return Chosen(tuple(levels), Joint.LAMBDA, scale, note)


def _scaled_level(one: Level, vector: Vector, number: int, scale: float) -> Level:
    limit, anchor = one.limit, vector.anchors[number]
    if scale > 1 and not vector.loosens[number]:
        return kept(one, "it turns too few good frames away to be loosened")
    level = limit.scaled(anchor, scale)
    if not vector.tightens[number] and limit.more_lenient(level, limit.default) == limit.default:
        return kept(one, no_reason(limit))
    told = "the default" if anchor == limit.default else f"{anchor:.4g}, loosened from the default,"
    return replace(one, level=level, why=f"{told} scaled by {scale:.4g} with the others")


def _by_bonferroni(
    training: Training, single: tuple[Level, ...], options: TuneOptions, before: str
) -> Chosen:
    """Give each rejecting limit that is free to move its share of the rate."""
    free = [one for one in single if one.limit.rejects and not fixed(one.limit, options)]
    alpha = options.target_frr / max(1, len(free))
    levels = tuple(
        alone(training, number, options, alpha) if one in free else one
        for number, one in enumerate(single)
    )
    note = f"{before}each of {len(free)} limits at {alpha:.3g} (Bonferroni)"
    stuck = sum(one.limit.rejects and one.conformal is None for one in levels)
    if stuck:
        note += f"; {stuck} of them without a promise"
    return Chosen(levels, Joint.BONFERRONI, None, note, _refusal(levels, note))


def _refusal(levels: tuple[Level, ...], note: str) -> str:
    """Return why nothing can be promised, "" when some rejecting limit keeps its rate."""
    rejecting = [one for one in levels if one.limit.rejects]
    if any(one.conformal is not None for one in rejecting):
        return ""
    whys = {one.why for one in rejecting if one.subjects}
    return f"{note}: no limit can be promised anything ({'; '.join(sorted(whys))})"


def _shape_side(training: Training, options: TuneOptions) -> NDArray[np.bool_]:
    """Return (n,) the frames of the subjects that give the proportions."""
    subjects = np.unique(training.subject)
    ranked = sorted(
        subjects.tolist(), key=lambda s: sha256(f"shape {options.seed}:{s}".encode()).digest()
    )
    chosen = ranked[: round(SHAPE_SHARE * len(ranked))]
    return np.isin(training.subject, chosen)


def _needed_level(shape: Training, number: int, share: float) -> float:
    """Return the strictest level that rejects at most ``share`` of the good frames it can judge."""
    limit, badness = shape.limits[number], shape.badness[number]
    good = shape.good & np.isfinite(badness)
    if not good.any():
        return limit.default
    order = np.argsort(-badness[good], kind="stable")
    weights = subject_weights(shape.subject[good])[order]
    beyond = np.cumsum(weights) - weights
    allowed = share * len(np.unique(shape.subject[good]))
    place = int(np.flatnonzero(beyond <= allowed + 1e-9)[-1])
    return limit.level_of(float(badness[good][order][place]))


def _lost(training: Training) -> float:
    rejecting = [limit.rejects for limit in training.limits]
    lost = np.isposinf(training.badness[rejecting][:, training.good]).any(axis=0)
    return float(lost.mean())
