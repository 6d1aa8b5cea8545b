"""Steps of the screen found again in brightness."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from calibration.errors import MeasurementError
from calibration.timing.screen_delay import step_plan
from calibration.timing.steps import StepLags, StepOptions, crossings, measure_steps, screen_steps
from capture.light.illumination import Flip
from tests.effort import examples

MS = 1_000_000
EXPOSURE_MS = 16.0


def flips_of(seed: int = 3) -> list[Flip]:
    flips, t_ms = [], 0.0
    for slot in step_plan(seed).slots:
        flips.append(Flip(round(t_ms * MS), slot.colour, slot.rgb))
        t_ms += slot.dwell_ms
    return flips


def seen(
    lag_ms: float, fps: float = 30.0, drop: float = 0.0, noise: float = 0.0, drift: float = 0.0
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Stamps and brightness of a picture that follows `flips_of` by ``lag_ms``."""
    rng = np.random.default_rng(5)
    flips = flips_of()
    t = np.arange(0, flips[-1].t_ns / MS + 500, 1000 / fps) + 1.7
    t = t[rng.random(len(t)) >= drop]
    level = np.full(len(t), 0.3)
    for flip in flips[1:]:
        share = np.clip((t - lag_ms + EXPOSURE_MS / 2 - flip.t_ns / MS) / EXPOSURE_MS, 0, 1)
        target = 0.4 if flip.rgb[0] == 255 else 0.3
        level = level + share * (target - level)
    level = level * (1 + drift * np.sin(t / 4000)) + rng.normal(0, noise, len(t))
    return np.round(t * MS).astype(np.int64), level


def measured(*args: float, **kwargs: float) -> StepLags:
    return measure_steps(*seen(*args, **kwargs), screen_steps(flips_of()))


def test_only_greys_are_steps() -> None:
    steps = screen_steps(flips_of())
    assert len(steps) >= 24
    assert [step.rising for step in steps[:4]] == [True, False, True, False]
    assert screen_steps([Flip(0, None, (128,) * 3), Flip(5, "Red", (255, 0, 0))]) == []
    assert screen_steps([]) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "kwargs",
    [
        pytest.param({}, id="clean"),
        pytest.param({"fps": 15.0}, id="15 fps"),
        pytest.param({"fps": 60.0}, id="60 fps"),
        pytest.param({"drop": 0.2}, id="a fifth dropped"),
        pytest.param({"noise": 0.004}, id="noise"),
        pytest.param({"drift": 0.1}, id="daylight moves"),
    ],
)
@pytest.mark.parametrize("lag_ms", [40.0, 137.0, 250.0])
def test_the_lag_is_found(lag_ms: float, kwargs: dict[str, float]) -> None:
    found = measured(lag_ms, **kwargs)
    assert found.median_ms == pytest.approx(lag_ms, abs=6)
    assert found.mad_ms < 16
    assert found.p95_ms >= found.median_ms


@pytest.mark.slow
@settings(max_examples=examples(8))
@given(st.floats(-20, 300))
def test_any_lag_of_hardware_is_found_within_a_fifth_of_a_frame(lag_ms: float) -> None:
    assert measured(lag_ms).median_ms == pytest.approx(lag_ms, abs=7)


def test_an_edge_inside_a_hole_is_missed_and_counted() -> None:
    t_ns, level = seen(90.0)
    edge = screen_steps(flips_of())[4].t_ns + 90 * MS
    kept = np.abs(t_ns - edge) > 70 * MS
    found = measure_steps(t_ns[kept], level[kept], screen_steps(flips_of()))
    assert found.missed == 1
    assert found.median_ms == pytest.approx(90, abs=4)


def test_a_single_outlier_is_no_crossing() -> None:
    t = np.arange(0, 3000, 33) * MS
    share = np.zeros(len(t))
    share[40] = 1.0
    assert crossings(t, share, StepOptions()) == []


def test_wavering_around_the_middle_is_one_crossing() -> None:
    share = np.array([0.0] * 10 + [0.45, 0.55, 0.45, 0.55] + [1.0] * 10)
    found = crossings(np.arange(len(share)) * 33 * MS, share, StepOptions())
    assert [crossing.rising for crossing in found] == [True]


@pytest.mark.parametrize(
    ("make", "told"),
    [
        pytest.param(lambda t, v: (t, np.full_like(v, 0.3)), "0 codes", id="nothing moves"),
        pytest.param(
            lambda t, v: (t, v + np.random.default_rng(1).normal(0, 0.08, len(v))),
            "times the picture's noise",
            id="only noise",
        ),
        pytest.param(lambda t, v: (t, v[::-1].copy()), "steps were found", id="other steps"),
        pytest.param(lambda t, v: (t[:3], v[:3]), "frames and steps", id="three frames"),
    ],
)
def test_what_cannot_be_measured_says_why(make, told: str) -> None:
    t_ns, level = make(*seen(90.0))
    with pytest.raises(MeasurementError, match=told):
        measure_steps(t_ns, level, screen_steps(flips_of()))


def test_recordings_join() -> None:
    one = StepLags((80.0, 82.0), (True, False), 1, 12.0)
    both = StepLags.joined([one, StepLags((84.0,), (True,), 0, 9.0)])
    assert both.lags_ms == (80.0, 82.0, 84.0)
    assert (both.missed, both.contrast_codes) == (1, 9.0)
    assert both.median_ms == pytest.approx((82 + 82) / 2)
