from __future__ import annotations

import struct
from pathlib import Path

import pytest

from capture.live.webcam.v4l2 import (
    DYNAMIC_FRAMERATE,
    POWER_LINE_FREQUENCY,
    LineControls,
    captures_video,
    ioctl,
)

NODE = Path("/dev/video0")
CAPTURE, META, DEVICE_CAPS = 0x1, 0x0080_0000, 0x8000_0000


class Driver:
    """Answers the calls as a driver does."""

    def __init__(self, values: dict[int, int], *, read_only: frozenset[int] = frozenset()) -> None:
        self.values = values
        self.read_only = read_only
        self.calls: list[tuple[str, int]] = []

    def __call__(self, node: Path, request: int, buffer: bytes) -> bytes:
        control, value = struct.unpack("=Ii", buffer)
        if control not in self.values:
            raise OSError(22, "Invalid argument")
        if request == 0xC008561B:
            return struct.pack("=Ii", control, self.values[control])
        assert request == 0xC008561C
        if control in self.read_only:
            raise OSError(13, "Permission denied")
        self.calls.append(("set", value))
        self.values[control] = value
        return buffer


@pytest.mark.parametrize(
    ("all_caps", "own_caps", "able"),
    [
        pytest.param(CAPTURE | META | DEVICE_CAPS, CAPTURE, True, id="pictures"),
        pytest.param(CAPTURE | META | DEVICE_CAPS, META, False, id="metadata"),
        pytest.param(0x1000 | DEVICE_CAPS, 0x1000, True, id="several planes"),
        pytest.param(CAPTURE, 0, True, id="an old driver"),
    ],
)
def test_the_metadata_node_of_a_camera_is_no_camera(
    all_caps: int, own_caps: int, able: bool
) -> None:
    def call(node: Path, request: int, buffer: bytes) -> bytes:
        assert (request, len(buffer)) == (0x80685600, 104)
        return struct.pack("=16s32s32sIII12x", b"uvcvideo", b"cam", b"usb", 1, all_caps, own_caps)

    assert captures_video(NODE, call) is able


def test_a_node_that_cannot_be_asked_gives_no_answer(tmp_path: Path) -> None:
    assert captures_video(tmp_path / "video0") is None
    file = tmp_path / "video1"
    file.write_bytes(b"")
    assert captures_video(file) is None


def test_a_file_answers_no_call(tmp_path: Path) -> None:
    file = tmp_path / "video1"
    file.write_bytes(b"")
    with pytest.raises(OSError, match="nappropriate"):
        ioctl(file, 0x80685600, bytes(104))


@pytest.mark.parametrize(("mains_hz", "menu"), [(0, 0), (50, 1), (60, 2)])
def test_the_rate_is_kept_and_the_mains_are_told(mains_hz: int, menu: int) -> None:
    driver = Driver({DYNAMIC_FRAMERATE: 1, POWER_LINE_FREQUENCY: 3})
    controls = LineControls(NODE, mains_hz, driver)
    assert controls.prepare() == {"dynamic_framerate": 0, "power_line": menu}
    assert driver.values == {DYNAMIC_FRAMERATE: 0, POWER_LINE_FREQUENCY: menu}
    controls.restore()
    assert driver.values == {DYNAMIC_FRAMERATE: 1, POWER_LINE_FREQUENCY: 3}


def test_what_is_right_already_is_not_written() -> None:
    driver = Driver({DYNAMIC_FRAMERATE: 0, POWER_LINE_FREQUENCY: 1})
    controls = LineControls(NODE, 50, driver)
    controls.prepare()
    controls.restore()
    assert driver.calls == []


def test_a_camera_without_these_controls_is_none_the_worse() -> None:
    controls = LineControls(NODE, 50, Driver({}))
    assert controls.prepare() == {}
    controls.restore()


def test_a_refused_control_is_not_recorded_as_set() -> None:
    driver = Driver({DYNAMIC_FRAMERATE: 1}, read_only=frozenset({DYNAMIC_FRAMERATE}))
    controls = LineControls(NODE, 50, driver)
    assert controls.prepare() == {}
    controls.restore()
    assert driver.values == {DYNAMIC_FRAMERATE: 1}
