"""What the search for levels works on, and what it finds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from calibration.tuning.limits import Limit
from calibration.tuning.material.material import Material
from calibration.tuning.options import Joint
from calibration.tuning.statistics.conformal import strictest_level


class Status(StrEnum):
    """What became of a limit."""

    TUNED = "tuned"
    KEPT = "kept"


@dataclass(frozen=True, slots=True)
class Level:
    """What was found for one limit.

    Attributes
    ----------
    limit : which.
    level : to be used from now on.
    conformal : the strictest level that alone keeps the target rate; None where there is none.
    subjects : training subjects with good frames that the limit speaks on.
    bad_frames : training frames labelled bad for its reason.
    why : in words; for a kept default the reason.
    regained : share of the good training frames that the change lets pass; below 0 turned away.
    passed : the same of the frames bad for its reason; below 0 caught.
    """

    limit: Limit
    level: float
    conformal: float | None
    subjects: int
    bad_frames: int
    why: str
    regained: float = 0.0
    passed: float = 0.0

    @property
    def status(self) -> Status:
        """Whether the level differs from the default."""
        return Status.KEPT if self.level == self.limit.default else Status.TUNED


@dataclass(frozen=True, slots=True)
class Chosen:
    """All levels, and how the promise is kept for all of them together.

    Attributes
    ----------
    joint : the method that was carried out.
    note : what was done, in words.
    refused : why nothing can be promised; "" when something can.
    """

    levels: tuple[Level, ...]
    joint: Joint
    note: str
    refused: str = ""


@dataclass(frozen=True, eq=False)
class Training:
    """The training side as the search sees it.

    Attributes
    ----------
    limits : all of them.
    badness : (limits, n) of each frame.
    good : (n,) labelled good.
    subject : (n,) whose.
    bad : (limits, n) labelled bad for the limit's reason.
    """

    limits: tuple[Limit, ...]
    badness: NDArray[np.float64]
    good: NDArray[np.bool_]
    subject: NDArray[np.int32]
    bad: NDArray[np.bool_]

    @staticmethod
    def of(
        material: Material,
        limits: tuple[Limit, ...],
        badness: NDArray[np.float64],
        side: NDArray[np.bool_],
    ) -> Training:
        """Return one side of the material."""
        bad = np.stack([material.bad_for(limit.reason) for limit in limits])
        return Training(
            limits, badness[:, side], material.good[side], material.subject[side], bad[:, side]
        )

    def conformal(self, number: int, alpha: float) -> float | None:
        """Return the strictest badness that limit ``number`` may begin at; see ``conformal``."""
        badness = self.badness[number]
        speaks = self.good & ~np.isnan(badness)
        return strictest_level(badness[speaks], self.subject[speaks], alpha)

    def only(self, chosen: NDArray[np.bool_]) -> Training:
        """Return the frames that are chosen, (n,)."""
        return Training(
            self.limits,
            self.badness[:, chosen],
            self.good[chosen],
            self.subject[chosen],
            self.bad[:, chosen],
        )

    @property
    def people(self) -> int:
        """How many subjects have good frames."""
        return len(np.unique(self.subject[self.good]))

    def evidence(self, number: int) -> int:
        """Return how many frames bad for its reason limit ``number`` speaks on."""
        return int((self.bad[number] & ~np.isnan(self.badness[number])).sum())

    def subjects(self, number: int) -> int:
        """Return how many subjects have good frames on which the limit speaks."""
        return len(np.unique(self.subject[self.good & ~np.isnan(self.badness[number])]))
