"""Whether light that fits no delay is the declared plan at other times: stamps that lie.

A plan in another order stays another plan wherever its flips are put; the declared one, played to
lost frames under nominal stamps, fits once its flips may move against the stamps.
"""

from __future__ import annotations

import numpy as np

from preprocess.light.fitting.delay import TEMPER
from preprocess.light.fitting.feature_fit import Attempt
from preprocess.light.fitting.fit import fit_slots, moments
from preprocess.light.fitting.flip_steps import step_costs
from preprocess.light.fitting.labelling import judge_labelling
from preprocess.light.fitting.series import Array
from preprocess.light.options import ResponseOptions

_MS = 1e6
_RATES = (*np.arange(0.5, 1.13, 0.04),)
"""Stamps of a container that runs at up to half or above the true rate."""
_HALVED_FROM = (0.15, 0.3, 0.45, 0.6, 0.75)
"""Share of the colours after which the true rate was half of the stamped one."""
_OFFSETS_MS = (*range(-200, 401, 25),)
_MOVES_MS = (
    np.arange(-120, 121, 20, np.float64),
    np.arange(-40, 41, 8, np.float64),
    np.arange(-40, 41, 8, np.float64),
)
_SHORTEST_SLOT_MS = 100.0

GAIN_NATS = 8.0
"""How much likelier the moved flips must be than the best single delay; [measured] relit faces
under another plan or no light gain 10 at most where the colours still fit, never with ``PEAK``."""

PEAK = 0.75
"""Correlation that the declared colours must reach at the moved flips."""


def fits_at_other_times(tried: Attempt, options: ResponseOptions) -> bool:
    """Return whether the declared colours, in their order, explain the light at other times."""
    start, cost = _best_start(tried)
    edges, cost, freedom = _refined(tried, start, cost)
    gain = 0.5 * TEMPER * max(freedom, 1) * (float(tried.fit.cost.min()) - cost)
    if gain < GAIN_NATS:
        return False
    shares = tried.edges.shares(tried.opened_ns, tried.shutter.exposure_ns, edges)
    sums = moments(tried.series.t_ns, tried.features, shares[None], tried.noise)
    fit = fit_slots(sums)
    verdict = judge_labelling(
        sums.weighted(fit.weights),
        np.array(list(tried.palette.values())) @ fit.weights,
        tried.labels,
        permutations=options.permutations,
        seed=options.seed,
    )
    limit = max(options.p_limit, 1.5 * verdict.p_floor)
    beaten = verdict.beaten(options.rival_slots / len(tried.slots))
    present = fit.strength >= options.present
    return present and verdict.peak >= PEAK and verdict.p_value <= limit and not beaten


def _best_start(tried: Attempt) -> tuple[Array, float]:
    """Return the flips under the likeliest of simple warps of the stamps, and their cost."""
    since = tried.edges.edges_ns - tried.edges.edges_ns[0]
    span = float(since[-1])
    warped = [since * rate for rate in _RATES]
    for share in _HALVED_FROM:
        knee = share * span
        warped.append(np.where(since < knee, since, knee + 0.5 * (since - knee)))
    edges = np.array(
        [
            tried.edges.edges_ns[0] + shape + offset * _MS
            for shape in warped
            for offset in _OFFSETS_MS
        ]
    )
    cost, _ = step_costs(tried, edges)
    best = int(np.argmin(cost))
    return edges[best], float(cost[best])


def _refined(tried: Attempt, edges: Array, cost: float) -> tuple[Array, float, int]:
    """Move one flip after the other to where it fits best; return flips, cost and freedom."""
    freedom = 0
    for moves in _MOVES_MS:
        for index in range(len(edges)):
            candidates = np.repeat(edges[None], len(moves), axis=0)
            candidates[:, index] += moves * _MS
            apart = np.diff(candidates, axis=1).min(axis=1) > _SHORTEST_SLOT_MS * _MS
            candidates = candidates[apart]
            if not len(candidates):
                continue
            costs, freedom = step_costs(tried, candidates)
            best = int(np.argmin(costs))
            if costs[best] < cost:
                edges, cost = candidates[best], float(costs[best])
    return edges, cost, freedom
