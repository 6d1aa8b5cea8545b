import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibration.tuning.statistics.intervals import (
    Interval,
    cluster_bootstrap,
    difference,
    effective_units,
    rate,
    wilson,
)


@pytest.mark.parametrize(
    ("errors", "units", "low", "high"),
    [
        pytest.param(0, 50, 0.0, 0.071, id="0/50"),
        pytest.param(0, 100, 0.0, 0.037, id="0/100"),
        pytest.param(0, 300, 0.0, 0.0126, id="0/300"),
        pytest.param(5, 100, 0.022, 0.112, id="5/100"),
        pytest.param(3, 100, 0.010, 0.085, id="3/100"),
        pytest.param(100, 100, 0.963, 1.0, id="all"),
    ],
)
def test_wilson_gives_the_published_values(errors, units, low, high):
    found = wilson(errors, units)
    assert found.low == pytest.approx(low, abs=6e-4)
    assert found.high == pytest.approx(high, abs=6e-4)


def test_without_a_unit_nothing_is_known():
    assert wilson(0, 0) == Interval(0.0, 1.0)
    found = rate(np.empty(0, bool), np.empty(0, np.int32))
    assert math.isnan(found.value)
    assert found.interval == Interval(0.0, 1.0)


@given(st.integers(1, 500), st.data(), st.floats(0.5, 0.99))
def test_wilson_holds_the_rate_and_stays_within_0_and_1(units, data, confidence):
    errors = data.draw(st.integers(0, units))
    low, high = wilson(errors, units, confidence)
    assert 0 <= low <= errors / units <= high <= 1


def test_one_frame_a_subject_is_wilson():
    errors = np.arange(100) < 5
    assert rate(errors, np.arange(100, dtype=np.int32)).interval == wilson(5, 100)


def test_frames_of_few_people_say_less_than_as_many_independent_ones():
    rng = np.random.default_rng(1)
    subject = np.repeat(np.arange(20, dtype=np.int32), 50)
    prone = rng.random(20) * 0.3
    errors = rng.random(1000) < prone[subject]
    clustered = rate(errors, subject).interval
    naive = wilson(errors.sum(), len(errors))
    assert clustered.high - clustered.low > 1.5 * (naive.high - naive.low)


def test_the_bootstrap_of_no_errors_is_not_taken_for_certainty():
    subject = np.repeat(np.arange(30, dtype=np.int32), 10)
    assert cluster_bootstrap(np.zeros(30)) == Interval(0.0, 0.0)
    assert rate(np.zeros(300, bool), subject).interval.high == wilson(0, 30).high


def test_each_subject_counts_the_same_however_many_frames_there_are():
    subject = np.array([0] * 99 + [1], np.int32)
    errors = np.array([True] * 99 + [False])
    found = rate(errors, subject)
    assert found.value == 0.5
    assert (found.errors, found.frames, found.subjects) == (99, 100, 2)


def test_the_same_seed_gives_the_same_interval():
    shares = np.linspace(0, 0.4, 25)
    assert cluster_bootstrap(shares, seed=3) == cluster_bootstrap(shares, seed=3)
    assert cluster_bootstrap(shares, seed=3) != cluster_bootstrap(shares, seed=4)


@pytest.mark.parametrize("shares", [[0.5], [0.5] * 8, [0.0, 1.0], [0.2] * 3])
def test_effective_units_are_at_least_the_subjects(shares):
    assert effective_units(np.array(shares)) >= len(shares)


def test_the_interval_covers_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(7)
    inside = 0
    for _ in range(200):
        prone = rng.beta(0.5, 9.5, 40)
        subject = np.repeat(np.arange(40, dtype=np.int32), 10)
        found = rate(rng.random(400) < prone[subject], subject)
        inside += found.interval.low <= 0.05 <= found.interval.high
    assert inside >= 184  # 95 % of 200, less three standard errors


def test_a_difference_is_certain_only_beyond_both_uncertainties():
    ids = np.arange(200, dtype=np.int32)
    few, many = rate(ids < 10, ids), rate(ids < 60, ids)
    assert difference(many, few).low > 0
    assert difference(few, few).low < 0 < difference(few, few).high
