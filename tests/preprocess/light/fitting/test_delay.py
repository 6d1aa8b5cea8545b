"""The delay from a cost over a grid."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from preprocess.light.fitting.delay import estimate_delay

MS = 1_000_000
GRID = np.arange(-40, 401, 5) * MS


def bowl(centre_ms: float, width_ms: float = 20.0) -> NDArray[np.float64]:
    return ((GRID / MS - centre_ms) / width_ms) ** 2


@given(st.floats(0, 360))
def test_a_parabola_is_found_between_grid_points(centre_ms: float) -> None:
    found = estimate_delay(GRID, bowl(centre_ms)[None], np.ones(1), 120, near=None)
    assert found.delay_ns / MS == pytest.approx(centre_ms, abs=0.7)


def test_a_flat_bottom_gives_its_middle_and_says_how_wide_it_is() -> None:
    cost = np.where(np.abs(GRID / MS - 100) <= 10, 0.0, 5.0)
    found = estimate_delay(GRID, cost[None], np.ones(1), 120, near=None)
    assert found.delay_ns / MS == pytest.approx(100, abs=0.5)
    assert 4 * MS < found.sd_ns < 9 * MS


def test_near_keeps_out_a_deeper_bowl_elsewhere() -> None:
    cost = np.minimum(bowl(100), bowl(300) - 0.5)
    near = int(np.argmin(np.abs(GRID - 100 * MS)))
    assert estimate_delay(GRID, cost[None], np.ones(1), 120, near=near).delay_ns < 110 * MS
    assert estimate_delay(GRID, cost[None], np.ones(1), 120, near=None).delay_ns > 290 * MS


def test_exposures_are_weighed_by_fit_and_prior() -> None:
    costs = np.array([bowl(90), bowl(98)])
    even = estimate_delay(GRID, costs, np.array([1.0, 1.0]), 120, near=None)
    tilted = estimate_delay(GRID, costs, np.array([0.01, 1.0]), 120, near=None)
    assert 90 * MS < even.delay_ns < tilted.delay_ns <= 98.5 * MS
    better = estimate_delay(GRID, np.array([bowl(90) + 1, bowl(98)]), np.ones(2), 120, near=None)
    assert better.delay_ns / MS == pytest.approx(98, abs=0.7)


@pytest.mark.parametrize("edge", [-40, 400])
def test_a_minimum_at_the_edge_stays_on_the_grid(edge: int) -> None:
    found = estimate_delay(GRID, bowl(edge)[None], np.ones(1), 120, near=None)
    assert -40 * MS <= found.delay_ns <= 400 * MS
