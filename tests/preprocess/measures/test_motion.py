"""Speed of the head in inter-eye distances a second."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from preprocess.face.landmarks import LEFT_LIDS
from preprocess.measures.motion import HEAD, SpeedMeter, landmark_speed
from tests.preprocess import faces

FRAME_NS = 33_333_333


def moved(dx: float) -> NDArray[np.float32]:
    return faces.landmarks((640 + dx, 360))


def test_a_shift_of_an_eye_distance_in_a_second_is_one() -> None:
    assert landmark_speed(moved(0), moved(100), 1.0) == pytest.approx(1.0, rel=0.01)


def test_enough_points_vote() -> None:
    assert len(HEAD) >= 50


def test_a_blink_is_no_motion() -> None:
    closed = moved(0)
    for upper, lower in LEFT_LIDS:
        closed[upper] = closed[lower]
    assert landmark_speed(moved(0), closed, 0.033) == 0


def test_the_first_frame_has_no_speed() -> None:
    assert math.isnan(SpeedMeter().add(0, moved(0)))


def test_speed_is_the_mean_of_three() -> None:
    meter = SpeedMeter()
    for step, x in enumerate((0, 0, 0)):
        meter.add(step * FRAME_NS, moved(x))
    speed = meter.add(3 * FRAME_NS, moved(10))
    assert speed == pytest.approx(0.1 / 3 / (FRAME_NS / 1e9), rel=0.02)


def test_the_frame_rate_does_not_matter() -> None:
    slow, fast = SpeedMeter(), SpeedMeter()
    for step in range(5):
        at_15 = slow.add(step * 2 * FRAME_NS, moved(step * 4))
        at_30 = fast.add(step * FRAME_NS, moved(step * 2))
    assert at_15 == pytest.approx(at_30, rel=0.01)


@pytest.mark.parametrize("gap_ns", [600_000_000, 0, -5], ids=["long", "none", "backwards"])
def test_a_gap_begins_anew(gap_ns: int) -> None:
    meter = SpeedMeter()
    meter.add(1_000_000_000, moved(0))
    assert math.isnan(meter.add(1_000_000_000 + gap_ns, moved(50)))


def test_a_reset_forgets() -> None:
    meter = SpeedMeter()
    meter.add(0, moved(0))
    meter.reset()
    assert math.isnan(meter.add(FRAME_NS, moved(50)))
