"""Rate and time left come from the last results."""

from __future__ import annotations

import pytest

from facelight.batch.pace import WINDOW, Pace


def after(results: int, every_s: float, total: int = 1000) -> Pace:
    pace = Pace(total, started_s=50.0)
    for index in range(1, results + 1):
        pace.add(50.0 + index * every_s)
    return pace


def test_nothing_is_claimed_before_the_first_result() -> None:
    assert after(0, 1.0).left_s is None
    assert after(0, 1.0).told() == "0 of 1000"


@pytest.mark.parametrize(
    ("results", "every_s", "told"),
    [
        pytest.param(10, 0.5, "10 of 1000, 2 a second, 8 min 15 s left", id="fast"),
        pytest.param(1, 30.0, "1 of 1000, 2 a minute, 8 h 19 min left", id="slow"),
        pytest.param(990, 1.0, "990 of 1000, 1 a second, 10 s left", id="almost done"),
        pytest.param(1000, 1.0, "1000 of 1000, 1 a second, 0 s left", id="done"),
    ],
)
def test_the_state_is_one_line(results: int, every_s: float, told: str) -> None:
    assert after(results, every_s).told() == told


def test_a_change_of_pace_is_noticed() -> None:
    pace = after(500, 10.0, total=100_000)
    for index in range(WINDOW):
        pace.add(50.0 + 5000 + 0.1 * (index + 1))
    assert pace.rate_hz == pytest.approx(10.0)


def test_results_that_come_all_at_once_are_no_division_by_zero() -> None:
    assert after(5, 0.0).left_s is None
