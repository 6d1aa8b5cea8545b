"""Trade-off curves: false rejects of good frames against false accepts of bad ones, by level."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.tuning.statistics.conformal import subject_weights


@dataclass(frozen=True, slots=True, eq=False)
class Det:
    """A detection error trade-off curve, strict to lenient.

    Attributes
    ----------
    badness : (k,) where each point's limit lies; beyond is rejected.
    frr : (k,) mean over subjects of the share of good frames rejected; falls.
    far : (k,) mean over subjects of the share of bad frames accepted; rises. NaN without any.
    """

    badness: NDArray[np.float64]
    frr: NDArray[np.float64]
    far: NDArray[np.float64]

    @property
    def equal_error(self) -> float:
        """The rate at which both errors are equal, NaN without bad frames."""
        if not len(self.far) or np.isnan(self.far).any():
            return float("nan")
        nearest = int(np.argmin(np.abs(self.frr - self.far)))
        return float(self.frr[nearest] + self.far[nearest]) / 2


def det_curve(
    badness: NDArray[np.float64],
    good: NDArray[np.bool_],
    bad: NDArray[np.bool_],
    subject: NDArray[np.int32],
) -> Det:
    """Return the curve over every value that a frame has.

    Parameters
    ----------
    badness : (n,) NaN where the limit does not speak.
    good, bad : (n,) which frames count on either axis; the others are left out.
    subject : (n,) each subject counts the same, however many frames there are of it.
    """
    speaks = ~np.isnan(badness)
    good, bad = good & speaks, bad & speaks
    levels = np.unique(badness[(good | bad) & np.isfinite(badness)])
    if not len(levels):
        nothing = np.empty(0)
        return Det(nothing, nothing, nothing)
    # sums of shares end a rounding error beyond 1
    frr = np.maximum(1.0 - _within(badness[good], subject[good], levels), 0.0)
    far = _within(badness[bad], subject[bad], levels)
    return Det(levels, frr, far)


def _within(
    badness: NDArray[np.float64], subject: NDArray[np.int32], levels: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return for each level the mean over subjects of the share of frames at or below it."""
    if not len(badness):
        return np.full(len(levels), np.nan)
    order = np.argsort(badness, kind="stable")
    weights = subject_weights(subject)[order]
    cumulated = np.concatenate(([0.0], np.cumsum(weights))) / len(np.unique(subject))
    found: NDArray[np.float64] = cumulated[np.searchsorted(badness[order], levels, side="right")]
    return found
