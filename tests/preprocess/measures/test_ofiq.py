"""The published curves at the points that OFIQ's conformance data give."""

from __future__ import annotations

import math

import pytest

from preprocess.measures.measures import FIELDS, Measures
from preprocess.measures.ofiq import CURVES, component, components

POINTS = [
    ("ied_px", 60, 38), ("ied_px", 80, 62), ("ied_px", 100, 82), ("ied_px", 120, 92),
    ("margin_left_ied", 0.9, 50), ("margin_right_ied", 1.1, 88),
    ("margin_above_t", 1.6, 88), ("margin_below_t", 2.0, 88),
    ("yaw_deg", 5, 99), ("pitch_deg", -15, 93), ("roll_deg", 25, 82), ("yaw_deg", 35, 67),
    ("yaw_deg", 120, 0), ("eyes_open_t", 0.02, 50), ("eyes_open_t", 0.03, 73),
    ("eyes_open_t", 0.05, 95), ("mouth_open_t", 0.1, 84), ("mouth_open_t", 0.2, 50),
    ("over_grey_share", 0.0, 100), ("over_grey_share", 0.005, 67), ("over_grey_share", 0.01, 50),
    ("over_grey_share", 0.04, 20), ("over_grey_share", 0.09, 10),
    ("luminance", 0.1, 12), ("luminance", 0.15, 27), ("luminance", 0.2, 50),
    ("luminance", 0.3, 88), ("luminance", 0.5, 100),
]  # fmt: skip


@pytest.mark.parametrize(("name", "native", "quality"), POINTS)
def test_a_native_value_maps_as_in_ofiq(name: str, native: float, quality: int) -> None:
    assert component(name, native) == pytest.approx(quality, abs=1)


@pytest.mark.parametrize("name", sorted(CURVES))
@pytest.mark.parametrize("native", [-1e9, -1.0, 0.0, 1.0, 1e9])
def test_every_component_is_a_whole_number_from_0_to_100(name: str, native: float) -> None:
    assert 0 <= component(name, native) <= 100 or native < 0


def test_what_could_not_be_assessed_is_minus_one() -> None:
    assert set(components(Measures()).values()) == {-1}
    assert component("yaw_deg", math.nan) == -1


def test_a_measure_without_a_published_curve_has_no_component() -> None:
    assert set(CURVES) <= set(FIELDS)
    with pytest.raises(KeyError):
        component("blur_pct", 1.0)
