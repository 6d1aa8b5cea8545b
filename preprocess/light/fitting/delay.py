"""The lag between the screen's flips and the frames, from the light on the face itself.

Labels come from the flip log and one constant lag; this estimate checks that constant, and never
moves single labels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from preprocess.light.fitting.series import Array

_WITHIN_NS = 60_000_000
_FINER = 5
_TEMPER = 0.3
_FLOOR_NS = 1_000_000


@dataclass(frozen=True, slots=True)
class DelayEstimate:
    """``delay_ns`` and its sd, both in ns; the sd does not know of an error of the readout time."""

    delay_ns: int
    sd_ns: int


def estimate_delay(
    delays_ns: NDArray[np.int64], cost: Array, prior: Array, freedom: int, *, near: int | None
) -> DelayEstimate:
    """Return the posterior mean and sd of the delay.

    Between the grid's points the cost is taken from the parabola through the three nearest. Where
    no frame saw an edge, the cost is flat over some ms, and the mean of what is possible has half
    the error of any single minimum.

    Parameters
    ----------
    delays_ns : (D,) evenly spaced.
    cost : (E, D) log-determinant of the residual covariance for each exposure tried.
    prior : (E,) weight of each exposure before looking.
    freedom : frames; scales the cost to twice a log-likelihood. Tempered to .3, since neighbouring
        frames err together: the sd then covers the errors seen on relit faces [measured].
    near : grid index around which (60 ms) to look: a fit of free levels can also follow a plan that
        was shifted by most of a slot. None looks around the least cost.
    """
    step = float(delays_ns[1] - delays_ns[0])
    offsets = np.arange(-(_FINER // 2), _FINER // 2 + 1) / _FINER
    before, here, after = cost[:, :-2, None], cost[:, 1:-1, None], cost[:, 2:, None]
    fine = here + 0.5 * (after - before) * offsets + 0.5 * (before - 2 * here + after) * offsets**2
    at = (delays_ns[1:-1, None] + offsets * step).ravel()
    fine = fine.reshape(len(cost), -1)
    centre = at[np.argmin(fine.min(axis=0))] if near is None else delays_ns[near]
    allowed = np.abs(at - centre) <= _WITHIN_NS
    fine, at = fine[:, allowed], at[allowed]
    weight = prior[:, None] * np.exp(-0.5 * _TEMPER * max(freedom, 1) * (fine - fine.min()))
    mass = weight.sum(axis=0) / weight.sum()
    mean = float(mass @ at)
    sd = float(np.sqrt(mass @ (at - mean) ** 2 + _FLOOR_NS**2))
    return DelayEstimate(round(mean), round(sd))
