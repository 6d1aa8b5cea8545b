from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capture.light.illumination import PRIMARIES, Flip
from capture.simulator.lighting import (
    RoomOptions,
    SimulatedScreenOptions,
    ambient_rows,
    row_weights,
    screen_colour,
    screen_rows,
    vector_irradiance,
)

MS = 1_000_000
IDEAL = SimulatedScreenOptions(lag_ms=0.0, scan_ms=0.0, lcd_tau_ms=0.0)
RED, BLUE = (Flip(t * MS, name, PRIMARIES[name]) for t, name in ((0, "Red"), (500, "Blue")))


@pytest.mark.parametrize(
    ("inches", "lux"),
    [
        pytest.param(15.6, (108, 73, 52, 30), id="15.6 in"),
        pytest.param(24.0, (217, 154, 113, 68), id="24 in"),
    ],
)
def test_a_white_screen_gives_the_light_of_the_rectangle_formula(
    inches: float, lux: tuple[float, ...]
) -> None:
    screen = SimulatedScreenOptions(diagonal_in=inches)
    middle = -1.5 - screen.size_cm[1] / 2
    for distance, expected in zip((40, 50, 60, 80), lux, strict=True):
        place = np.array([0.0, middle, -float(distance)])
        assert vector_irradiance(place, screen)[2] == pytest.approx(expected, rel=0.02)


def test_the_default_room_has_the_screen_at_three_tenths_of_it() -> None:
    at_face = vector_irradiance(np.array([0.0, 0.0, -55.0]), SimulatedScreenOptions())
    assert float(np.linalg.norm(at_face)) / RoomOptions().ambient_lx == pytest.approx(0.3, abs=0.02)


def test_an_ideal_screen_changes_at_once() -> None:
    starts = np.array([480, 490, 495, 500], np.int64) * MS
    seen, weights = row_weights([RED, BLUE], starts, 10 * MS, IDEAL)
    assert seen[-2:] == [RED, BLUE]
    assert weights[:, -1] == pytest.approx([0, 0, 0.5, 1])


def test_a_real_screen_changes_late_and_slowly() -> None:
    screen = SimulatedScreenOptions()
    starts = np.arange(500, 600, 1, dtype=np.int64) * MS
    blue = row_weights([RED, BLUE], starts, MS, screen)[1][:, -1]
    assert blue[14] == 0
    assert (np.diff(blue) >= -1e-12).all()
    crossing = float(np.interp(0.5, blue, np.arange(100) + 0.5))
    assert crossing == pytest.approx(15 + 1000 / 120 + 4, abs=1.0)
    assert blue[15 + 17 + 16] > 0.98


@given(
    st.lists(st.integers(1, 400), max_size=8),
    st.integers(-200, 2500),
    st.floats(0.2, 40),
    st.floats(0, 10),
)
def test_shares_of_light_are_shares(
    gaps_ms: list[int], start_ms: int, exposure_ms: float, tau_ms: float
) -> None:
    times = np.cumsum(np.asarray(gaps_ms, np.int64)) * MS
    flips = [Flip(int(t), "Red", PRIMARIES["Red"]) for t in times]
    starts = np.array([start_ms, start_ms + 20], np.int64) * MS
    screen = SimulatedScreenOptions(lcd_tau_ms=tau_ms)
    seen, weights = row_weights(flips, starts, round(exposure_ms * MS), screen)
    assert weights.shape == (2, len(seen))
    assert weights.sum(axis=1) == pytest.approx([1, 1])
    assert weights.min() > -1e-9


def test_before_the_first_flip_the_screen_shows_its_idle_colour() -> None:
    seen, weights = row_weights([], np.zeros(3, np.int64), 10 * MS, SimulatedScreenOptions())
    grey = screen_rows(seen, weights, SimulatedScreenOptions())
    assert grey == pytest.approx(np.full((3, 3), 0.2159), abs=1e-3)


def test_white_is_one_and_primaries_leak_a_little() -> None:
    assert screen_colour((255, 255, 255)) == pytest.approx([1, 1, 1])
    red = screen_colour((255, 0, 0))
    assert red[0] > 0.9
    assert 0 < red[1] < 0.1


@pytest.mark.parametrize("exposure_ms", [10, 20])
def test_whole_periods_of_the_mains_do_not_flicker(exposure_ms: int) -> None:
    starts = np.arange(0, 20, 1, dtype=np.int64) * MS
    lamps = ambient_rows(starts, exposure_ms * MS, RoomOptions(flicker=0.3))
    assert lamps == pytest.approx(np.ones(20), abs=1e-9)


def test_short_exposures_flicker() -> None:
    starts = np.arange(0, 20, 1, dtype=np.int64) * MS
    assert np.ptp(ambient_rows(starts, 5 * MS, RoomOptions(flicker=0.3))) > 0.3
