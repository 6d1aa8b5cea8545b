"""Lids and lips."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from preprocess.face.landmarks import INNER_LIPS, LEFT_LIDS, RIGHT_LIDS
from preprocess.measures.eyes_mouth import eyes_open_t, mouth_open_t
from tests.preprocess import faces

T_PX = 10.6 / 6.3 * 100


def with_gap(pairs: tuple[tuple[int, int], ...], gap_px: float) -> NDArray[np.float32]:
    points = faces.landmarks()
    for upper, lower in pairs:
        points[lower, :2] = points[upper, :2] + (0, gap_px)
    return points


@pytest.mark.parametrize("pairs", [LEFT_LIDS, RIGHT_LIDS], ids=["left", "right"])
def test_the_more_closed_eye_counts(pairs: tuple[tuple[int, int], ...]) -> None:
    assert eyes_open_t(with_gap(pairs, 2.0)) == pytest.approx(2 / T_PX, rel=0.02)


def test_open_eyes_are_above_ofiqs_point() -> None:
    assert eyes_open_t(faces.landmarks()) > 0.03


def test_the_gap_of_the_lips_is_in_eye_to_chin_distances() -> None:
    assert mouth_open_t(with_gap(INNER_LIPS, 30)) == pytest.approx(30 / T_PX, rel=0.02)


def test_size_does_not_matter() -> None:
    small, large = faces.landmarks(ied_px=40), faces.landmarks(ied_px=200)
    assert eyes_open_t(small) == pytest.approx(eyes_open_t(large), rel=0.01)
