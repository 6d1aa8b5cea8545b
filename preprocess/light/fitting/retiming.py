"""Whether light that fits no delay is the declared plan at other times: stamps that lie.

A plan in another order stays another plan wherever its flips are put; the declared one, played to
lost frames under nominal stamps, fits once its flips may move against the stamps.
"""

from __future__ import annotations

import numpy as np

from preprocess.light.fitting.delay import TEMPER
from preprocess.light.fitting.feature_fit import Attempt, label_indices
from preprocess.light.fitting.fit import fit_slots, moments
from preprocess.light.fitting.flip_steps import step_costs
from preprocess.light.fitting.labelling import judge_labelling
from preprocess.light.fitting.series import Array
from preprocess.light.fitting.template import SlotEdges, direction_of
from preprocess.light.options import ResponseOptions

_MS = 1e6
_RATES = (*np.arange(0.5, 1.13, 0.04),)
"""Stamps of a container that runs at up to half or above the true rate."""
_HALVED_FROM = (0.15, 0.3, 0.45, 0.6, 0.75)
"""Share of the colours after which the true rate was half of the stamped one."""
_DELAYS_MS = (*range(-300, 451, 25),)
"""Of the first flip, whose stamp may itself be off."""
_MOVES_MS = (
    np.arange(-120, 121, 20, np.float64),
    np.arange(-40, 41, 8, np.float64),
    np.arange(-40, 41, 8, np.float64),
)
_SHORTEST_SLOT_MS = 100.0
_APART_MS = 120.0
_FOLLOWED = 6
_NEVER_NS = 1e14
"""A plan that ends in a colour has no last flip."""

GAIN_NATS = 8.0
"""How much likelier the moved flips must be than the best single delay; [measured] relit faces
under another plan or no light gain 10 at most where the colours still fit, never with ``PEAK``."""

PEAK = 0.75
"""Correlation that the declared colours must reach at the moved flips."""


def fits_at_other_times(tried: Attempt, options: ResponseOptions) -> bool:
    """Return whether the declared colours, in their order, explain the light at other times."""
    slots = SlotEdges.of(tried.planned, tried.edges.base_ns)
    refined = [_refined(tried, slots, *start) for start in _starts(tried, slots)]
    edges, cost = min(refined, key=lambda found: found[1])
    shares = slots.shares(tried.opened_ns, tried.shutter.exposure_ns, edges)
    sums = moments(tried.series.t_ns, tried.features, shares[None], tried.noise)
    gain = 0.5 * TEMPER * max(sums.freedom, 1) * (float(tried.fit.cost.min()) - cost)
    if gain < GAIN_NATS:
        return False
    fit = fit_slots(sums)
    size = tried.features.shape[1]
    palette = {slot.colour: direction_of(slot.rgb, luminance=size > 2) for slot in tried.planned}
    verdict = judge_labelling(
        sums.weighted(fit.weights),
        np.array(list(palette.values())) @ fit.weights,
        label_indices(tried.planned, palette),
        permutations=options.permutations,
        seed=options.seed,
    )
    limit = max(options.p_limit, 1.5 * verdict.p_floor)
    beaten = verdict.beaten(options.rival_slots / len(tried.planned))
    present = fit.strength >= options.present
    return present and verdict.peak >= PEAK and verdict.p_value <= limit and not beaten


def _starts(tried: Attempt, slots: SlotEdges) -> list[tuple[Array, float]]:
    """Return the flips under the likeliest simple warps of the stamps, and the cost of each.

    Levels are free, so a plan moved by one slot fits nearly as well: several are followed.
    """
    since = slots.edges_ns - slots.edges_ns[0]
    shown = since < _NEVER_NS
    span = float(since[shown][-1])
    warped = [since * rate for rate in _RATES]
    for share in _HALVED_FROM:
        knee = share * span
        warped.append(np.where(since < knee, since, knee + 0.5 * (since - knee)))
    first = slots.edges_ns[0] - tried.delay.delay_ns
    edges = np.array(
        [first + shape + delay * _MS for shape in warped for delay in _DELAYS_MS], np.float64
    )
    cost, _ = step_costs(tried, slots, edges)
    found: list[tuple[Array, float]] = []
    for index in np.argsort(cost):
        apart = [np.abs(edges[index] - other)[shown].mean() for other, _ in found]
        if min(apart, default=np.inf) > _APART_MS * _MS:
            found.append((edges[index], float(cost[index])))
        if len(found) == _FOLLOWED:
            break
    return found


def _refined(tried: Attempt, slots: SlotEdges, edges: Array, cost: float) -> tuple[Array, float]:
    """Move one flip after the other to where it fits best; return flips and cost."""
    for moves in _MOVES_MS:
        for index in range(len(edges)):
            candidates = np.repeat(edges[None], len(moves), axis=0)
            candidates[:, index] += moves * _MS
            apart = np.diff(candidates, axis=1).min(axis=1) > _SHORTEST_SLOT_MS * _MS
            candidates = candidates[apart]
            if not len(candidates):
                continue
            costs, _ = step_costs(tried, slots, candidates)
            best = int(np.argmin(costs))
            if costs[best] < cost:
                edges, cost = candidates[best], float(costs[best])
    return edges, cost
