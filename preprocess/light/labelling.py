"""Whether the declared colours explain the light better than other colours in the same slots."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from preprocess.light.fit import Moments
from preprocess.light.series import Array


@dataclass(frozen=True, slots=True, eq=False)
class Labelling:
    """The declared colours against shuffled and substituted ones.

    Attributes
    ----------
    rho : (D,) correlation with the declared template for each delay.
    p_value : share of shuffles of the colours over the slots whose best delay correlates as well.
    p_floor : the smallest p that this plan can reach: shuffles that change nothing.
    rival_rho : best correlation of any other labelling looked at, its best delay inside.
    """

    rho: Array
    p_value: float
    p_floor: float
    rival_rho: float

    @property
    def best(self) -> int:
        """Index of the delay with the largest correlation."""
        return int(np.argmax(self.rho))

    @property
    def peak(self) -> float:
        """Largest correlation over the delays."""
        return float(self.rho.max())


def judge_labelling(
    sums: Moments, palette: Array, labels: NDArray[np.intp], *, permutations: int, seed: int
) -> Labelling:
    """Compare the declared labels with others.

    Parameters
    ----------
    sums : weighted moments.
    palette : (C, F) weighted direction of each colour.
    labels : (S,) index of the declared colour of each slot.
    """
    shuffles = _shuffled(labels, permutations, seed)
    every = np.concatenate([labels[None], shuffles, _neighbours(labels, len(palette))])
    rho = sums.correlations(palette[every])
    peaks = rho.max(axis=0)
    same = np.all(every == labels, axis=1)
    drawn = slice(0, 1 + len(shuffles))
    # rounding must not let a shuffle that changes nothing fall below the identity
    reached = same | (peaks >= peaks[0] - 1e-9)
    return Labelling(
        rho=rho[:, 0],
        p_value=float(np.mean(reached[drawn])),
        p_floor=float(np.mean(same[drawn])),
        rival_rho=float(peaks[~same].max(initial=-1.0)),
    )


def _shuffled(labels: NDArray[np.intp], count: int, seed: int) -> NDArray[np.intp]:
    generator = np.random.default_rng(seed)
    order = np.argsort(generator.random((count, len(labels))), axis=1)
    return labels[order]


def _neighbours(labels: NDArray[np.intp], colours: int) -> NDArray[np.intp]:
    """Labellings with one slot changed, two slots swapped, or two colours exchanged throughout."""
    found: list[NDArray[np.intp]] = []
    slots = np.arange(len(labels))
    for slot in slots:
        found.extend(np.where(slots == slot, colour, labels) for colour in range(colours))
        for other in slots[slot + 1 :]:
            swapped = labels.copy()
            swapped[[slot, other]] = labels[[other, slot]]
            found.append(swapped)
    for one in range(colours):
        for two in range(one + 1, colours):
            renamed = labels.copy()
            renamed[labels == one], renamed[labels == two] = two, one
            found.append(renamed)
    return np.array(found, np.intp).reshape(-1, len(labels))
