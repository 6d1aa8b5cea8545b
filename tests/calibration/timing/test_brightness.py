"""Which part of the picture follows the screen."""

from __future__ import annotations

import numpy as np
import pytest

from calibration.errors import MeasurementError
from calibration.timing.brightness import BrightnessGrid
from calibration.timing.steps import LightStep, measure_steps
from capture.frame import Frame

MS = 1_000_000
STEPS = [LightStep((500 + 700 * i) * MS, i % 2 == 0) for i in range(20)]


def bright(t_ms: float, lag_ms: float = 90.0) -> bool:
    return sum(bool((t_ms - lag_ms) * MS >= step.t_ns) for step in STEPS) % 2 == 1


def grid(gain=lambda t, lit: 1.0, codes: tuple[int, int] = (120, 150)) -> BrightnessGrid:
    """A picture whose lower left quarter is lit, on a wall of code 90."""
    rng = np.random.default_rng(0)
    found = BrightnessGrid()
    for index, t_ms in enumerate(np.arange(3.0, 15_000, 33.3)):
        lit = bright(t_ms)
        pixels = np.full((54, 96, 3), 90.0)
        pixels[27:, :48] = codes[lit]
        noisy = pixels * gain(t_ms, lit) + rng.normal(0, 1, pixels.shape)
        found.add(Frame(index, round(t_ms * MS), 0, np.clip(noisy, 0, 255).astype(np.uint8)))
    return found


@pytest.mark.slow
def test_the_lit_part_is_found_and_its_height() -> None:
    seen = grid().following(STEPS, locked=True)
    assert seen.row == pytest.approx(0.75, abs=0.02)
    assert measure_steps(seen.t_ns, seen.level, STEPS).median_ms == pytest.approx(90, abs=20)


@pytest.mark.slow
def test_a_camera_that_follows_the_light_is_held_against_its_wall() -> None:
    followed = grid(lambda t, lit: 0.86 if lit else 1.0)
    seen = followed.following(STEPS, locked=False)
    assert measure_steps(seen.t_ns, seen.level, STEPS).contrast_codes > 20
    assert seen.row == pytest.approx(0.75, abs=0.02)


def test_parts_that_clip_do_not_count() -> None:
    with pytest.raises(MeasurementError, match="overexposed"):
        grid(codes=(200, 255)).following(STEPS, locked=True)


def test_a_picture_that_follows_nothing_says_so() -> None:
    with pytest.raises(MeasurementError, match="no part of the picture"):
        grid(codes=(120, 120)).following(STEPS, locked=True)


def test_few_frames_are_refused() -> None:
    with pytest.raises(MeasurementError, match="at least 10 frames, got 0"):
        BrightnessGrid().following(STEPS, locked=True)


def test_a_tiny_picture_is_refused() -> None:
    with pytest.raises(MeasurementError, match="at least 32x18 pixels, got 20x20"):
        BrightnessGrid().add(Frame(0, 0, 0, np.zeros((20, 20, 3), np.uint8)))
