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
    found = estimate_delay(GRID, [16 * MS], bowl(centre_ms)[None], 120, near=None)
    assert found.delay_ns / MS == pytest.approx(centre_ms, abs=0.7)


def test_a_flat_bottom_gives_its_middle_and_says_how_wide_it_is() -> None:
    cost = np.where(np.abs(GRID / MS - 100) <= 10, 0.0, 5.0)
    found = estimate_delay(GRID, [16 * MS], cost[None], 120, near=None)
    assert found.delay_ns / MS == pytest.approx(100, abs=0.5)
    assert 4 * MS < found.sd_ns < 9 * MS


def test_near_keeps_out_a_deeper_bowl_elsewhere() -> None:
    cost = np.minimum(bowl(100), bowl(300) - 0.5)
    near = int(np.argmin(np.abs(GRID - 100 * MS)))
    assert estimate_delay(GRID, [16 * MS], cost[None], 120, near=near).delay_ns < 110 * MS
    assert estimate_delay(GRID, [16 * MS], cost[None], 120, near=None).delay_ns > 290 * MS


def test_delay_and_exposure_are_found_together_and_their_middle_best() -> None:
    exposures = [8 * MS, 16 * MS, 24 * MS, 32 * MS]
    # an exposure longer by 8 ms fits as well when the delay is longer by 4: one middle for all
    costs = np.array([bowl(90 + exposure / MS / 2) for exposure in exposures])
    found = estimate_delay(GRID, exposures, costs, 120, near=None)
    assert found.middle_ns / MS == pytest.approx(90, abs=0.7)
    assert found.delay_ns / MS == pytest.approx(100, abs=1)
    assert found.exposure_ns / MS == pytest.approx(20, abs=1)
    assert found.middle_sd_ns < found.sd_ns < found.exposure_sd_ns
    better = estimate_delay(GRID, exposures, costs + np.array([[1], [1], [0], [1]]), 120, near=None)
    assert better.exposure_ns / MS == pytest.approx(24, abs=0.1)


def test_what_frames_cannot_tell_widens_delay_and_middle_but_not_the_exposure() -> None:
    plain, wide = (
        estimate_delay(GRID, [16 * MS], bowl(90)[None], 120, near=None, sd_ns=sd)
        for sd in (0, 6 * MS)
    )
    assert min(wide.sd_ns, wide.middle_sd_ns) > 6 * MS > plain.sd_ns
    assert wide.exposure_sd_ns == plain.exposure_sd_ns == 0


@pytest.mark.parametrize("edge", [-40, 400])
def test_a_minimum_at_the_edge_stays_on_the_grid(edge: int) -> None:
    found = estimate_delay(GRID, [16 * MS], bowl(edge)[None], 120, near=None)
    assert -40 * MS <= found.delay_ns <= 400 * MS
