"""The real ``cv2.VideoCapture``, on a file: no camera is plugged into a test machine."""

from __future__ import annotations

import ast
import os
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from capture.clock import SystemClock
from capture.errors import CameraError
from capture.live.camera import LiveCamera
from capture.live.options import LiveOptions
from capture.live.reading.arrivals import CameraIdentity
from capture.live.webcam.device import DeviceFeed, fourcc_number, fourcc_text
from capture.live.webcam.opencv_device import OpenCvDevice, _own_backend, open_opencv, wishes
from capture.live.webcam.properties import Property
from tests.capture.files.made_videos import make_video

OPTIONS = LiveOptions(warmup_frames=0)
ROOT = Path(__file__).parents[4]
READERS = {"VideoCapture", "VideoWriter", "imread", "imreadmulti", "imreadanimation"}
"""OpenCV's own ways to open a file."""


@pytest.fixture
def video(tmp_path: Path) -> Path:
    return make_video(tmp_path / "a.avi", codec="mjpeg", pix_fmt="yuvj420p")


def opened(video: Path) -> OpenCvDevice:
    return open_opencv(str(video), OPTIONS, cv2.CAP_FFMPEG)


@pytest.mark.slow
def test_opencv_is_given_cameras_alone_to_read() -> None:
    """Its wheel has an FFmpeg of its own, old and with the network in it: no file, no address."""
    packages = ("capture", "preprocess", "uploader", "calibration", "facelight")
    calls = {
        (path.relative_to(ROOT).as_posix(), node.attr)
        for package in packages
        for path in (ROOT / package).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in READERS
    }
    assert calls == {("capture/live/webcam/opencv_device.py", "VideoCapture")}


@pytest.mark.parametrize("system", ["linux", "win32", "darwin", "freebsd14"])
def test_a_camera_is_opened_by_a_backend_for_cameras(
    system: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", system)
    assert _own_backend(cv2) in {cv2.CAP_V4L2, cv2.CAP_MSMF, cv2.CAP_AVFOUNDATION}


@pytest.mark.skipif(sys.platform != "linux", reason="V4L2's own refusal")
def test_a_video_file_is_no_camera(video: Path) -> None:
    with pytest.raises(CameraError, match="cannot be opened"):
        open_opencv(str(video), OPTIONS)


def test_the_numbers_are_opencvs() -> None:
    for item in Property:
        assert item == getattr(cv2, f"CAP_PROP_{item.name}")


def test_a_backend_that_takes_no_parameters_is_opened_all_the_same(video: Path) -> None:
    device = opened(video)
    assert device.backend == "FFMPEG"
    assert device.grab()
    pixels = device.retrieve()
    assert pixels is not None
    assert pixels.shape == (48, 64, 3)
    device.release()


def test_frames_are_memory_of_their_own(video: Path) -> None:
    device = opened(video)
    frames = []
    for _ in range(2):
        device.grab()
        frames.append(device.retrieve())
    first, second = frames
    assert first is not None
    assert second is not None
    assert not np.shares_memory(first, second)
    device.release()


def test_the_end_of_a_device_is_a_missing_frame(video: Path) -> None:
    device = opened(video)
    assert sum(device.grab() for _ in range(12)) == 10
    assert device.retrieve() is None
    device.release()


def test_a_camera_runs_on_it(video: Path) -> None:
    def feed() -> DeviceFeed:
        return DeviceFeed(opened(video), None, SystemClock())

    with LiveCamera(feed, CameraIdentity("file", "file"), OPTIONS) as camera:
        frame = camera.read(10)
        assert frame is not None
        assert camera.info.size_wh == frame.size_wh == (64, 48)
        assert camera.info.details["backend"] == "FFMPEG"
        assert camera.stats.stamp_source == "arrival", "POS_MSEC of a file is no time of ours"


@pytest.mark.parametrize("target", ["/no/such/file.avi", "/dev/null"])
def test_what_cannot_be_opened_is_a_camera_error(target: str) -> None:
    with pytest.raises(CameraError, match="cannot be opened"):
        open_opencv(target, OPTIONS, cv2.CAP_FFMPEG)


def test_no_such_index_is_a_camera_error(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(CameraError, match="cannot be opened"):
        open_opencv(99, OPTIONS, cv2.CAP_V4L2)


def test_the_drivers_patience_is_shortened_before_opencv_reads_it(video: Path) -> None:
    opened(video).release()
    assert os.environ["OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT"] == "2"
    assert os.environ["OPENCV_VIDEOIO_MSMF_ENABLE_HW_TRANSFORMS"] == "0"


def test_the_format_comes_first_for_v4l2_and_last_elsewhere() -> None:
    def order(*, v4l2: bool, **chosen: Any) -> list[str]:
        return [Property(n).name for n, _ in wishes(LiveOptions(**chosen), v4l2=v4l2)]

    assert order(v4l2=True) == ["FOURCC", "FRAME_WIDTH", "FRAME_HEIGHT", "FPS"]
    assert order(v4l2=False, buffers=2) == [
        "FRAME_WIDTH",
        "FRAME_HEIGHT",
        "FPS",
        "FOURCC",
        "BUFFERSIZE",
    ]


class Capture:
    """A ``VideoCapture`` whose every call raises."""

    def getBackendName(self) -> str:
        return "V4L2"

    def __getattr__(self, name: str) -> object:
        def fail(*_: object) -> None:
            raise cv2.error(f"{name} failed")

        return fail


def test_opencvs_errors_do_not_leave_the_port() -> None:
    device = OpenCvDevice(Capture(), cv2)
    assert device.get(3) == -1.0
    assert not device.set(3, 1)
    with pytest.raises(CameraError, match="grab failed"):
        device.grab()
    with pytest.raises(CameraError, match="retrieve failed"):
        device.retrieve()


@pytest.mark.parametrize("text", ["MJPG", "YUYV", "NV12"])
def test_formats_are_written_as_four_characters(text: str) -> None:
    assert fourcc_number(text) == cv2.VideoWriter.fourcc(*text)
    assert fourcc_text(float(fourcc_number(text))) == text


@pytest.mark.parametrize(
    ("code", "text"),
    [(-1.0, ""), (0.0, ""), (float("nan"), ""), (1.0, "0x00000001"), (2.0**40, "")],
)
def test_a_backend_without_a_format_has_none(code: float, text: str) -> None:
    assert fourcc_text(code) == text
