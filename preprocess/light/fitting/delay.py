"""The lag between the screen's flips and the frames, from the light on the face itself.

Labels come from the flip log and one constant lag; this estimate checks that constant, and never
moves single labels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from preprocess.light.fitting.series import Array

_WITHIN_NS = 60_000_000
_FINER = 5
TEMPER = 0.3
"""Neighbouring frames err together: what a log-likelihood counts for [measured on relit faces]."""
_FLOOR_NS = 1_000_000
PANEL_SD_NS = 3_000_000
"""How far half light lies from where the soft edge puts it, from panel to panel."""


@dataclass(frozen=True, slots=True)
class DelayEstimate:
    """Delay and exposure, found together; all in ns.

    Attributes
    ----------
    delay_ns, sd_ns : from a flip to half its light in an exposure of the first row that begins
        with it.
    exposure_ns, exposure_sd_ns : of a row.
    middle_ns, middle_sd_ns : the delay less half the exposure. Frames tell when the middle of
        their exposure saw a flip better than they tell how long it was.
    """

    delay_ns: int
    sd_ns: int
    exposure_ns: int
    exposure_sd_ns: int
    middle_ns: int
    middle_sd_ns: int


def estimate_delay(
    delays_ns: NDArray[np.int64],
    exposures_ns: Sequence[int],
    cost: Array,
    freedom: int,
    *,
    near: int | None,
    sd_ns: int = 0,
) -> DelayEstimate:
    """Return the posterior mean and sd of delay and exposure.

    Between the grid's points the cost is taken from the parabola through the three nearest. Where
    no frame saw an edge, the cost is flat over some ms, and the mean of what is possible has half
    the error of any single minimum.

    Parameters
    ----------
    delays_ns : (D,) evenly spaced.
    exposures_ns : (E,) tried.
    cost : (E, D) log-determinant of the residual covariance.
    freedom : frames; scales the cost to twice a log-likelihood, tempered by `TEMPER`.
    near : grid index around which (60 ms) to look: a fit of free levels can also follow a plan that
        was shifted by most of a slot. None looks around the least cost.
    sd_ns : what the frames cannot tell, such as the readout; added to the sd of delay and middle.
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
    mass = np.exp(-0.5 * TEMPER * max(freedom, 1) * (fine - fine.min()))
    mass /= mass.sum()
    exposures = np.array(exposures_ns, np.float64)[:, None]
    shape = fine.shape
    known = max(float(sd_ns), float(_FLOOR_NS))
    delay, spread = _moments(mass, np.broadcast_to(at[None], shape))
    exposure, exposure_spread = _moments(mass, np.broadcast_to(exposures, shape))
    middle, middle_spread = _moments(mass, at[None] - exposures / 2)
    return DelayEstimate(
        delay_ns=round(delay),
        sd_ns=round(np.hypot(spread, known)),
        exposure_ns=round(exposure),
        exposure_sd_ns=round(exposure_spread),
        middle_ns=round(middle),
        middle_sd_ns=round(np.hypot(middle_spread, known)),
    )


def _moments(mass: Array, values: Array) -> tuple[float, float]:
    mean = float((mass * values).sum())
    return mean, float(np.sqrt((mass * (values - mean) ** 2).sum()))
