"""From measured lags to the latency that labels need."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from calibration.errors import MeasurementError
from calibration.profile import ProfileOrigin, now
from calibration.timing.screen_delay import (
    Hardware,
    StepPlanOptions,
    step_plan,
    timing_from_sessions,
    timing_from_steps,
)
from calibration.timing.steps import StepLags
from capture.light.photosensitivity import check_plan
from capture.light.timeline import Timing
from preprocess.light.response import respond
from tests.preprocess.lit import SIX, Light, lit, timeline_of

ORIGIN = ProfileOrigin(created=now(), software="test", material=["test"])
LAGS = StepLags((79.0, 80.0, 80.0, 78.0, 81.0, 82.0), (True, False) * 3, 1, 30.0)
KNOWN = Hardware(exposure_ms=16.0, readout_ms=20.0, scanout_ms=16.0, settle_ms=12.0, how="said")


def test_the_plan_steps_between_grey_and_white_at_random_and_is_safe() -> None:
    plan = step_plan(7)
    assert check_plan(plan).safe
    dwells = [slot.dwell_ms for slot in plan.slots[1:-1]]
    assert len(dwells) == 24
    assert 600 <= min(dwells) < max(dwells) <= 1000
    assert len(set(dwells)) > 20
    assert all(a.rgb != b.rgb for a, b in itertools.pairwise(plan.slots[:-1]))
    assert step_plan(7) == plan
    assert step_plan(8) != plan


def test_more_steps_can_be_asked_for() -> None:
    assert len(step_plan(1, StepPlanOptions(steps=40)).slots) == 42


def test_the_latency_begins_in_the_first_row_with_the_first_light() -> None:
    found = timing_from_steps(LAGS, 0.5, KNOWN, ORIGIN)
    assert found.lag_ms.value == 80.0
    # half of the exposure, half of the readout, less half of the scan-out and the time constant
    assert found.latency_ms.value == pytest.approx(80 + 8 + 10 - 8 - 4)
    assert (found.steps, found.missed) == (6, 1)
    assert found.exposure_ms is not None
    assert found.exposure_ms.how == "said"


def test_a_screen_that_changes_at_once_has_no_rise() -> None:
    at_once = replace(KNOWN, scanout_ms=0.0, settle_ms=0.0)
    found = timing_from_steps(LAGS, 0.5, at_once, ORIGIN)
    assert found.latency_ms.value == pytest.approx(80 + 8 + 10)


def test_what_is_not_known_widens_the_uncertainty() -> None:
    known = timing_from_steps(LAGS, 0.5, KNOWN, ORIGIN)
    unknown = timing_from_steps(LAGS, 0.5, Hardware(), ORIGIN)
    assert unknown.uncertainty_ms >= known.uncertainty_ms + 8
    assert unknown.exposure_ms is None
    assert known.uncertainty_ms >= 3


def test_bounds_of_a_timing_state_nothing() -> None:
    assert Hardware.of(Timing(0), "x").exposure_ms is None
    assert Hardware.of(Timing(0), "x").readout_ms is None
    stated = Hardware.of(Timing(0, exposure_ns=8_000_000, readout_ns=15_000_000), "x")
    assert (stated.exposure_ms, stated.readout_ms) == (8.0, 15.0)


def test_lit_sessions_give_the_lag_as_well() -> None:
    responses = [
        respond(lit(SIX, light), timeline_of(SIX, Light(latency_ms=60)))
        for light in (Light(latency_ms=140, seed=seed) for seed in range(3))
    ]
    at_once = replace(KNOWN, scanout_ms=0.0, settle_ms=0.0)
    found = timing_from_sessions(responses, 0.4, at_once, ORIGIN)
    assert found.method == "correlation"
    assert found.latency_ms.value == pytest.approx(140, abs=6)
    assert found.steps == 3


def test_sessions_without_an_answer_are_counted_or_refused() -> None:
    dark = respond(lit(SIX, Light(f=0.0)), timeline_of())
    bright = respond(lit(), timeline_of())
    assert timing_from_sessions([bright, dark], 0.4, KNOWN, ORIGIN).missed == 1
    with pytest.raises(MeasurementError, match="states are none"):
        timing_from_sessions([dark], 0.4, KNOWN, ORIGIN)
