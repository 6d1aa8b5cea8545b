"""One limit alone: the conformal rule, and when it has nothing to say."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from calibration.tuning.levels import Level, Training
from calibration.tuning.limits import Limit
from calibration.tuning.options import TuneOptions
from calibration.tuning.statistics.conformal import least_subjects


def alone(training: Training, number: int, options: TuneOptions, alpha: float) -> Level:
    """Return the level of one limit by the conformal rule at ``alpha``.

    Stricter than its default only where something bad of its kind is labelled: else a good frame
    more would be turned away for nothing that anyone has seen.
    """
    limit = training.limits[number]
    subjects = training.subjects(number)
    found = Level(limit, limit.default, None, subjects, training.evidence(number), "")
    badness = training.conformal(number, alpha) if subjects else None
    why = _unpromised(training, number, badness, alpha)
    if fixed(limit, options):
        why = "kept as asked (--keep)"
    if why or badness is None:
        return kept(found, why)
    level = limit.level_of(badness)
    found = replace(found, conformal=level)
    if found.bad_frames:
        return replace(found, level=level, why=f"conformal at {alpha:.3g}")
    if limit.more_lenient(level, limit.default) == limit.default:
        return kept(found, no_reason(limit))
    does = "turns away" if limit.rejects else "warns on"
    why = f"the default {does} more than {alpha:.3g} of the good frames: conformal"
    return replace(found, level=level, why=why)


def relaxed(training: Training, number: int, found: Level) -> Level:
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
            level = _below(limit, middle, nearest)
    if f"{level:.4g}" == f"{found.level:.4g}":
        return found
    why = f"{found.why}; from {found.level:g} back towards the default, which costs nothing"
    return replace(found, level=level, why=why)


def kept(level: Level, why: str) -> Level:
    """Return the limit at its default, with the reason."""
    return replace(level, level=level.limit.default, why=why)


def fixed(limit: Limit, options: TuneOptions) -> bool:
    """Return whether the user wants this limit to stay."""
    return limit.rule.measure in options.keep


def no_reason(limit: Limit) -> str:
    """Return why a limit is not made stricter."""
    return f"nothing labelled {limit.reason}: no reason for a stricter limit"


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


def _below(limit: Limit, middle: float, nearest: float) -> float:
    """Return the level for ``middle``, unless rounding would let the nearest bad frame pass."""
    level = limit.level_of(middle)
    return level if limit.badness_of(level) < nearest else limit.rule.sign * middle
