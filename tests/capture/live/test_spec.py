from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from capture.camera import CameraInfo, Provenance
from capture.clock import VirtualClock
from capture.errors import CameraError, SourceError
from capture.files.recording import RecordingHead, RecordingWriter
from capture.frame import Frame
from capture.live import spec as spec_module
from capture.live.camera import LiveCamera
from capture.live.options import LiveOptions
from capture.live.paced import PacedCamera
from capture.live.spec import open_camera
from capture.simulator.camera.simulated_camera import SimulatedCamera
from capture.simulator.scene.simulated_screen import FlipHistory
from tests.capture.files.made_videos import make_video, picture
from tests.capture.live.fakes import FakeDevice, in_real_time
from tests.capture.live.streams import StreamServer
from tests.waiting import until

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="device nodes are Linux's")
OPTIONS = LiveOptions(
    warmup_frames=0, stall_s=0.3, first_frame_s=0.5, backoff_s=0.05, backoff_max_s=0.05
)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param("", "camera '': no such camera or file; expected an index", id="empty"),
        pytest.param("webcam", "camera webcam: no such camera or file", id="a word"),
        pytest.param("-1", "no such camera or file", id="negative"),
        pytest.param("rtsp://host/", "expected an index, /dev/videoN, an id", id="another scheme"),
        pytest.param("https://host/", "http://HOST:PORT/stream.mjpg, or sim:", id="https"),
        pytest.param("http:/host", "expected http://HOST", id="half a scheme"),
        pytest.param("sim:", "needs a screen as light source", id="no light"),
        pytest.param("/dev/video987", "camera /dev/video987: not plugged in", id="no node"),
        pytest.param("987", "camera /dev/video987: not plugged in", id="no index"),
        pytest.param("/dev/null", "cannot be opened", id="no camera"),
        pytest.param("/dev/shm", "not a device node", id="a folder of devices"),
    ],
)
@linux_only
def test_what_is_no_camera_is_a_clear_error(text: str, problem: str) -> None:
    with pytest.raises(CameraError, match=problem):
        open_camera(text, LiveOptions(open_timeout_s=120))


def test_a_folder_is_no_camera(tmp_path: Path) -> None:
    with pytest.raises(CameraError, match="a folder is no camera"):
        open_camera(str(tmp_path))


def test_a_file_that_is_no_video_is_a_source_error(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"no video")
    with pytest.raises(SourceError, match=r"a\.mp4"):
        open_camera(str(tmp_path / "a.mp4"))


def test_a_wrong_option_of_the_simulator_names_itself() -> None:
    with pytest.raises(CameraError, match="sim: foo: unknown option"):
        open_camera("sim:foo=1", light=FlipHistory())


def test_a_video_is_played_at_its_own_pace(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mkv")
    with open_camera(str(path), clock=VirtualClock()) as camera:
        assert isinstance(camera, PacedCamera)


def test_a_recording_is_played_at_its_own_pace(tmp_path: Path) -> None:
    info = CameraInfo("test", "test", (64, 48), None, Provenance.CAMERA)
    with RecordingWriter(tmp_path / "a.flrec", RecordingHead("test", info)) as writer:
        writer.write(Frame(0, 0, 0, picture(0)))
        path = writer.finish()
    with open_camera(str(path), clock=VirtualClock()) as camera:
        assert isinstance(camera, PacedCamera)


def test_a_simulated_person_is_a_camera() -> None:
    with open_camera("sim:size=64x64", clock=VirtualClock(), light=FlipHistory()) as camera:
        assert isinstance(camera, SimulatedCamera)


def test_a_stream_is_a_camera() -> None:
    with (
        StreamServer() as server,
        open_camera(server.url, LiveOptions(warmup_frames=0, first_frame_s=60)) as camera,
    ):
        assert camera.info.id == server.url


@linux_only
def test_a_webcam_is_opened_again_by_its_stable_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """/dev/video0 becomes /dev/video1 when it is plugged in again."""
    hardware, opened = in_real_time(), list[str]()
    nodes, link = tmp_path / "dev", tmp_path / "dev/v4l/by-id/usb-fake-video-index0"
    link.parent.mkdir(parents=True)
    link.symlink_to("../../video0")

    def open_device(target: str, options: LiveOptions) -> FakeDevice:
        opened.append(Path(target).name)
        return hardware.open(options)

    monkeypatch.setattr(spec_module, "open_opencv", open_device)
    monkeypatch.setattr(spec_module, "check_node", lambda node: None)
    monkeypatch.setattr(spec_module, "list_cameras", list)
    monkeypatch.setattr(spec_module, "stable_id", lambda node: link.name)
    monkeypatch.setattr(spec_module, "device_of", lambda name: link if name == link.name else None)
    (nodes / "video0").write_bytes(b"")
    with open_camera("usb-fake-video-index0", OPTIONS) as camera:
        assert isinstance(camera, LiveCamera)
        assert camera.info.id == "usb-fake-video-index0"
        hardware.plugged = False
        until(lambda: camera.lost)
        link.unlink()
        link.symlink_to("../../video1")
        hardware.plugged = True
        until(lambda: not camera.lost)
    assert (opened[0], opened[-1]) == ("video0", "video1")


@linux_only
@pytest.mark.skipif(os.name == "posix" and os.geteuid() == 0, reason="root may read everything")
def test_a_node_without_permission_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stat.S_ISCHR", lambda mode: True)
    node = tmp_path / "video0"
    node.write_bytes(b"")
    node.chmod(0)
    with pytest.raises(CameraError, match="add the user to the group"):
        spec_module.check_node(node)


def test_elsewhere_an_index_is_opened_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    hardware, opened = in_real_time(), list[int]()

    def open_device(target: int, options: LiveOptions) -> FakeDevice:
        opened.append(target)
        return hardware.open(options)

    monkeypatch.setattr(spec_module, "open_opencv", open_device)
    monkeypatch.setattr(sys, "platform", "win32")
    with open_camera("2", OPTIONS) as camera:
        assert camera.info.id == "2"
    assert opened == [2]
    with pytest.raises(CameraError, match="device paths are for Linux"):
        open_camera("/dev/video0")


def test_a_device_whose_controls_fail_is_released(monkeypatch: pytest.MonkeyPatch) -> None:
    hardware = in_real_time()

    def fail(number: int) -> float:
        raise CameraError("gone")

    def open_device(target: int, options: LiveOptions) -> FakeDevice:
        device = hardware.open(options)
        device.get = fail  # type: ignore[method-assign]
        return device

    monkeypatch.setattr(spec_module, "open_opencv", open_device)
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(CameraError, match="gone"):
        open_camera("2", OPTIONS)
    assert hardware.released == 1
