"""Declared colours against other labellings of the same slots."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from preprocess.light.fitting.fit import Moments
from preprocess.light.fitting.labelling import judge_labelling

PALETTE: NDArray[np.float64] = np.array([[1.0, 0.0], [-0.5, 0.866], [-0.5, -0.866]])
SIX = np.array([0, 1, 2, 1, 0, 2])


def moments_of(shown: NDArray[np.intp], noise: float = 0.05) -> Moments:
    rng = np.random.default_rng(3)
    slots, frames = len(shown), 20 * len(shown)
    indicator = np.repeat(np.eye(slots), 20, axis=0)
    values = PALETTE[shown][np.repeat(np.arange(slots), 20)] + rng.normal(0, noise, (frames, 2))
    indicator, values = indicator - indicator.mean(0), values - values.mean(0)
    return Moments(
        (indicator.T @ indicator)[None], (indicator.T @ values)[None], values.T @ values, frames
    )


def judge(
    shown: NDArray[np.intp], declared: NDArray[np.intp], free: NDArray[np.bool_] | None = None
):
    scaled = moments_of(shown).weighted(np.eye(2) * 20)
    return judge_labelling(scaled, PALETTE * 20, declared, permutations=500, seed=1, free=free)


def test_the_shown_colours_win() -> None:
    verdict = judge(SIX, SIX)
    assert verdict.peak > 0.99
    assert verdict.p_value == verdict.p_floor
    assert not verdict.beaten(0.05)


@pytest.mark.parametrize(
    "declared",
    [
        pytest.param([0, 1, 2, 1, 2, 0], id="two slots swapped"),
        pytest.param([2, 1, 0, 1, 2, 0], id="red and blue exchanged"),
        pytest.param([1, 2, 1, 0, 2, 0], id="moved along by one"),
        pytest.param([0, 1, 2, 1, 0, 1], id="one slot wrong"),
    ],
)
def test_other_colours_lose_to_a_rival(declared: list[int]) -> None:
    assert judge(SIX, np.array(declared)).beaten(0.08)


def test_the_same_seed_gives_the_same_p() -> None:
    declared = np.array([0, 1, 2, 1, 2, 0])
    assert judge(SIX, declared).p_value == judge(SIX, declared).p_value


@pytest.mark.slow
def test_a_colour_of_unknown_direction_only_has_to_be_the_same_each_time() -> None:
    free = np.array([False, True, False])
    assert judge(SIX, SIX, free).peak > 0.99
    assert judge(SIX, np.array([0, 1, 2, 0, 1, 2]), free).beaten(0.08)
    assert judge(SIX, SIX, np.array([True, True, True])).peak > 0.99
    assert judge(SIX, np.array([0, 1, 2, 0, 1, 2]), np.array([True] * 3)).beaten(0.08)


def test_opposite_light_is_no_agreement() -> None:
    sums = moments_of(SIX)
    flipped = Moments(sums.gram, -sums.cross, sums.total, sums.freedom)
    verdict = judge_labelling(flipped, PALETTE, SIX, permutations=200, seed=0)
    assert verdict.peak < -0.9
    known = np.array([False, False, True])
    loose = judge_labelling(flipped, PALETTE, SIX, permutations=200, seed=0, free=known)
    assert loose.peak < 0
