"""Frames that came when the camera's beat says, and those that hung somewhere."""

from __future__ import annotations

import random

import pytest

from capture.live.reading.beat import PATIENCE, Beat

MS = 1_000_000
PERIOD_NS = 33_333_333


def judged(arrivals_ns: list[float], seqs: list[int] | None = None) -> list[bool]:
    beat = Beat()
    seqs = seqs or list(range(len(arrivals_ns)))
    return [beat.fits(seq, round(t)) for seq, t in zip(seqs, arrivals_ns, strict=True)]


def steady(count: int, spread_ms: float = 1.0, seed: int = 0) -> list[float]:
    rng = random.Random(seed)
    return [i * PERIOD_NS * 1.0001 + rng.gauss(0, spread_ms) * MS for i in range(count)]


@pytest.mark.parametrize("spread_ms", [0.0, 1.0, 2.0])
def test_a_steady_camera_is_believed(spread_ms: float) -> None:
    assert sum(judged(steady(600, spread_ms))) >= 590


@pytest.mark.parametrize("late_ms", [12, 20, 33.4, 50, 66.7])
def test_a_late_frame_is_not_believed_and_the_next_one_on_time_is(late_ms: float) -> None:
    arrivals = steady(80, 0.5)
    arrivals[40] += late_ms * MS
    for i in range(41, 44):  # what waits behind it comes with it
        arrivals[i] = max(arrivals[i], arrivals[i - 1] + 0.3 * MS)
    fits = judged(arrivals)
    late = [i for i, t in enumerate(arrivals) if t - i * PERIOD_NS * 1.0001 > 9 * MS]
    assert 40 in late
    assert not any(fits[i] for i in late)
    assert all(fits[:40])
    assert all(fits[46:])


def test_after_a_lost_frame_one_more_is_not_believed() -> None:
    arrivals = steady(80, 0.5)
    del arrivals[40]
    fits = judged(arrivals)
    assert [i for i, fit in enumerate(fits) if not fit] == [40]


def test_frames_that_nobody_took_are_no_loss() -> None:
    arrivals = steady(120, 0.5)
    kept = [i for i in range(120) if i % 3]
    assert all(judged([arrivals[i] for i in kept], kept))


def test_a_lasting_change_of_the_delay_is_a_new_beat() -> None:
    arrivals = steady(60, 0.5)
    arrivals += [t + 60.5 * PERIOD_NS for t in steady(60, 0.5, seed=1)]
    fits = judged(arrivals)
    assert fits[60 : 60 + PATIENCE].count(False) == PATIENCE
    assert all(fits[60 + PATIENCE + 1 :])


def test_half_the_rate_is_learned() -> None:
    arrivals = steady(60, 0.5)
    arrivals += [arrivals[-1] + (i + 1) * 2 * PERIOD_NS for i in range(90)]
    assert all(judged(arrivals)[110:])


def test_a_camera_without_a_beat_is_believed() -> None:
    rng = random.Random(0)
    arrivals, t = [], 0.0
    for _ in range(200):
        t += rng.uniform(20, 60) * MS
        arrivals.append(t)
    assert sum(judged(arrivals)) > 180
