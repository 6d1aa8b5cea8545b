"""Whether the gate turns one group away more often than the rest; there are no levels by group."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from calibration.tuning.statistics.intervals import Interval, Rate, difference, rate

TOLERATED_GAP: Final = 0.05
"""A difference of up to five points is accepted even when it is certain."""


@dataclass(frozen=True, slots=True)
class GroupRate:
    """False rejects of one group against those of everybody else who has a group.

    Attributes
    ----------
    gap : the group's rate minus the others'; NaN when there are no others.
    gap_interval : of ``gap``.
    """

    group: str
    rate: Rate
    gap: float
    gap_interval: Interval

    @property
    def accepted(self) -> bool:
        """Whether the gap may be chance, or is small."""
        if math.isnan(self.gap):
            return True
        low, high = self.gap_interval
        return low <= 0 <= high or abs(self.gap) <= TOLERATED_GAP


@dataclass(frozen=True, eq=False)
class Grouped:
    """Good frames of one side: whose, of which group (index in ``names``, -1 for none)."""

    subject: NDArray[np.int32]
    group: NDArray[np.int32]
    names: Sequence[str]

    def rates(
        self, rejected: NDArray[np.bool_], confidence: float, seed: int
    ) -> tuple[GroupRate, ...]:
        """Return the false rejects of every group that has frames here."""
        return tuple(
            self._of(number, rejected, confidence, seed)
            for number in range(len(self.names))
            if (self.group == number).any()
        )

    def _of(
        self, number: int, rejected: NDArray[np.bool_], confidence: float, seed: int
    ) -> GroupRate:
        own, rest = self.group == number, (self.group >= 0) & (self.group != number)
        mine = rate(rejected[own], self.subject[own], confidence, seed)
        others = rate(rejected[rest], self.subject[rest], confidence, seed)
        gap = mine.value - others.value
        reach = difference(mine, others) if others.subjects else Interval(-1.0, 1.0)
        return GroupRate(self.names[number], mine, gap, reach)
