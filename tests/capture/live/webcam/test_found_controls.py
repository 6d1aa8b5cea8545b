"""After a kill in the colours the next run gives back what the camera had before the dead one."""

from __future__ import annotations

from pathlib import Path

import pytest

from capture.live.options import LiveOptions
from capture.live.webcam.controls import CameraControls
from capture.live.webcam.found_controls import FoundControls
from capture.live.webcam.properties import V4L2, Property
from capture.live.webcam.v4l2 import (
    DYNAMIC_FRAMERATE,
    POWER_LINE_FREQUENCY,
    LineControls,
)
from tests.capture.live.fakes import FakeDevice, Hardware
from tests.capture.live.webcam.test_v4l2 import Driver

FOUND: dict[int, float] = {
    Property.AUTO_EXPOSURE: 1.0,
    Property.EXPOSURE: 77.0,
    Property.GAIN: 5.0,
    Property.AUTO_WB: 0.0,
    Property.WB_TEMPERATURE: 5100.0,
    Property.AUTOFOCUS: 0.0,
    Property.FOCUS: 12.0,
}


def opened(hardware: Hardware, path: Path, camera: str = "cam") -> CameraControls:
    memory = FoundControls(path, camera)
    made = CameraControls(FakeDevice(hardware), V4L2, LiveOptions(), None, memory)
    made.prepare()
    return made


def lock_and_die(hardware: Hardware, path: Path) -> None:
    """A run that is killed while everything is locked: nothing of it is called again."""
    running = opened(hardware, path).lock()
    next(running)
    try:
        while True:
            running.send(hardware.level)
    except StopIteration:
        return


def held(hardware: Hardware) -> dict[int, float]:
    return {number: hardware.properties[number] for number in FOUND}


@pytest.mark.parametrize("deaths", [1, 3])
def test_the_next_run_gives_back_what_was_there_before_the_dead_one(
    tmp_path: Path, deaths: int
) -> None:
    hardware, path = Hardware(), tmp_path / "found.json"
    hardware.properties.update(FOUND)
    for _ in range(deaths):
        lock_and_die(hardware, path)
    assert held(hardware) != FOUND
    opened(hardware, path).restore()
    assert held(hardware) == FOUND
    assert not path.exists()


def test_after_a_clean_end_the_next_run_believes_the_camera(tmp_path: Path) -> None:
    hardware, path = Hardware(), tmp_path / "found.json"
    opened(hardware, path).restore()
    hardware.properties.update(FOUND)
    opened(hardware, path).restore()
    assert held(hardware) == FOUND


def test_each_camera_has_what_was_found_of_it(tmp_path: Path) -> None:
    path = tmp_path / "found.json"
    FoundControls(path, "other").keep({"EXPOSURE": 9.0})
    hardware = Hardware()
    hardware.properties.update(FOUND)
    lock_and_die(hardware, path)
    opened(hardware, path).restore()
    assert held(hardware) == FOUND
    assert FoundControls(path, "other").left() == {"EXPOSURE": 9.0}


@pytest.mark.parametrize("content", ["", "{", "[1]", '{"cam": 3}', '{"cam": {"EXPOSURE": "x"}}'])
def test_a_damaged_file_costs_what_it_held_and_nothing_else(tmp_path: Path, content: str) -> None:
    path = tmp_path / "found.json"
    path.write_text(content)
    hardware = Hardware()
    hardware.properties.update(FOUND)
    opened(hardware, path).restore()
    assert held(hardware) == FOUND


def test_a_folder_that_is_not_there_is_told_and_the_camera_works(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    hardware = Hardware()
    opened(hardware, tmp_path / "none/found.json").restore()
    assert "after a crash the camera keeps its lock" in caplog.text


def test_the_controls_that_opencv_does_not_reach_are_kept_too(tmp_path: Path) -> None:
    memory = FoundControls(tmp_path / "found.json", "cam#line")
    node = Driver({DYNAMIC_FRAMERATE: 1, POWER_LINE_FREQUENCY: 2})
    LineControls(Path("/dev/video0"), 50, node, memory).prepare()  # killed here
    assert node.values == {DYNAMIC_FRAMERATE: 0, POWER_LINE_FREQUENCY: 1}
    again = LineControls(Path("/dev/video0"), 50, node, memory)
    again.prepare()
    again.restore()
    assert node.values == {DYNAMIC_FRAMERATE: 1, POWER_LINE_FREQUENCY: 2}
    assert memory.left() == {}
