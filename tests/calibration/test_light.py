"""Ambient share, colour mixing, exposure and frame rate from lit frames."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from calibration.errors import MeasurementError
from calibration.light import LitFrame, measure_light
from calibration.profile import LightSection, ProfileOrigin, now
from capture.light.illumination import NEUTRAL_RGB, PRIMARIES, Rgb
from preprocess.light.samples import LINEAR_OF_SRGB, ChromaSample

ORIGIN = ProfileOrigin(created=now(), software="test", material=["test"])
CROSSTALK = np.array([[0.93, 0.06, 0.01], [0.05, 0.88, 0.07], [0.01, 0.08, 0.91]])
AMBIENT = np.array([0.30, 0.18, 0.12])
WALL = np.array([0.25, 0.22, 0.20])
COLOURS: list[tuple[str | None, Rgb]] = [(None, NEUTRAL_RGB), *PRIMARIES.items()]


def frames(
    strength: float = 0.3,
    gain=lambda colour: 1.0,
    colours=COLOURS,
    spill: float = 0.0,
    peak: float = 180.0,
    **more: float,
) -> list[LitFrame]:
    """Three rounds of ten frames a colour; skin of one reflectance, light of ``strength``."""
    rng, clipped = np.random.default_rng(2), more.get("clipped", 0.0)
    noise = more.get("noise", 0.003)
    found, t_ms = [], 0.0
    for _ in range(3):
        for colour, rgb in colours:
            screen = CROSSTALK @ LINEAR_OF_SRGB[list(rgb)]
            for index in range(10):
                t_ms += 66.7 if colour == "Blue" else 33.3
                sway = 1 + rng.normal(0, noise)
                face = AMBIENT * (1 + strength * screen) * gain(colour) * sway
                wall = WALL * (1 + spill * strength * screen) * gain(colour)
                sample = ChromaSample(
                    round(t_ms * 1e6), tuple(face), tuple(wall), clipped, 9000, 50_000
                )
                gap_ms = None if index == 0 else 66.7 if colour == "Blue" else 33.3
                found.append(LitFrame(sample, colour, rgb, peak, gap_ms))
    return found


def measured(lit: list[LitFrame], locked: bool | None = True) -> LightSection:
    return measure_light(lit, ORIGIN, locked=locked)


@pytest.mark.parametrize("strength", [0.1, 0.3, 1.0])
def test_crosstalk_and_ambient_come_back(strength: float) -> None:
    found = measured(frames(strength))
    assert np.array(found.crosstalk) == pytest.approx(CROSSTALK, abs=0.05)
    assert found.strength.value == pytest.approx(strength, rel=0.1)
    assert found.ambient_share.value == pytest.approx(1 / (1 + strength), rel=0.03)
    assert found.reference == "none"


def test_rows_of_the_crosstalk_sum_to_one() -> None:
    assert np.sum(measured(frames()).crosstalk, axis=1) == pytest.approx([1, 1, 1], abs=1e-3)


def test_three_colours_and_neutral_are_enough() -> None:
    found = measured(frames(colours=COLOURS[:4]))
    assert np.array(found.crosstalk) == pytest.approx(CROSSTALK, abs=0.06)


def test_a_camera_that_was_not_locked_is_held_against_the_background() -> None:
    followed = frames(gain=lambda colour: 0.9 if colour == "White" else 1.0)
    found = measured(followed, locked=False)
    assert found.strength.value == pytest.approx(0.3, rel=0.1)
    assert found.reference == "background"
    assert measured(followed, locked=True).strength.value < 0.2


@pytest.mark.parametrize(
    ("gain", "reference"),
    [
        pytest.param(lambda colour: 1.0, "none", id="stood still"),
        pytest.param(lambda colour: 0.85 if colour else 1.0, "background", id="followed"),
    ],
)
def test_where_nobody_knows_the_background_tells(gain, reference: str) -> None:
    assert measured(frames(gain=gain, spill=0.1), locked=None).reference == reference


def test_a_slow_frame_rate_under_one_colour_shows() -> None:
    found = measured(frames())
    assert found.fps["Red"] == pytest.approx(30, abs=0.2)
    assert found.fps["Blue"] == pytest.approx(15, abs=0.2)
    assert found.fps["neutral"] == pytest.approx(30, abs=0.2)


@pytest.mark.parametrize(
    ("peak", "clipped", "low", "high"),
    [
        pytest.param(180.0, 0.0, 1.0, 1.0, id="headroom"),
        pytest.param(250.0, 0.0, 0.8, 0.95, id="near the top"),
        pytest.param(255.0, 0.2, 0.5, 0.5, id="clips"),
    ],
)
def test_the_exposure_is_lowered_as_far_as_it_takes(
    peak: float, clipped: float, low: float, high: float
) -> None:
    factor = measured(frames(peak=peak, clipped=clipped)).exposure_factor
    assert low <= factor.value <= high
    assert factor.how


def test_a_jerk_does_not_move_the_result() -> None:
    lit = frames()
    for index in (17, 63, 104):
        red, green, blue = lit[index].sample.face_rgb
        jerked = (2 * red, 2 * green, 2 * blue)
        lit[index] = replace(lit[index], sample=replace(lit[index].sample, face_rgb=jerked))
    assert np.array(measured(lit).crosstalk) == pytest.approx(CROSSTALK, abs=0.05)


@pytest.mark.parametrize(
    ("lit", "locked", "told"),
    [
        pytest.param([], True, "saw no light", id="no frames"),
        pytest.param(frames(colours=COLOURS[:3]), True, "three colours", id="two colours"),
        pytest.param(frames(colours=COLOURS[1:4]), True, "neutral and three", id="no neutral"),
        pytest.param(frames()[:52] + frames()[100:], True, "clean frames", id="few of one"),
        pytest.param(frames(strength=0.0, noise=0.0), True, "not get brighter", id="no light"),
        pytest.param(
            [replace(f, sample=replace(f.sample, background_rgb=None)) for f in frames()],
            False,
            "no background",
            id="nothing to compare with",
        ),
    ],
)
def test_what_cannot_be_measured_says_why(lit, locked: bool, told: str) -> None:
    if told == "clean frames":
        lit = [f for f in frames() if f.colour != "Red"] + [
            f for f in frames() if f.colour == "Red"
        ][:3]
    with pytest.raises(MeasurementError, match=told):
        measured(lit, locked)
