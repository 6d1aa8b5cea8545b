import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibration.tuning.statistics.conformal import least_subjects, strictest_level, subject_weights


@pytest.mark.parametrize(
    ("alpha", "least"),
    [(0.01, 99), (0.05, 19), (0.1, 9), (0.5, 1)],
)
def test_a_rate_needs_its_number_of_subjects(alpha, least):
    assert least_subjects(alpha) == least
    enough, few = np.arange(least, dtype=np.int32), np.arange(least - 1, dtype=np.int32)
    assert strictest_level(enough.astype(float), enough, alpha) == least - 1
    assert strictest_level(few.astype(float), few, alpha) is None


@given(st.integers(19, 300), st.sampled_from([0.05, 0.1, 0.2, 0.33]), st.integers(0, 99))
def test_one_frame_a_subject_gives_the_order_statistic_of_the_rule(n, alpha, seed):
    values = np.random.default_rng(seed).normal(size=n)
    k = math.ceil((n + 1) * (1 - alpha) - 1e-9)
    found = strictest_level(values, np.arange(n, dtype=np.int32), alpha)
    assert found == np.sort(values)[k - 1]


@given(
    st.lists(st.lists(st.integers(0, 12), min_size=1, max_size=6), min_size=9, max_size=40),
    st.sampled_from([0.1, 0.2, 0.4]),
)
def test_the_level_keeps_the_rule_and_no_stricter_one_does(people, alpha):
    values = np.array([float(v) for frames in people for v in frames])
    subject = np.repeat(np.arange(len(people)), [len(f) for f in people]).astype(np.int32)

    def risk(level):
        shares = [sum(v > level for v in frames) / len(frames) for frames in people]
        return (sum(shares) + 1) / (len(people) + 1)

    level = strictest_level(values, subject, alpha)
    assert level is not None
    assert risk(level) <= alpha + 1e-9
    stricter = values[values < level]
    assert not len(stricter) or risk(stricter.max()) > alpha


def test_equal_values_are_rejected_together():
    values = np.array([1.0] * 15 + [2.0] * 5)
    assert strictest_level(values, np.arange(20, dtype=np.int32), 0.1) == 2.0


def test_what_cannot_be_assessed_is_rejected_at_every_level():
    values = np.array([1.0] * 15 + [np.inf] * 5)
    assert strictest_level(values, np.arange(20, dtype=np.int32), 0.1) == np.inf
    assert strictest_level(values, np.arange(20, dtype=np.int32), 0.3) == 1.0


def test_every_subject_weighs_one():
    subject = np.array([0, 0, 0, 1, 2, 2], np.int32)
    assert np.bincount(subject, subject_weights(subject)) == pytest.approx([1, 1, 1])
