import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibration.tuning.evaluation import beyond_levels, rejected_by_any
from calibration.tuning.limits import KINDS, changes, lenient, limits_of, with_levels
from capture.light.timeline import Label
from preprocess.gate.gate import judge
from preprocess.gate.rules import RULES
from preprocess.gate.thresholds import Thresholds
from preprocess.measures.measures import FIELDS, NO_FACE, Measures
from tests.calibration.tuning.made import BASE, table

LIMITS = limits_of()
BY_KEY = {limit.key: limit for limit in LIMITS}


def test_every_rule_but_the_recommendation_is_a_limit():
    assert len(LIMITS) == len(RULES) - 1
    assert len(BY_KEY) == len(LIMITS)
    assert "ied_best_px" not in BY_KEY


value = st.one_of(st.just(math.nan), st.floats(0, 200), st.floats(0, 1))


@given(
    st.lists(value, min_size=len(FIELDS), max_size=len(FIELDS)),
    st.sampled_from(KINDS),
    st.floats(-10, 10),
)
def test_a_frame_is_beyond_a_limit_exactly_when_the_gate_rejects_it(values, kind, zero):
    measures = Measures(*values)
    if not measures.has_face:
        measures = NO_FACE
    base = Thresholds(pitch_zero_deg=zero)
    frames = table([measures], kind)
    badness = np.stack([limit.badness(frames.values, frames.kind, base) for limit in LIMITS])
    levels = {limit.key: limit.default for limit in LIMITS}
    rejected = rejected_by_any(LIMITS, beyond_levels(LIMITS, badness, levels))
    assert bool(rejected[0]) == (not judge(measures, Label(kind), base).accepted)


@given(st.floats(1e-6, 1e6), st.sampled_from([-1, 1]))
def test_rounding_never_makes_a_limit_stricter(level, sign):
    rounded = lenient(level, sign)
    assert sign * (rounded - level) >= 0
    assert rounded == pytest.approx(level, rel=2e-3)


@pytest.mark.parametrize("level", [1.55, 0.4, 73.0, 0.0, 25.0, 0.03])
def test_levels_that_are_round_stay_as_they_are(level):
    assert lenient(level, 1) == lenient(level, -1) == level


def test_accept_levels_follow_their_drop_levels_at_the_ratio_of_the_defaults():
    limits = limits_of(BASE)
    found = changes(limits, {"blur_drop_pct": 3.1, "snr_drop": 1.5})
    assert found["blur_accept_pct"] == pytest.approx(2.8)
    assert found["snr_accept"] == pytest.approx(2.0)
    assert with_levels(BASE, limits, {"blur_drop_pct": 3.1}).blur_accept_pct == 2.8


def test_a_level_at_its_default_changes_nothing():
    assert changes(LIMITS, {limit.key: limit.default for limit in LIMITS}) == {}


def test_levels_stay_within_the_declared_range():
    assert BY_KEY["second_face_drop"].level_of(7.0) == 1.0
    assert BY_KEY["snr_drop"].level_of(3.0) == 0.0
