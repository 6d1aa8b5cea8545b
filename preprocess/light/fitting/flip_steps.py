"""Where each flip's own step lies: the light as a clock that tells whether stamps are true.

One constant delay fits all flips of a session whose stamps are true. A container written at the
nominal rate after frames were lost, doubled frames or a rate that changed without being told make
the steps wander or jump against the stamps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from preprocess.light.fitting.delay import TEMPER
from preprocess.light.fitting.feature_fit import Attempt
from preprocess.light.fitting.fit import fit_slots, moments
from preprocess.light.fitting.series import Array
from preprocess.light.fitting.template import SlotEdges

_REACH_NS = 150_000_000
_GRID_NS = 5_000_000
_FLOOR_NS = 2_000_000

CERTAIN_NATS = 3.0
"""A step elsewhere than at its flip must be e^3 times as likely to count."""

JUMP_NS = 6_000_000
"""What two sd leave of a step's shift; [measured] true stamps leave 3 ms at most in 200 relit
sessions, lost frames under nominal stamps 9 and more."""

DRIFT_NS = 20_000_000
"""What two sd leave of the drift from the first flip to the last; true stamps 7 ms at most."""


@dataclass(frozen=True, slots=True)
class FlipStep:
    """The step that one flip made in the light of the face.

    Attributes
    ----------
    t_ns : the flip, on the display's clock.
    shift_ns, sd_ns : how much later than flip and delay say the step came.
    evidence : log of how much likelier the likeliest place is than the flip's own.
    """

    t_ns: int
    shift_ns: int
    sd_ns: int
    evidence: float

    @property
    def excess_ns(self) -> int:
        """What is left of the shift when two sd are taken away; 0 where nothing speaks for one."""
        if self.evidence < CERTAIN_NATS:
            return 0
        return max(abs(self.shift_ns) - 2 * self.sd_ns, 0)


@dataclass(frozen=True, slots=True)
class StepCheck:
    """All steps of a session together.

    Attributes
    ----------
    drift_ns, drift_sd_ns : of the steps against the stamps, from the first flip to the last.
    """

    steps: tuple[FlipStep, ...]
    drift_ns: int
    drift_sd_ns: int

    @property
    def jump_ns(self) -> int:
        """The largest shift that is certain, less two sd."""
        return max((step.excess_ns for step in self.steps), default=0)

    @property
    def in_doubt(self) -> bool:
        """Whether the stamps cannot be true."""
        drifts = abs(self.drift_ns) - 2 * self.drift_sd_ns > DRIFT_NS
        return drifts or self.jump_ns > JUMP_NS


def check_steps(tried: Attempt) -> StepCheck:
    """Look for each flip's step near the place that the session's one delay gives it."""
    t_ns = tried.series.t_ns - tried.series.t_ns[0]
    seen = [
        index
        for index, edge in enumerate(tried.edges.edges_ns)
        if tried.opened_ns[2] < edge < tried.opened_ns[-3] + tried.shutter.exposure_ns
    ]
    moves = np.arange(-_REACH_NS, _REACH_NS + 1, _GRID_NS, np.int64)
    steps = [_step(tried, index, moves) for index in seen] if len(t_ns) > 6 else []
    drift, sd = _drift(steps)
    return StepCheck(tuple(steps), round(drift), round(sd))


def step_costs(tried: Attempt, slots: SlotEdges, edges_ns: Array) -> tuple[Array, int]:
    """(G,) log-determinant of the residual for (G, E) places of the edges, and its freedom."""
    shares = slots.shares(tried.opened_ns[None], tried.shutter.exposure_ns, edges_ns[:, None, :])
    sums = moments(tried.series.t_ns, tried.features, shares, tried.noise)
    return fit_slots(sums).cost, sums.freedom


def _step(tried: Attempt, index: int, moves: NDArray[np.int64]) -> FlipStep:
    edges = np.repeat(tried.edges.edges_ns[None], len(moves), axis=0)
    edges[:, index] += moves
    cost, freedom = step_costs(tried, tried.edges, edges)
    nats = 0.5 * TEMPER * max(freedom, 1) * (cost - cost.min())
    mass = np.exp(-nats)
    mass /= mass.sum()
    shift = float(mass @ moves)
    sd = float(np.sqrt(mass @ (moves - shift) ** 2 + _FLOOR_NS**2))
    flip = tried.edges.base_ns + int(tried.edges.edges_ns[index])
    return FlipStep(flip, round(shift), round(sd), float(nats[len(moves) // 2]))


def _drift(steps: Sequence[FlipStep]) -> tuple[float, float]:
    """Return the weighted straight line through the shifts, from first to last flip, and its sd."""
    if len(steps) < 3:
        return 0.0, float(_REACH_NS)
    t = np.array([step.t_ns for step in steps], np.float64)
    along = (t - t.mean()) / (t[-1] - t[0])
    weight = np.array([float(step.sd_ns) ** -2 for step in steps])
    design = np.column_stack([np.ones_like(along), along])
    inverse = np.linalg.inv(design.T @ (design * weight[:, None]))
    shifts = np.array([step.shift_ns for step in steps], np.float64)
    return float((inverse @ (design.T @ (weight * shifts)))[1]), float(np.sqrt(inverse[1, 1]))
