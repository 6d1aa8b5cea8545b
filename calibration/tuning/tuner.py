"""Material in, thresholds with their evidence out."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from calibration.errors import TuningError
from calibration.tuning.evaluation import Evaluation, Judge, beyond_levels, rejected_by_any
from calibration.tuning.groups import Grouped, GroupRate
from calibration.tuning.joint import choose
from calibration.tuning.levels import Chosen, Level, Training
from calibration.tuning.limits import Limit, limits_of, with_levels
from calibration.tuning.material.material import Material
from calibration.tuning.options import TuneOptions
from calibration.tuning.split import held_out
from preprocess.gate.thresholds import Thresholds


@dataclass(frozen=True, eq=False)
class Tuning:
    """All that was found.

    Attributes
    ----------
    limits : the limits, in the order of the rules.
    badness : (limits, n) of every frame; see ``Limit.badness``.
    held_out : (n,) whether a frame was kept from the search.
    chosen : the levels.
    holdout, training : what the levels do to either side.
    before : what the defaults do to the held-out side.
    groups : false rejects by group on the held-out side; empty when no groups are given.
    refused : why the levels must not be used; "" when they may.
    """

    material: Material
    options: TuneOptions
    base: Thresholds
    limits: tuple[Limit, ...]
    badness: NDArray[np.float64]
    held_out: NDArray[np.bool_]
    chosen: Chosen
    holdout: Evaluation
    training: Evaluation
    before: Evaluation
    groups: tuple[GroupRate, ...]
    refused: str

    @property
    def levels(self) -> dict[str, float]:
        """Level of each limit by key."""
        return levels_of(self.chosen.levels)

    @property
    def defaults(self) -> dict[str, float]:
        """The defaults by key."""
        return {limit.key: limit.default for limit in self.limits}

    @property
    def thresholds(self) -> Thresholds:
        """The thresholds that come out; the base when nothing was tuned."""
        return with_levels(self.base, self.limits, self.levels)


def tune(material: Material, options: TuneOptions, base: Thresholds | None = None) -> Tuning:
    """Split by subject, choose the levels on one side, judge them on the other.

    Parameters
    ----------
    base : the thresholds that stand where nothing better can be promised.

    Raises
    ------
    MaterialError
        a side of the split has no good frames.
    TuningError
        ``options.keep`` names no measure that has a limit.
    """
    base = base or Thresholds()
    limits = limits_of(base)
    measures = sorted({limit.rule.measure for limit in limits})
    if unknown := sorted(options.keep.difference(measures)):
        raise TuningError(f"--keep: unknown {unknown[0]!r}, expected one of {', '.join(measures)}")
    badness = np.stack([limit.badness(material.values, material.kind, base) for limit in limits])
    held = held_out(material, options.holdout, options.seed)
    chosen = choose(Training.of(material, limits, badness, ~held), options)
    judge = Judge(material, limits, badness, held, options.confidence, options.seed)
    levels = levels_of(chosen.levels)
    holdout = judge.evaluate(levels)
    rejected = rejected_by_any(limits, beyond_levels(limits, badness, levels))
    groups = _groups(material, held & material.good, rejected, options)
    return Tuning(
        material,
        options,
        base,
        limits,
        badness,
        held,
        chosen,
        holdout,
        replace(judge, side=~held).evaluate(levels),
        judge.evaluate({limit.key: limit.default for limit in limits}),
        groups,
        chosen.refused or _refused(holdout, groups, options),
    )


def levels_of(levels: tuple[Level, ...]) -> dict[str, float]:
    """Return the levels by key."""
    return {one.limit.key: one.level for one in levels}


def _groups(
    material: Material,
    side: NDArray[np.bool_],
    rejected: NDArray[np.bool_],
    options: TuneOptions,
) -> tuple[GroupRate, ...]:
    grouped = Grouped(material.subject[side], material.group[side], material.groups)
    return grouped.rates(rejected[side], options.confidence, options.seed)


def _refused(holdout: Evaluation, groups: tuple[GroupRate, ...], options: TuneOptions) -> str:
    rate = holdout.false_rejects
    if rate.interval.high > options.limit:
        return (
            f"on {rate.subjects} held-out subjects {rate.value:.1%} of the good frames are "
            f"rejected, and up to {rate.interval.high:.1%} may be: more than --limit "
            f"{options.limit:.1%}"
        )
    for group in groups:
        if not group.accepted:
            low, high = (100 * end for end in group.gap_interval)
            return (
                f"group {group.group!r}: its good frames are rejected at a rate "
                f"{100 * group.gap:+.1f} points ({low:+.1f} to {high:+.1f}) from the others': more "
                "than chance and 5 points"
            )
    return ""
