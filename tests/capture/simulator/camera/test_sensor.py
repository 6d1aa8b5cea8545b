from __future__ import annotations

import numpy as np
import pytest

from capture.simulator.camera.sensor import Sensor
from capture.simulator.options import CameraOptions

GREY = np.full((96, 160, 3), 118, np.uint8)


def sensor(**changes: float) -> Sensor:
    return Sensor(CameraOptions(size_wh=(160, 96), **changes), seed=1)  # type: ignore[arg-type]


def test_noise_has_the_deviation_it_claims_and_no_bias() -> None:
    camera = sensor()
    noise = camera.develop(GREY, 0).astype(float) - 118
    assert noise.std() == pytest.approx(camera.noise_codes, rel=0.1)
    assert abs(noise.mean()) < 0.1


def test_noise_grows_with_gain_and_differs_from_frame_to_frame() -> None:
    camera = sensor()
    quiet = camera.noise_codes
    camera.gain *= 4
    assert camera.noise_codes > 1.7 * quiet
    assert not np.array_equal(camera.develop(GREY, 0), camera.develop(GREY, 1))
    assert np.array_equal(camera.develop(GREY, 1), camera.develop(GREY, 1))


def test_no_noise_leaves_codes_alone() -> None:
    developed = sensor(noise=0.0).develop(GREY.copy(), 0)
    assert np.array_equal(developed, GREY)
    assert not developed.flags.writeable


@pytest.mark.parametrize("code", [60, 230])
def test_exposure_converges_on_mid_grey(code: int) -> None:
    camera = sensor()
    light = (code / 255) ** 2.2 / camera.gain
    for _ in range(30):
        shown = np.full_like(GREY, int(np.clip((light * camera.gain) ** (1 / 2.2) * 255, 0, 255)))
        camera.meter(shown, None)
    assert int(shown[0, 0, 0]) == pytest.approx(146, abs=8)


def test_a_locked_sensor_stays_as_it_is() -> None:
    camera = sensor()
    camera.locked = True
    gain, balance = camera.gain, camera.white_balance.copy()
    camera.meter(np.full_like(GREY, 250), (20, 20, 60, 60))
    assert camera.gain == gain
    assert np.array_equal(camera.white_balance, balance)


def test_white_balance_takes_the_colour_of_the_lamps_out() -> None:
    camera = sensor()
    camera.balance_for(np.array([0.75, 0.93, 1.0]))
    assert camera.white_balance * (0.75, 0.93, 1.0) == pytest.approx([0.93] * 3)


def test_a_dark_face_gets_more_exposure_than_the_wall_alone_would() -> None:
    scene = np.full_like(GREY, 150)
    scene[30:70, 50:110] = 60
    with_face, without = sensor(), sensor()
    with_face.meter(scene, (50, 30, 110, 70))
    without.meter(scene, None)
    assert with_face.gain > without.gain


def test_jpeg_changes_little_but_something() -> None:
    ramp = np.tile(np.arange(160, dtype=np.uint8)[None, :, None], (96, 1, 3))
    developed = sensor(noise=0.0, mjpeg_quality=85).develop(ramp, 0).astype(int)
    assert 0 < np.abs(developed - ramp).max() < 12
