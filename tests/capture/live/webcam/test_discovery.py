from __future__ import annotations

import sys
from pathlib import Path

import pytest

from capture.live.webcam.discovery import device_of, list_cameras, stable_id
from capture.live.webcam.identity import Virtual

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="sysfs is Linux's")


def machine(root: Path) -> Path:
    """Two UVC cameras, one with a serial number, each with its metadata node."""
    for number, (name, index) in enumerate(
        [("HD Pro Webcam", 0), ("HD Pro Webcam", 1), ("Integrated", 0), ("Integrated", 1)]
    ):
        node = root / f"sys/class/video4linux/video{number}"
        node.mkdir(parents=True)
        (node / "name").write_text(f"{name}\n")
        (node / "index").write_text(f"{index}\n")
        (root / "dev").mkdir(exist_ok=True)
        (root / f"dev/video{number}").write_bytes(b"")
    links = {
        "by-id/usb-HD_Pro_1234-video-index0": 0,
        "by-id/usb-HD_Pro_1234-video-index1": 1,
        "by-path/pci-0000:00:14.0-usb-0:1:1.0-video-index0": 0,
        "by-path/pci-0000:00:14.0-usb-0:2:1.0-video-index0": 2,
    }
    for link, number in links.items():
        path = root / "dev/v4l" / link
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(f"../../video{number}")
    return root


@linux_only
def test_cameras_are_listed_by_serial_number_or_else_by_port(tmp_path: Path) -> None:
    root = machine(tmp_path)
    found = list_cameras(root, captures=lambda _: None)
    assert [(camera.id, camera.name, camera.device, camera.stable) for camera in found] == [
        ("usb-HD_Pro_1234-video-index0", "HD Pro Webcam", str(root / "dev/video0"), True),
        (
            "pci-0000:00:14.0-usb-0:2:1.0-video-index0",
            "Integrated",
            str(root / "dev/video2"),
            True,
        ),
    ]


@linux_only
def test_the_driver_knows_better_than_the_index(tmp_path: Path) -> None:
    root = machine(tmp_path)
    found = list_cameras(root, captures=lambda node: node.name == "video1")
    assert [camera.device for camera in found] == [str(root / "dev/video1")]


@linux_only
def test_without_a_stable_name_the_node_is_the_id(tmp_path: Path) -> None:
    root = machine(tmp_path)
    for link in (root / "dev/v4l/by-path").iterdir():
        link.unlink()
    camera = list_cameras(root, captures=lambda _: None)[1]
    assert camera.id == camera.device == str(root / "dev/video2")
    assert not camera.stable


@linux_only
def test_ten_cameras_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for number in (10, 9, 2):
        node = tmp_path / f"sys/class/video4linux/video{number}"
        node.mkdir(parents=True)
        (node / "name").write_bytes(b"c\xffm")
    found = list_cameras(tmp_path, captures=lambda _: True)
    assert [Path(camera.device).name for camera in found] == ["video2", "video9", "video10"]


@linux_only
def test_a_machine_without_cameras_has_none(tmp_path: Path) -> None:
    assert list_cameras(tmp_path) == []


def test_a_stable_id_leads_to_its_node_and_back(tmp_path: Path) -> None:
    root = machine(tmp_path)
    camera_id = stable_id(root / "dev/video0", root)
    assert camera_id == "usb-HD_Pro_1234-video-index0"
    link = device_of(camera_id, root)
    assert link is not None
    assert link.resolve().name == "video0"
    assert stable_id(root / "dev/video3", root) is None


@pytest.mark.parametrize("text", ["", "../../video0", "a/b", "no-such-camera", "a b", "."])
def test_what_is_no_id_leads_nowhere(tmp_path: Path, text: str) -> None:
    link = device_of(text, machine(tmp_path))
    assert link is None or not link.is_file()


def test_elsewhere_the_indices_are_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    from capture.errors import CameraError
    from capture.live.webcam import discovery
    from tests.capture.live.fakes import FakeDevice, Hardware

    hardware = Hardware()

    def opened(index: int, options: object) -> FakeDevice:
        if index != 1:
            raise CameraError("no")
        return FakeDevice(hardware)

    monkeypatch.setattr(discovery, "open_opencv", opened)
    monkeypatch.setattr(sys, "platform", "win32")
    (camera,) = list_cameras()
    assert (camera.id, camera.name, camera.device) == ("1", "camera 1 (V4L2)", "1")
    assert (camera.stable, camera.virtual) == (False, Virtual.UNKNOWN)
    assert hardware.released == 1
