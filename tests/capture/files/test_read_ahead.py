"""Read ahead, a file gives the same frames, and its fault at the same place."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from capture.camera import Camera
from capture.errors import CameraError, SourceError
from capture.files.read_ahead import ReadAhead
from capture.files.video import VideoCamera
from capture.frame import Frame
from tests.capture.files.made_videos import make_video


class Damaged:
    """Stands before a camera whose third frame cannot be read, nor any after it."""

    def __init__(self, camera: Camera) -> None:
        self._camera = camera
        self.info = camera.info
        self.calls = 0

    def read(self, timeout_s: float = 2.0) -> Frame | None:
        self.calls += 1
        if self.calls > 2:
            raise SourceError(Path("a.mkv"), "damaged: frame 2 cannot be decoded")
        return self._camera.read(timeout_s)

    def close(self) -> None:
        self._camera.close()

    def __enter__(self) -> Damaged:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def frames_of(camera: Camera) -> list[Frame]:
    found = []
    with camera:
        while (frame := camera.read()) is not None:
            found.append(frame)
    return found


def test_the_frames_are_the_same(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mkv")
    plain, ahead = frames_of(VideoCamera(path)), frames_of(ReadAhead(VideoCamera(path)))
    assert [(f.seq, f.t_frame_ns) for f in plain] == [(f.seq, f.t_frame_ns) for f in ahead]
    for one, other in zip(plain, ahead, strict=True):
        np.testing.assert_array_equal(one.pixels, other.pixels)


def test_a_fault_comes_after_the_frames_before_it(tmp_path: Path) -> None:
    with ReadAhead(Damaged(VideoCamera(make_video(tmp_path / "a.mkv")))) as camera:
        assert [camera.read() is None for _ in range(2)] == [False, False]
        for _ in range(2):
            with pytest.raises(SourceError, match="frame 2"):
                camera.read()


def test_a_closed_one_says_so(tmp_path: Path) -> None:
    camera = ReadAhead(VideoCamera(make_video(tmp_path / "a.mkv")))
    assert camera.read() is not None
    camera.close()
    camera.close()
    with pytest.raises(CameraError, match="closed"):
        camera.read()
