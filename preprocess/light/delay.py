"""The lag between the screen's flips and the frames, from the light on the face itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from preprocess.light.fit import SlotFit

_WITHIN_NS = 60_000_000


@dataclass(frozen=True, slots=True)
class DelayEstimate:
    """``delay_ns`` and the sd that the curvature of the fit allows, both in ns."""

    delay_ns: int
    sd_ns: int


def estimate_delay(
    delays_ns: NDArray[np.int64], fit: SlotFit, freedom: int, *, near: int | None = None
) -> DelayEstimate:
    """Refine the grid of ``fit`` by a parabola through its least cost.

    ``near`` is a grid index (the delay at which the declared colours correlate best): the minimum
    is then looked for within 60 ms of it, since a fit of free levels can also follow a plan that
    was shifted by most of a slot. ``freedom`` scales the cost to twice a log-likelihood.
    """
    cost = fit.cost
    allowed = np.ones(len(cost), bool)
    if near is not None:
        allowed = np.abs(delays_ns - delays_ns[near]) <= _WITHIN_NS
    index = int(np.argmin(np.where(allowed, cost, np.inf)))
    index = min(max(index, 1), len(cost) - 2)
    before, here, after = (float(v) for v in cost[index - 1 : index + 2])
    curve = before - 2 * here + after
    step = float(delays_ns[1] - delays_ns[0])
    shift = 0.0 if curve <= 0 else float(np.clip(0.5 * (before - after) / curve, -0.5, 0.5))
    spread = step if curve <= 0 else step * float(np.sqrt(2.0 / (max(freedom, 1) * curve)))
    return DelayEstimate(round(float(delays_ns[index]) + shift * step), round(spread))
