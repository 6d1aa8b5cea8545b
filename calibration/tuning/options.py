"""What the tuner can be told."""

from __future__ import annotations

from enum import StrEnum

from calibration.errors import TuningError
from capture.options import option, options


class Joint(StrEnum):
    """How the promise is kept for all limits together: a frame has to pass every one."""

    EVIDENCE = "evidence"
    """A limit moves on its own evidence alone, no more of them than the target takes."""
    BONFERRONI = "bonferroni"
    """Each of the m rejecting limits gets the rate divided by m."""
    NONE = "none"
    """Each limit alone gets the whole rate; together they reject more."""


@options
class TuneOptions:
    """How thresholds are tuned."""

    target_frr: float = option(
        0.05,
        unit="share of good frames",
        low=0.001,
        high=0.5,
        why="a stream tolerates 10 to 20 %; half of the lower end is left for the unforeseen",
    )
    limit: float = option(
        0.2,
        unit="share of good frames",
        low=0.001,
        high=1.0,
        why="what a stream tolerates at most: the upper bound on held-out subjects must not exceed",
    )
    confidence: float = option(
        0.95, unit="probability", low=0.5, high=0.999, why="of every interval, two-sided"
    )
    holdout: float = option(
        0.3, unit="share of the subjects", low=0.05, high=0.8, why="judged, never tuned on"
    )
    seed: int = option(0, unit="", low=0, high=2**31 - 1, why="of the split and the bootstrap")
    joint: Joint = Joint.EVIDENCE
    relax: bool = True
    """Move a limit that got stricter back towards its default, at most half-way to the next bad
    training frame: no further one passes there, and fewer good ones are turned away."""
    keep: frozenset[str] = frozenset()
    """Measures whose limits stay as they are."""

    def __post_init__(self) -> None:
        if self.limit < self.target_frr:
            raise TuningError(
                f"--limit: {self.limit:g} is below --target-frr {self.target_frr:g}: "
                "what is promised could never be shown"
            )
