"""Who a webcam is: from a made sysfs and a driver that answers, true or forged."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from capture.errors import CameraError
from capture.live.options import LiveOptions
from capture.live.pin import parse_pin
from capture.live.webcam.discovery import list_cameras
from capture.live.webcam.identity import (
    DeviceIdentity,
    Virtual,
    ensure_wanted,
    named_identity,
    read_identity,
)

USB = "devices/pci0000:00/0000:00:14.0/usb1/1-4"


def answering(driver: str, card: str = "HD Webcam", bus: str = "usb-0000:00:14.0-4"):
    """Return an ioctl that answers QUERYCAP."""

    def call(_node: Path, _request: int, _buffer: bytes) -> bytes:
        texts = (driver.encode(), card.encode(), bus.encode())
        return struct.pack("=16s32s32sIII12x", *texts, 0x60000, 0x84200001, 0x04200001)

    return call


def silent(_node: Path, _request: int, _buffer: bytes) -> bytes:
    raise OSError("no such device")


def plug(root: Path, device: str = USB, name: str = "HD Webcam", serial: str = "1A2B") -> Path:
    """Make the sysfs of one camera and return its node."""
    interface = root / "sys" / device / f"{Path(device).name}:1.0"
    video = interface / "video4linux/video0"
    video.mkdir(parents=True)
    (video / "name").write_text(f"{name}\n")
    (video / "device").symlink_to(interface)
    if "usb" in device:
        for file, text in (("idVendor", "046d"), ("idProduct", "082d"), ("serial", serial)):
            (interface.parent / file).write_text(f"{text}\n")
    (root / "sys/class/video4linux").mkdir(parents=True)
    (root / "sys/class/video4linux/video0").symlink_to(video)
    return root / "dev/video0"


def test_a_usb_camera_is_known_by_vendor_product_serial_and_port(tmp_path: Path) -> None:
    who = read_identity(plug(tmp_path), tmp_path, answering("uvcvideo"))
    assert (who.vendor, who.product, who.serial, who.port) == ("046d", "082d", "1A2B", "1-4")
    assert (who.driver, who.bus) == ("uvcvideo", "usb-0000:00:14.0-4")
    assert who.virtual is Virtual.NO
    assert who.pin == "046d:082d:1A2B@1-4"


@pytest.mark.parametrize(
    "driver", ["v4l2 loopback", "v4l2loopback", "akvcam", "vivid", "DroidCam", "v4l2loopback_dc"]
)
def test_a_driver_without_a_sensor_is_virtual_whatever_the_usb_tree_says(
    tmp_path: Path, driver: str
) -> None:
    who = read_identity(plug(tmp_path), tmp_path, answering(driver))
    assert who.virtual is Virtual.YES
    assert driver in who.why


def test_what_the_kernel_lists_as_virtual_is_virtual(tmp_path: Path) -> None:
    node = plug(tmp_path, "devices/virtual/video4linux")
    who = read_identity(node, tmp_path, answering("uvcvideo", bus="usb-forged"))
    assert who.virtual is Virtual.YES
    assert "/sys/devices/virtual" in who.why


@pytest.mark.parametrize(
    "name",
    ["OBS Virtual Camera", "Dummy video device (0x0000)", "DroidCam Source 3", "Iriun Webcam"],
)
def test_names_of_programs_are_virtual(tmp_path: Path, name: str) -> None:
    node = plug(tmp_path, "devices/platform/x", name=name)
    assert read_identity(node, tmp_path, answering("any", bus="any")).virtual is Virtual.YES
    assert named_identity(name, "MSMF").virtual is Virtual.YES


@pytest.mark.parametrize("name", ["HD Pro Webcam C920", "Integrated Camera", "Handbook Cam"])
def test_names_of_cameras_are_not(name: str) -> None:
    assert named_identity(name, "MSMF").virtual is Virtual.UNKNOWN


def test_a_node_that_tells_nothing_is_unknown(tmp_path: Path) -> None:
    who = read_identity(tmp_path / "dev/video7", tmp_path, silent)
    assert (who.virtual, who.pin) == (Virtual.UNKNOWN, "")
    assert who.details() == {"virtual": "unknown", "virtual_why": who.why}


REAL = DeviceIdentity("x", "uvcvideo", "usb-1", "046d", "082d", "1A2B", "1-4", Virtual.NO, "usb")


@pytest.mark.parametrize("pin", ["", "046d:082d", "046D:082D", "046d:082d:1A2B", REAL.pin])
def test_the_pinned_camera_is_taken(pin: str) -> None:
    ensure_wanted("cam", REAL, allow_virtual=False, pin=pin)


@pytest.mark.parametrize(
    "pin", ["046d:0825", "046d:082d:OTHER", "046d:082d@1-3", "046d:082d:1A2B@1-4.2"]
)
def test_another_camera_is_refused_and_the_message_says_how_to_agree(pin: str) -> None:
    with pytest.raises(
        CameraError, match=r"another camera: cam is 046d:082d:1A2B@1-4.*camera\.pin"
    ):
        ensure_wanted("cam", REAL, allow_virtual=False, pin=pin)


def test_a_virtual_camera_is_refused_unless_it_is_allowed() -> None:
    who = DeviceIdentity(driver="v4l2 loopback", virtual=Virtual.YES, why="its driver")
    with pytest.raises(CameraError, match=r"is virtual \(its driver\).*camera\.allow_virtual"):
        ensure_wanted("cam", who, allow_virtual=False, pin="")
    ensure_wanted("cam", who, allow_virtual=True, pin="")


@pytest.mark.parametrize("text", ["046d", "046d:", "xyz1:0825", "046d:082d@", "a b", "046d:082d:"])
def test_what_is_no_pin_is_refused_with_the_form_expected(text: str) -> None:
    with pytest.raises(ValueError, match="expected VENDOR:PRODUCT"):
        parse_pin(text)
    with pytest.raises(ValueError, match="expected VENDOR:PRODUCT"):
        LiveOptions(pin=text)


def test_the_list_of_cameras_says_whether_each_is_virtual(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    plug(tmp_path)
    (found,) = list_cameras(tmp_path, captures=lambda _node: True)
    assert (found.virtual, found.pin) == (Virtual.NO, "046d:082d:1A2B@1-4")
