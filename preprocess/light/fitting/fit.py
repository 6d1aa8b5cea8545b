"""Least squares of a feature series on the slots of a plan, for many delays at once.

Three things other than the screen move the series, and each is taken out before anything is
compared: slow drift (a cosine basis), noise that lasts for some frames (each frame is predicted
from the one before it), and noise that is strong along one colour axis, such as highlights that
come and go on skin as a face moves (the axes are weighted by the residual covariance of a fit in
which every slot has a level of its own, so that the weights do not depend on the declared colours).
[measured] on a talking face in phone video: highlights move chroma by sd .015 along one axis and
.003 across it; weighting separates a light of 5 % of the ambient from none, a plain fit does not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from preprocess.light.fitting.series import Array

MEMORIES_S = (0.1, 0.03, 0.01)
"""Noise decays by 1/e in one of these times: a talking face in .1 s, sensor noise at once. Too
short passes motion off as light, too long hides faint light in noise: the first unless refuted.
"""

REFUTED = 18.0
"""Log-determinant, in units of one over the frames, by which a shorter memory must fit better."""

DRIFT_CYCLES_PER_SLOT = 0.4
"""Drift is what changes slower than this many cycles a slot: .8 Hz for slots of 500 ms."""

SIGMA_FLOOR = 0.0015
"""Log-chroma noise that no camera beats over a face (8-bit codes, JPEG): keeps weights finite."""

MISFIT = 0.1
"""Share of the series (amplitude) that no template fits: grid of delays, exposure, clock. Else
strong light would make the delay seem known to a fraction of what the template is good for.
"""

CHANCE = 1.6
"""What a fitted level explains of noise, in units of one over the frames: 1 by itself, the rest for
the search over delays and for noise that lasts over frames [measured on unlit faces].
"""

MODEL_ERROR = 0.15
"""Share of the response that the plan cannot foresee (crosstalk, the log's curve, shading): without
it, strong light on an axis with little noise would silence the other axis.
"""


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """Sums of products over the frames, drift and predictable noise taken out.

    Attributes
    ----------
    gram : (D, S, S) slots with slots for each delay.
    cross : (D, S, F) slots with features.
    total : (F, F) features with features.
    freedom : frames left after the drift is paid for.
    """

    gram: Array
    cross: Array
    total: Array
    freedom: int

    def correlations(self, templates: Array) -> Array:
        """(D, P) Pearson correlation of the series with (P, S, F) slot values, pooled."""
        count = len(templates)
        numerator = self.cross.reshape(len(self.cross), -1) @ templates.reshape(count, -1).T
        outer = templates @ np.swapaxes(templates, 1, 2)
        norm = self.gram.reshape(len(self.gram), -1) @ outer.reshape(count, -1).T
        scale = np.sqrt(np.maximum(norm, 0.0) * np.trace(self.total))
        result: Array = np.where(scale > 1e-12, numerator / np.maximum(scale, 1e-12), 0.0)
        return result

    def weighted(self, weights: Array) -> Moments:
        """Features multiplied by (F, F) weights from the right."""
        return Moments(
            self.gram, self.cross @ weights, weights.T @ self.total @ weights, self.freedom
        )

    def at(self, index: int) -> Moments:
        """Return the moments of delay ``index`` alone, D = 1."""
        return Moments(
            self.gram[index : index + 1], self.cross[index : index + 1], self.total, self.freedom
        )


@dataclass(frozen=True, slots=True, eq=False)
class SlotFit:
    """A level of its own for every slot, whatever colour it was declared to be.

    Attributes
    ----------
    cost : (D,) log-determinant of the residual covariance; the delay with the least fits best.
    best : index of that delay.
    strength : how much smaller (log-determinant) the residual is than the series itself, less what
        free levels and the choice of the delay explain of mere noise. [measured] <= .4 on unlit
        faces, >= .6 where the screen adds 5 % to the ambient.
    levels : (S, F) levels of the slots at ``best``, unweighted.
    weights : (F, F) that make the covariance of residual and model error the identity.
    """

    cost: Array
    best: int
    strength: float
    levels: Array
    weights: Array


@dataclass(frozen=True, slots=True)
class Noise:
    """Times of the noise: ``slot_s``, the typical dwell, bounds drift; ``memory_s`` its decay."""

    slot_s: float
    memory_s: float


def likeliest_noise(
    t_ns: NDArray[np.int64], features: Array, shares: Array, slot_s: float
) -> Noise:
    """Choose the memory under which the frames surprise least; ``shares`` is (D, N, S)."""
    best, least = Noise(slot_s, MEMORIES_S[0]), np.inf
    for memory_s in MEMORIES_S:
        noise = Noise(slot_s, memory_s)
        sums = moments(t_ns, features, shares, noise)
        cost = float(fit_slots(sums).cost.min())
        if cost < least:
            best, least = noise, min(least, cost)
        if memory_s == MEMORIES_S[0]:
            least -= REFUTED / max(sums.freedom, 1)
    return best


def moments(t_ns: NDArray[np.int64], features: Array, shares: Array, noise: Noise) -> Moments:
    """Moments of (N, F) features and (D, N, S) slot shares."""
    decay = np.exp(-np.diff(t_ns) / (noise.memory_s * 1e9))[:, None]
    basis = unpredicted(drift_basis(t_ns, noise.slot_s), decay)
    basis = np.linalg.qr(basis)[0]
    values = without(unpredicted(features, decay), basis)
    columns = without(unpredicted(shares, decay), basis)
    across = np.swapaxes(columns, 1, 2)
    return Moments(
        gram=across @ columns,
        cross=across @ values,
        total=values.T @ values,
        freedom=len(values) - basis.shape[1],
    )


def fit_slots(sums: Moments) -> SlotFit:
    """Fit free slot levels at every delay."""
    inverse = np.linalg.pinv(sums.gram, rcond=1e-6, hermitian=True)
    levels = inverse @ sums.cross
    residual = sums.total - np.swapaxes(sums.cross, 1, 2) @ levels
    slots, features = levels.shape[1:]
    power = np.trace(sums.total) / (max(sums.freedom, 1) * features)
    floor = (SIGMA_FLOOR**2 + MISFIT**2 * power) * np.eye(features)
    covariance = residual / max(sums.freedom - slots, 1) + floor
    cost = np.linalg.slogdet(covariance)[1]
    best = int(np.argmin(cost))
    whole = np.linalg.slogdet(sums.total / max(sums.freedom, 1) + floor)[1]
    model_error = (MODEL_ERROR * np.sqrt(np.mean(levels[best] ** 2))) ** 2 * np.eye(features)
    chance = CHANCE * slots * features / max(sums.freedom, 1)
    values, axes = np.linalg.eigh(covariance[best] + model_error)
    return SlotFit(
        cost=cost,
        best=best,
        strength=float(whole - cost[best]) - chance,
        levels=levels[best],
        weights=axes / np.sqrt(values),
    )


def slot_levels(t_ns: NDArray[np.int64], features: Array, shares: Array, noise: Noise) -> Array:
    """(S, F) levels of the slots against neutral, for one delay's (N, S) shares."""
    return fit_slots(moments(t_ns, features, shares[None], noise)).levels


def residual_noise(t_ns: NDArray[np.int64], features: Array, shares: Array, slot_s: float) -> float:
    """Robust sd (1.4826 MAD) of one frame's features around slot levels and drift."""
    design = np.column_stack([drift_basis(t_ns, slot_s), shares])
    residual = features - design @ np.linalg.lstsq(design, features, rcond=None)[0]
    return float(1.4826 * np.median(np.abs(residual - np.median(residual, axis=0))))


def drift_basis(t_ns: NDArray[np.int64], slot_s: float) -> Array:
    """(N, K): a constant and the cosines that are slow against slots of ``slot_s``."""
    cutoff_hz = DRIFT_CYCLES_PER_SLOT / max(slot_s, 0.05)
    seconds = (t_ns - t_ns[0]) / 1e9
    duration = max(float(seconds[-1]), 1e-3)
    orders = np.arange(1 + int(2.0 * duration * cutoff_hz))
    result: Array = np.cos(np.pi * orders[None, :] * seconds[:, None] / duration)
    return result


def unpredicted(values: Array, decay: Array) -> Array:
    """Take from each frame what the one before predicts: (..., N, K) to (..., N - 1, K)."""
    result: Array = values[..., 1:, :] - decay * values[..., :-1, :]
    return result


def without(values: Array, basis: Array) -> Array:
    """Project an orthonormal basis out of (..., N, K) values."""
    result: Array = values - basis @ (basis.T @ values)
    return result
