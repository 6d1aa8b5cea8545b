"""What a set of levels does to one side of the material: false rejects, false accepts, sessions."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from calibration.tuning.limits import Limit
from calibration.tuning.material.material import Material
from calibration.tuning.statistics.intervals import Rate, rate
from preprocess.reasons import Reason

SESSION_FRAMES: Final = 10
"""Accepted frames after which a session counts as acquired: a third of a second's worth."""


@dataclass(frozen=True, slots=True)
class Sessions:
    """Whether people get through: labelled inputs of several good frames, as one attempt each.

    Attributes
    ----------
    count, failed : inputs, and those that never had ``SESSION_FRAMES`` accepted frames (failure to
        acquire, ISO/IEC 19795-1).
    median_ms, p95_ms : time to that many among those that had them; NaN without any.
    """

    count: int
    failed: int
    median_ms: float
    p95_ms: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Rates of the whole gate and of each limit alone on one side of the material.

    Attributes
    ----------
    false_rejects : good frames that any limit rejects.
    false_accepts : bad frames that no limit rejects, whatever they are labelled with.
    by_reason : the same for the frames of one reason.
    rejects_of, accepts_of : by key of the limit, that limit alone: good frames beyond it, and
        frames bad for its reason within it.
    sessions : whether people get through.
    """

    false_rejects: Rate
    false_accepts: Rate
    by_reason: Mapping[Reason, Rate]
    rejects_of: Mapping[str, Rate]
    accepts_of: Mapping[str, Rate]
    sessions: Sessions


@dataclass(frozen=True, eq=False)
class Judge:
    """Counts on a fixed material; ``side`` (n,) chooses its frames."""

    material: Material
    limits: tuple[Limit, ...]
    badness: NDArray[np.float64]
    side: NDArray[np.bool_]
    confidence: float
    seed: int

    def evaluate(self, levels: Mapping[str, float]) -> Evaluation:
        """Return all rates at the levels, by key."""
        m, good = self.material, self.material.good
        beyond = beyond_levels(self.limits, self.badness, levels)
        rejected = rejected_by_any(self.limits, beyond)
        rejects_of, accepts_of = {}, {}
        for limit, outside, badness in zip(self.limits, beyond, self.badness, strict=True):
            speaks = ~np.isnan(badness)
            rejects_of[limit.key] = self._rate(outside, good & speaks)
            accepts_of[limit.key] = self._rate(~outside, m.bad_for(limit.reason) & speaks)
        return Evaluation(
            self._rate(rejected, good),
            self._rate(~rejected, ~good),
            {reason: self._rate(~rejected, m.bad_for(reason)) for reason in m.reasons},
            rejects_of,
            accepts_of,
            sessions(m, self.side & good, ~rejected),
        )

    def _rate(self, errors: NDArray[np.bool_], among: NDArray[np.bool_]) -> Rate:
        chosen = among & self.side
        return rate(errors[chosen], self.material.subject[chosen], self.confidence, self.seed)


def beyond_levels(
    limits: tuple[Limit, ...], badness: NDArray[np.float64], levels: Mapping[str, float]
) -> NDArray[np.bool_]:
    """Return (limits, n) whether a frame is beyond a limit's level."""
    at = np.array([limit.badness_of(levels[limit.key]) for limit in limits])
    found: NDArray[np.bool_] = badness > at[:, np.newaxis]
    return found


def rejected_by_any(limits: tuple[Limit, ...], beyond: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return (n,) whether any limit that rejects is violated."""
    found: NDArray[np.bool_] = beyond[[limit.rejects for limit in limits]].any(axis=0)
    return found


def sessions(material: Material, among: NDArray[np.bool_], passed: NDArray[np.bool_]) -> Sessions:
    """Return how the inputs with at least ``SESSION_FRAMES`` frames would fare."""
    chosen = np.flatnonzero(among)
    _, starts, counts = np.unique(material.item[chosen], return_index=True, return_counts=True)
    times: list[float] = []
    long_enough = counts >= SESSION_FRAMES
    for start, count in zip(starts[long_enough], counts[long_enough], strict=True):
        frames = chosen[start : start + count]
        accepted = frames[passed[frames]]
        if len(accepted) >= SESSION_FRAMES:
            t_ms = material.t_ms
            times.append(float(t_ms[accepted[SESSION_FRAMES - 1]] - t_ms[frames[0]]))
    median, p95 = np.quantile(times, (0.5, 0.95)) if times else (math.nan, math.nan)
    total = int(long_enough.sum())
    return Sessions(total, total - len(times), float(median), float(p95))
