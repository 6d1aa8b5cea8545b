"""Whether the declared colours explain the light better than other colours in the same slots."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from preprocess.light.fitting.fit import Moments
from preprocess.light.fitting.series import Array


@dataclass(frozen=True, slots=True, eq=False)
class Labelling:
    """The declared colours against shuffled and substituted ones.

    Attributes
    ----------
    rho : (D,) correlation with the declared template for each delay.
    p_value : share of shuffles of the colours over the slots whose best delay correlates as well.
    p_floor : the smallest p that this plan can reach: shuffles that change nothing.
    rival_rho : best correlation of any other labelling looked at, its best delay inside.
    power : sum of squares of the weighted series, in units of the noise's variance.
    """

    rho: Array
    p_value: float
    p_floor: float
    rival_rho: float
    power: float

    @property
    def best(self) -> int:
        """Index of the delay with the largest correlation."""
        return int(np.argmax(self.rho))

    @property
    def peak(self) -> float:
        """Largest correlation over the delays."""
        return float(self.rho.max())

    def beaten(self, margin: float) -> bool:
        """Whether a rival correlates better by ``margin``, and not for want of light alone.

        A faint light leaves labels of single slots open: there the rival must also be e^12 times as
        likely, or better by .15. [measured] with 5 % of light on a talking face, genuine labels
        lost by up to .09 and e^11, false ones by .10 and e^26, or .2, and more.
        """
        ahead = self.rival_rho - self.peak
        gain = 0.5 * self.power * (max(self.rival_rho, 0.0) ** 2 - max(self.peak, 0.0) ** 2)
        return ahead > margin and (ahead > 0.15 or gain > 12.0)


def judge_labelling(
    sums: Moments,
    palette: Array,
    labels: NDArray[np.intp],
    *,
    permutations: int,
    seed: int,
    free: NDArray[np.bool_] | None = None,
) -> Labelling:
    """Compare the declared labels with others.

    Parameters
    ----------
    sums : weighted moments.
    palette : (C, F) weighted direction of each colour.
    labels : (S,) index of the declared colour of each slot.
    free : (C,) colours whose direction is not known: they may take any level, the same in all
        their slots. Only for moments of one delay.
    """
    shuffles = _shuffled(labels, permutations, seed)
    every = np.concatenate([labels[None], shuffles, _neighbours(labels, len(palette))])
    # one more colour that only rivals have: a slot in which the screen stayed neutral
    palette = np.vstack([palette, np.zeros(palette.shape[1])])
    if free is None or not free.any():
        rho = sums.correlations(palette[every])
        same = np.all(every == labels, axis=1)
    else:
        free = np.append(free, False)
        every = np.array([_renumbered(row, free) for row in every])
        rho = _loose(sums, palette, every, free)
        same = np.all(every == every[0], axis=1)
    peaks = rho.max(axis=0)
    drawn = slice(0, 1 + len(shuffles))
    # rounding must not let a shuffle that changes nothing fall below the identity
    reached = same | (peaks >= peaks[0] - 1e-9)
    return Labelling(
        rho=rho[:, 0],
        p_value=float(np.mean(reached[drawn])),
        p_floor=float(np.mean(same[drawn])),
        rival_rho=float(peaks[~same].max(initial=-1.0)),
        power=float(np.trace(sums.total)),
    )


def _loose(
    sums: Moments, palette: Array, every: NDArray[np.intp], free: NDArray[np.bool_]
) -> Array:
    """(1, P) multiple correlation where the levels of ``free`` colours are fitted as well."""
    gram, cross = sums.gram[0], sums.cross[0]
    features = cross.shape[1]
    power = float(np.trace(sums.total))
    found = []
    for labels in every:
        fixed = np.where(free[labels][:, None], 0.0, palette[labels])
        # one column for the light of known colours, then one a free colour and feature
        columns = [fixed] if np.any(fixed) else []
        for colour in np.flatnonzero(free):
            for feature in range(features):
                column = np.zeros_like(cross)
                column[labels == colour, feature] = 1.0
                columns.append(column)
        design = np.array(columns)
        normal = np.einsum("isf,st,jtf->ij", design, gram, design)
        right = np.einsum("isf,sf->i", design, cross)
        weights = np.linalg.pinv(normal, rcond=1e-9, hermitian=True) @ right
        explained = float(right @ weights)
        against = bool(np.any(fixed)) and weights[0] < 0
        found.append(-1.0 if against else np.sqrt(max(explained, 0.0) / max(power, 1e-12)))
    return np.array(found)[None]


def _renumbered(labels: NDArray[np.intp], free: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Give free colours their numbers by first appearance: exchanged, they say the same."""
    numbers = np.flatnonzero(free)
    order = [int(colour) for colour in dict.fromkeys(labels.tolist()) if free[colour]]
    order += [int(colour) for colour in numbers if colour not in order]
    table = np.arange(len(free))
    table[order] = numbers
    renumbered: NDArray[np.intp] = table[labels]
    return renumbered


def _shuffled(labels: NDArray[np.intp], count: int, seed: int) -> NDArray[np.intp]:
    generator = np.random.default_rng(seed)
    order = np.argsort(generator.random((count, len(labels))), axis=1)
    return labels[order]


def _neighbours(labels: NDArray[np.intp], colours: int) -> NDArray[np.intp]:
    """Labellings with one slot changed, two slots swapped, or a colour replaced throughout.

    The colour with the number ``colours`` is no light at all.
    """
    found: list[NDArray[np.intp]] = []
    slots = np.arange(len(labels))
    for slot in slots:
        found.extend(np.where(slots == slot, colour, labels) for colour in range(colours + 1))
        for other in slots[slot + 1 :]:
            swapped = labels.copy()
            swapped[[slot, other]] = labels[[other, slot]]
            found.append(swapped)
    for one in range(colours):
        found.append(np.where(labels == one, colours, labels))
        for two in range(one + 1, colours):
            renamed = labels.copy()
            renamed[labels == one], renamed[labels == two] = two, one
            found.append(renamed)
    return np.array(found, np.intp).reshape(-1, len(labels))
