"""One level for each limit: conformal, then jointly, then as lenient as costs nothing."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from calibration.tuning.conformal import least_subjects, strictest_level
from calibration.tuning.limits import Limit
from calibration.tuning.material import Material
from calibration.tuning.options import Joint, TuneOptions

SCALE_RANGE: Final = (0.25, 4.0)
"""Beyond a factor of four one scale for all says that a default does not fit this camera."""


class Status(StrEnum):
    """What became of a limit."""

    TUNED = "tuned"
    KEPT = "kept"


@dataclass(frozen=True, slots=True)
class Level:
    """What was found for one limit.

    Attributes
    ----------
    limit : which.
    level : to be used from now on.
    conformal : the strictest level that alone keeps the target rate; None where there is none.
    subjects : training subjects with good frames that the limit speaks on.
    bad_frames : training frames labelled bad for its reason.
    why : in words; for a kept default the reason.
    """

    limit: Limit
    level: float
    conformal: float | None
    subjects: int
    bad_frames: int
    why: str

    @property
    def status(self) -> Status:
        """Whether the level differs from the default."""
        return Status.KEPT if self.level == self.limit.default else Status.TUNED


@dataclass(frozen=True, slots=True)
class Chosen:
    """All levels, and how the promise is kept for all of them together.

    Attributes
    ----------
    joint : the method that was carried out.
    scale : the factor of ``Joint.LAMBDA``, else None.
    note : what was done, in words.
    refused : why nothing can be promised; "" when something can.
    """

    levels: tuple[Level, ...]
    joint: Joint
    scale: float | None
    note: str
    refused: str = ""


@dataclass(frozen=True, eq=False)
class Training:
    """The training side as the search sees it.

    Attributes
    ----------
    limits : all of them.
    badness : (limits, n) of each frame.
    good : (n,) labelled good.
    subject : (n,) whose.
    bad : (limits, n) labelled bad for the limit's reason.
    """

    limits: tuple[Limit, ...]
    badness: NDArray[np.float64]
    good: NDArray[np.bool_]
    subject: NDArray[np.int32]
    bad: NDArray[np.bool_]

    @staticmethod
    def of(
        material: Material,
        limits: tuple[Limit, ...],
        badness: NDArray[np.float64],
        side: NDArray[np.bool_],
    ) -> Training:
        """Return one side of the material."""
        bad = np.stack([material.bad_for(limit.reason) for limit in limits])
        return Training(
            limits, badness[:, side], material.good[side], material.subject[side], bad[:, side]
        )

    def conformal(self, number: int, alpha: float) -> float | None:
        """Return the strictest badness that limit ``number`` may begin at; see ``conformal``."""
        badness = self.badness[number]
        speaks = self.good & ~np.isnan(badness)
        return strictest_level(badness[speaks], self.subject[speaks], alpha)

    def subjects(self, number: int) -> int:
        """Return how many subjects have good frames on which the limit speaks."""
        return len(np.unique(self.subject[self.good & ~np.isnan(self.badness[number])]))


def choose(training: Training, options: TuneOptions) -> Chosen:
    """Return a level for each limit that keeps ``options.target_frr`` on a further subject."""
    single = tuple(
        _alone(training, n, options, options.target_frr) for n in range(len(training.limits))
    )
    subjects = len(np.unique(training.subject[training.good]))
    least = least_subjects(options.target_frr)
    if subjects < least:
        told = (
            f"not enough data: {subjects} training subjects with good frames, "
            f"{least} are needed to promise {options.target_frr:.3g}"
        )
        return Chosen(tuple(_kept(one, told) for one in single), options.joint, None, told, told)
    if options.joint is Joint.LAMBDA:
        found = _by_scale(training, single, options)
    elif options.joint is Joint.BONFERRONI:
        found = _by_bonferroni(training, single, options, "")
    else:
        note = "each limit alone keeps the target; together they may reject more"
        found = Chosen(single, Joint.NONE, None, note, _refusal(single, note))
    if options.relax:
        relaxed = tuple(_relaxed(training, n, one) for n, one in enumerate(found.levels))
        found = replace(found, levels=relaxed)
    return found


def _alone(training: Training, number: int, options: TuneOptions, alpha: float) -> Level:
    """Return the level of one limit by the conformal rule at ``alpha``."""
    limit = training.limits[number]
    subjects = training.subjects(number)
    bad_frames = int((training.bad[number] & ~np.isnan(training.badness[number])).sum())
    found = Level(limit, limit.default, None, subjects, bad_frames, "")
    badness = training.conformal(number, alpha) if subjects else None
    why = _unpromised(training, number, badness, alpha)
    if limit.rule.measure in options.keep:
        why = "kept as asked (--keep)"
    if why or badness is None:
        return _kept(found, why)
    level = limit.level_of(badness)
    found = replace(found, conformal=level)
    if bad_frames:
        return replace(found, level=level, why=f"conformal at {alpha:.3g}")
    if limit.more_lenient(level, limit.default) == limit.default:
        return _kept(found, _no_reason(limit))
    return replace(found, level=level, why=f"the default rejects more than {alpha:.3g}: conformal")


def _unpromised(training: Training, number: int, badness: float | None, alpha: float) -> str:
    """Return why the conformal rule gives this limit no level, "" when it does."""
    subjects = training.subjects(number)
    if not subjects:
        return "no good training frame in the light that it speaks on"
    if badness is None:
        least = least_subjects(alpha)
        return f"not enough data: {subjects} training subjects, {least} are needed for {alpha:.3g}"
    if math.isinf(badness):
        good = training.good & ~np.isnan(training.badness[number])
        lost = float(np.isposinf(training.badness[number][good]).mean())
        return f"{lost:.1%} of the good frames cannot be assessed: no level keeps {alpha:.3g}"
    return ""


def _no_reason(limit: Limit) -> str:
    return f"nothing labelled {limit.reason}: no reason for a stricter limit"


def _by_scale(training: Training, single: tuple[Level, ...], options: TuneOptions) -> Chosen:
    """Scale all defaults by the least factor at which any-limit rejects keep the rate."""
    rows = [
        _needed_scale(training, number, single[number], options)
        for number, limit in enumerate(training.limits)
        if limit.rejects
    ]
    with np.errstate(invalid="ignore"):
        needed = np.fmax.reduce(rows)
    needed = np.where(np.isnan(needed), 0.0, needed)
    scale = strictest_level(
        needed[training.good], training.subject[training.good], options.target_frr
    )
    if scale is None or scale > SCALE_RANGE[1]:
        told = (
            "no factor up to 4 keeps the target"
            if scale is not None and math.isfinite(scale)
            else f"{_lost(training):.1%} of the good frames have no face or no measure"
        )
        return _by_bonferroni(training, single, options, f"one factor for all failed ({told}); ")
    scale = max(scale, SCALE_RANGE[0])
    levels = tuple(_scaled(one, scale, options) for one in single)
    note = f"all limits scaled by {scale:.4g}, so that together they keep {options.target_frr:.3g}"
    return Chosen(levels, Joint.LAMBDA, scale, note)


def _fixed(level: Level, options: TuneOptions) -> bool:
    return level.limit.rule.measure in options.keep


def _needed_scale(
    training: Training, number: int, single: Level, options: TuneOptions
) -> NDArray[np.float64]:
    """Return for each frame the least factor at which this limit passes it."""
    limit = training.limits[number]
    badness = training.badness[number]
    within = ~(badness > limit.badness_of(limit.default))
    if _fixed(single, options):
        return np.where(within, 0.0, np.inf)
    needed = limit.scale_of(badness)
    # without anything bad of its kind a limit is never made stricter than its default
    return needed if single.bad_frames else np.where(within, 0.0, needed)


def _scaled(single: Level, scale: float, options: TuneOptions) -> Level:
    limit = single.limit
    if not limit.rejects or _fixed(single, options):
        return single
    level = limit.scaled(scale)
    if not single.bad_frames and limit.more_lenient(level, limit.default) == limit.default:
        return _kept(single, _no_reason(limit))
    return replace(single, level=level, why=f"the default scaled by {scale:.4g} with all others")


def _by_bonferroni(
    training: Training, single: tuple[Level, ...], options: TuneOptions, before: str
) -> Chosen:
    """Give each rejecting limit that is free to move its share of the rate."""
    free = [one for one in single if one.limit.rejects and not _fixed(one, options)]
    alpha = options.target_frr / max(1, len(free))
    levels = tuple(
        _alone(training, number, options, alpha) if one in free else one
        for number, one in enumerate(single)
    )
    note = f"{before}each of {len(free)} limits at {alpha:.3g} (Bonferroni)"
    stuck = [one for one in levels if one in free and one.conformal is None]
    if stuck:
        note += f"; {len(stuck)} of them without a promise"
    return Chosen(levels, Joint.BONFERRONI, None, note, _refusal(levels, note))


def _refusal(levels: tuple[Level, ...], note: str) -> str:
    """Return why nothing can be promised, "" when some rejecting limit keeps its rate."""
    rejecting = [one for one in levels if one.limit.rejects]
    if any(one.conformal is not None for one in rejecting):
        return ""
    whys = {one.why for one in rejecting if one.subjects}
    return f"{note}: no limit can be promised anything ({'; '.join(sorted(whys))})"


def _relaxed(training: Training, number: int, found: Level) -> Level:
    """Move a stricter limit back towards its default where that lets no bad training frame pass.

    At most half-way to the next bad frame that the level rejects: the gap costs nothing.
    """
    limit = found.limit
    if limit.more_lenient(found.level, limit.default) == found.level or not found.bad_frames:
        return found
    badness = training.badness[number]
    caught = training.bad[number] & (badness > limit.badness_of(found.level)) & np.isfinite(badness)
    level = limit.default
    if caught.any():
        nearest = float(badness[caught].min())
        middle = (nearest + limit.badness_of(found.level)) / 2
        if middle < limit.badness_of(limit.default):
            level = _strict_of_nearest(limit, middle, nearest)
    if level == found.level:
        return found
    why = f"{found.why}; from {found.level:g} back towards the default, which costs nothing"
    return replace(found, level=level, why=why)


def _strict_of_nearest(limit: Limit, middle: float, nearest: float) -> float:
    """Return the level for ``middle``, unless rounding would let the nearest bad frame pass."""
    level = limit.level_of(middle)
    return level if limit.badness_of(level) < nearest else limit.rule.sign * middle


def _kept(level: Level, why: str) -> Level:
    return replace(level, level=level.limit.default, why=why)


def _lost(training: Training) -> float:
    return float(np.isposinf(training.badness[:, training.good]).any(axis=0).mean())
