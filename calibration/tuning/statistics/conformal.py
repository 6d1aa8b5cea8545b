"""The conformal rule: the strictest level that keeps a promised rate of false rejects.

Conformal risk control (Angelopoulos et al., arXiv 2208.02814) for exchangeable subjects: with R(t)
the mean over n subjects of the share of their good frames beyond level t, every t with
``(n R(t) + 1) / (n + 1) <= alpha`` keeps the expected share of a further subject at or below alpha.
With one frame a subject the strictest such t is the ``ceil((n + 1)(1 - alpha))``-th smallest value.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

_SLACK = 1e-9
"""Above the rounding of sums of shares, below the share of one frame among a million."""


def least_subjects(alpha: float) -> int:
    """Return the least number of subjects for a rate: 99, 19, 9 for 1, 5, 10 %."""
    return math.ceil(1 / alpha - 1 - _SLACK)


def subject_weights(subject: NDArray[np.int32]) -> NDArray[np.float64]:
    """Return one weight a frame, so that each subject's frames weigh 1 together."""
    _, index, counts = np.unique(subject, return_inverse=True, return_counts=True)
    weights: NDArray[np.float64] = 1.0 / counts[index]
    return weights


def mean_share(hit: NDArray[np.bool_], subject: NDArray[np.int32]) -> float:
    """Return the mean over subjects of the share of each one's frames that are hit; 0 of none."""
    if not len(hit):
        return 0.0
    weights = subject_weights(subject)
    return float(weights[hit].sum() / weights.sum())


def strictest_level(
    badness: NDArray[np.float64], subject: NDArray[np.int32], alpha: float
) -> float | None:
    """Return the smallest value of ``badness`` beyond which at most ``alpha`` is rejected.

    Infinity when no finite level does: too many frames are rejected at any level.

    Parameters
    ----------
    badness : (n,) of good frames, large is bad; +inf is rejected at every level, -inf at none.
    subject : (n,) whose frame it is.
    alpha : promised share of good frames rejected, 0..1.

    Returns
    -------
    None below ``least_subjects(alpha)``: no level can promise anything.
    """
    n = len(np.unique(subject))
    allowed = alpha * (n + 1) - 1 + _SLACK
    if n < least_subjects(alpha):
        return None
    order = np.argsort(-badness, kind="stable")
    values = badness[order]
    spent = np.cumsum(subject_weights(subject)[order])
    # frames of equal badness are rejected together or not at all: a level must be a value whose
    # strictly greater ones fit the allowance
    ends = np.flatnonzero(np.append(values[1:] != values[:-1], True))
    before = np.concatenate(([0.0], spent[ends[:-1]]))
    fitting = np.flatnonzero(before <= allowed)
    return float(values[ends[fitting[-1]]])
