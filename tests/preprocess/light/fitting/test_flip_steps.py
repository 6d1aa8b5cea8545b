"""Each flip's own step, and what steps say of the stamps."""

from __future__ import annotations

from dataclasses import replace

import pytest

from preprocess.light.fitting.feature_fit import Attempt, attempt
from preprocess.light.fitting.flip_steps import FlipStep, StepCheck, check_steps
from preprocess.light.fitting.series import series_of
from preprocess.light.fitting.template import lit_slots
from preprocess.light.options import ResponseOptions
from preprocess.light.samples import ChromaSample
from tests.preprocess.lit import SIX, Light, lit, timeline_of

MS = 1_000_000


def fitted(samples: list[ChromaSample]) -> Attempt:
    timeline = timeline_of()
    slots = lit_slots(timeline.flips)
    found = attempt(series_of(samples), slots, timeline.timing, ResponseOptions())
    assert found is not None
    return found


@pytest.mark.parametrize("light", [Light(), Light(f=0.06), Light(fps=15), Light(drop=0.2)])
def test_true_stamps_leave_every_step_at_its_flip_within_its_own_error(light: Light) -> None:
    found = check_steps(fitted(lit(SIX, light)))
    assert len(found.steps) == 7
    assert all(abs(step.shift_ns) < 3 * step.sd_ns for step in found.steps)
    assert not found.in_doubt


def test_one_step_that_comes_late_is_found_with_its_size() -> None:
    # the frames around the fourth flip are stamped 40 ms too early: its step seems to come so
    lo, hi = 1900 * MS, 2350 * MS
    samples = [
        replace(s, t_frame_ns=s.t_frame_ns - 40 * MS) if lo < s.t_frame_ns < hi else s
        for s in lit(SIX, Light(f=0.4))
    ]
    found = check_steps(fitted(samples))
    largest = max(found.steps, key=lambda step: abs(step.shift_ns))
    assert largest.t_ns == (700 + 3 * 470) * MS
    assert largest.shift_ns / MS == pytest.approx(-40, abs=12)
    assert found.in_doubt


def test_stamps_that_run_slow_drift() -> None:
    samples = [replace(s, t_frame_ns=round(s.t_frame_ns * 0.98)) for s in lit(SIX, Light(f=0.4))]
    found = check_steps(fitted(samples))
    assert found.drift_ns / MS == pytest.approx(-0.02 * 6 * 470, abs=12)
    assert found.in_doubt


@pytest.mark.parametrize(
    ("step", "excess_ms"),
    [
        pytest.param(FlipStep(0, 60 * MS, 10 * MS, 9.0), 40, id="certain"),
        pytest.param(FlipStep(0, 60 * MS, 40 * MS, 9.0), 0, id="anywhere"),
        pytest.param(FlipStep(0, 60 * MS, 10 * MS, 1.0), 0, id="nothing speaks for it"),
    ],
)
def test_only_what_two_deviations_leave_counts(step: FlipStep, excess_ms: int) -> None:
    assert step.excess_ns == excess_ms * MS


def test_a_drift_counts_beyond_two_deviations_and_what_guards_bear() -> None:
    assert StepCheck((), 60 * MS, 15 * MS).in_doubt
    assert not StepCheck((), 45 * MS, 15 * MS).in_doubt
