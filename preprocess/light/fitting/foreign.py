"""Light that comes and goes at other times than the plan's: steps looked for anywhere.

A plan's own slots do not fit a sequence of another rhythm, as a replayed recording shows; its steps
are found one after the other, each where it explains most of what is left.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from preprocess.light.fitting.fit import (
    SIGMA_FLOOR,
    Noise,
    drift_basis,
    unpredicted,
    without,
)
from preprocess.light.fitting.series import Array

STEPS = 5
"""So many steps are no accident: a smile or a lamp makes one or two, an unlit face no five."""

GAIN = 0.24
"""Log-determinant that the fifth step must explain. [measured] unlit faces reach .20, a light of
another rhythm with 5 % of the ambient .25 to .5."""

EVIDENCE = 15.0
"""The same times the frames: [measured] unlit clips of 45 frames reach .36 and 10."""

SHARP = 1.5
"""One step that explains so much is light that was switched: unlit faces reach .40 [measured], a
video of somebody under coloured light 2.9 and more [simulated]."""


def has_foreign_steps(t_ns: NDArray[np.int64], features: Array, noise: Noise, slots: int) -> bool:
    """Return whether the series steps as often, or as sharply, as only light does.

    ``slots`` of the plan: a short plan needs fewer steps, at least three.
    """
    count = min(STEPS, max(slots - 1, 3))
    gains, freedom = step_gains(t_ns, features, noise, count + 3)
    if len(gains) < count:
        return False
    ordered = np.sort(gains)[::-1]
    gain, sharpest = float(ordered[count - 1]), float(ordered[0])
    if sharpest >= SHARP and sharpest * freedom >= 2 * EVIDENCE:
        return True
    return gain >= GAIN and gain * freedom >= EVIDENCE


def step_gains(
    t_ns: NDArray[np.int64], features: Array, noise: Noise, count: int
) -> tuple[Array, int]:
    """Return what each of ``count`` steps explains (log-determinant), and the frames left."""
    frames, size = features.shape
    if frames < count + 8:
        return np.zeros(0), 0
    decay = np.exp(-np.diff(t_ns) / (noise.memory_s * 1e9))[:, None]
    basis = np.linalg.qr(unpredicted(drift_basis(t_ns, noise.slot_s), decay))[0]
    left = without(unpredicted(features, decay), basis)
    # a column for a step before each frame but the outermost, which no other frame confirms
    steps = np.tril(np.ones((frames, frames)))[:, 3:-2]
    columns = without(unpredicted(steps, decay), basis)
    freedom = len(left) - basis.shape[1]
    floor = SIGMA_FLOOR**2 * max(freedom, 1) * np.eye(size)
    gains = np.zeros(count)
    for index in range(count):
        power = np.sum(columns**2, axis=0)
        cross = columns.T @ left
        inverse = np.linalg.inv(left.T @ left + floor)
        share = np.einsum("if,fg,ig->i", cross, inverse, cross) / np.maximum(power, 1e-9)
        share[power < 0.05] = 0.0
        best = int(np.argmax(share))
        gains[index] = -np.log1p(-min(float(share[best]), 0.9999))
        unit = columns[:, best] / np.sqrt(max(float(power[best]), 1e-9))
        left = left - np.outer(unit, unit @ left)
        columns = columns - np.outer(unit, unit @ columns)
    return gains, freedom
