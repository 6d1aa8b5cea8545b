from __future__ import annotations

import numpy as np

from capture.simulator.colour import LINEAR_OF_CODE, codes_of_linear, linear_rgb


def test_codes_come_back_within_one() -> None:
    back = codes_of_linear(LINEAR_OF_CODE).astype(int)
    assert np.abs(back - np.arange(256)).max() <= 1


def test_light_out_of_range_is_clipped() -> None:
    light = np.array([[-1.0, 0.0, 1.0, 7.0]], np.float32)
    assert codes_of_linear(light).tolist() == [[0, 0, 255, 255]]


def test_the_shape_of_the_image_is_kept() -> None:
    assert codes_of_linear(np.zeros((2, 5, 3), np.float32)).shape == (2, 5, 3)


def test_linear_rgb_keeps_the_order() -> None:
    red, green, blue = linear_rgb((255, 128, 0))
    assert red == 1.0
    assert 0.21 < green < 0.22
    assert blue == 0.0
