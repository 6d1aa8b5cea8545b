"""A smaller picture shows what the larger one did."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from preprocess.reduction import shrunk
from tests.preprocess import faces


@given(st.integers(1, 900), st.integers(1, 900), st.integers(1, 400))
def test_no_side_is_longer_and_the_shape_stays(width: int, height: int, side_px: int) -> None:
    small = shrunk(np.zeros((height, width, 3), np.uint8), side_px)
    assert max(small.shape[:2]) == min(max(width, height), side_px)
    factor = max(small.shape[:2]) / max(width, height)
    assert abs(min(small.shape[:2]) - min(width, height) * factor) <= 1.5


def test_a_small_picture_stays_itself() -> None:
    picture = faces.textured()
    assert shrunk(picture, 1280) is picture


@pytest.mark.parametrize("side_px", [96, 300, 384, 640, 900])
def test_light_and_place_stay(side_px: int) -> None:
    picture = np.zeros((720, 1280, 3), np.uint8)
    picture[180:360, 320:640] = (40, 120, 240)
    small = shrunk(picture, side_px).astype(float)
    assert small.mean(axis=(0, 1)) == pytest.approx(picture.mean(axis=(0, 1)), rel=0.02)
    rows, columns = np.nonzero(small[..., 2] > 120)
    factor = side_px / 1280
    assert (columns.min(), columns.max()) == pytest.approx((320 * factor, 640 * factor), abs=1.5)
    assert (rows.min(), rows.max()) == pytest.approx((180 * factor, 360 * factor), abs=1.5)


def test_a_single_bright_pixel_is_not_skipped() -> None:
    for x in range(64):
        picture = np.zeros((64, 512, 3), np.uint8)
        picture[30, 200 + x] = 255
        assert shrunk(picture, 100).any()
