import math

import numpy as np
import pytest

from calibration.tuning.statistics.det import det_curve

GOOD = np.array([True] * 4 + [False] * 4)
IDS = np.arange(8, dtype=np.int32)


def test_rates_at_every_level_are_counted_beyond_it():
    badness = np.array([1.0, 2, 3, 4, 3, 4, 5, 6])
    det = det_curve(badness, GOOD, ~GOOD, IDS)
    assert det.badness.tolist() == [1, 2, 3, 4, 5, 6]
    assert det.frr.tolist() == [0.75, 0.5, 0.25, 0, 0, 0]
    assert det.far.tolist() == [0, 0, 0.25, 0.5, 0.75, 1]
    assert det.equal_error == 0.25


def test_what_cannot_be_assessed_is_rejected_and_what_does_not_speak_is_left_out():
    badness = np.array([1.0, math.inf, math.nan, math.nan, 5.0, -math.inf, math.nan, math.nan])
    det = det_curve(badness, GOOD, ~GOOD, IDS)
    assert det.frr.tolist() == [0.5, 0.5]
    assert det.far.tolist() == [0.5, 1.0]


def test_without_bad_frames_there_is_no_equal_error():
    det = det_curve(np.arange(8.0), GOOD, np.zeros(8, bool), IDS)
    assert math.isnan(det.equal_error)
    assert len(det_curve(np.full(8, math.nan), GOOD, ~GOOD, IDS).badness) == 0


def test_each_subject_counts_the_same():
    badness = np.array([1.0, 1, 1, 9, 5, 5, 5, 5])
    subject = np.array([0, 0, 0, 1, 2, 2, 2, 2], np.int32)
    det = det_curve(badness, GOOD, ~GOOD, subject)
    assert det.frr[0] == pytest.approx(0.5)
