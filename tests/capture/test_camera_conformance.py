"""What every `Camera` promises, whatever is behind it; `tests.capture.cameras` lists them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from capture.camera import Camera, Provenance
from capture.errors import CameraError
from capture.frame import Frame
from tests.capture.cameras import CASES, CameraCase
from tests.waiting import until

ENOUGH = 8
"""Frames to take from a camera that never ends."""


@pytest.fixture(params=CASES, ids=lambda case: case.id)
def case(request: pytest.FixtureRequest) -> CameraCase:
    assert isinstance(request.param, CameraCase)
    return request.param


@pytest.fixture
def camera(case: CameraCase, tmp_path: Path) -> Iterator[Camera]:
    camera = case.make(tmp_path)
    yield camera
    camera.close()


def some_frames(camera: Camera) -> list[Frame]:
    frames: list[Frame] = []
    while len(frames) < ENOUGH and (frame := camera.read(timeout_s=60.0)) is not None:
        frames.append(frame)
    return frames


def test_it_delivers_frames(camera: Camera) -> None:
    assert len(some_frames(camera)) >= 2


def test_sequence_and_time_strictly_increase(camera: Camera) -> None:
    frames = some_frames(camera)
    for before, after in pairwise(frames):
        assert after.seq > before.seq >= 0
        assert after.t_frame_ns > before.t_frame_ns
    assert all(isinstance(f.t_frame_ns, int) and isinstance(f.seq, int) for f in frames)


def test_no_frame_is_received_before_it_is_made(camera: Camera) -> None:
    assert all(f.t_received_ns >= f.t_frame_ns for f in some_frames(camera))


def test_pixels_are_contiguous_read_only_bgr_of_the_announced_size(camera: Camera) -> None:
    width, height = camera.info.size_wh
    for frame in some_frames(camera):
        assert frame.pixels.shape == (height, width, 3)
        assert frame.pixels.dtype == np.uint8
        assert frame.pixels.flags.c_contiguous
        with pytest.raises(ValueError, match="read-only"):
            frame.pixels[0, 0, 0] = 1


def test_a_frame_keeps_its_pixels_while_others_are_read(camera: Camera) -> None:
    first = camera.read(timeout_s=60.0)
    assert first is not None
    before = first.pixels.copy()
    others = some_frames(camera)
    assert np.array_equal(first.pixels, before)
    assert not any(np.shares_memory(first.pixels, other.pixels) for other in others)


def test_a_frame_outlives_its_camera(camera: Camera) -> None:
    frame = camera.read(timeout_s=60.0)
    assert frame is not None
    before = frame.pixels.copy()
    camera.close()
    assert np.array_equal(frame.pixels, before)


def test_the_end_stays_the_end(case: CameraCase, camera: Camera) -> None:
    if case.endless:
        pytest.skip("never ends")
    while camera.read(timeout_s=60.0) is not None:
        pass
    assert camera.read(timeout_s=60.0) is None


def test_closing_twice_is_no_fault(camera: Camera) -> None:
    camera.close()
    camera.close()


def test_reading_after_closing_is_an_error(camera: Camera) -> None:
    camera.read(timeout_s=60.0)
    camera.close()
    with pytest.raises(CameraError):
        camera.read(timeout_s=60.0)


def test_what_it_says_of_itself_holds_after_closing(camera: Camera) -> None:
    info = camera.info
    camera.close()
    assert camera.info == info
    assert isinstance(info.provenance, Provenance)
    assert info.fps is None or info.fps > 0


def test_a_with_block_closes_it_and_passes_errors_on(camera: Camera) -> None:
    with pytest.raises(KeyError), camera as entered:
        assert entered is camera
        raise KeyError
    with pytest.raises(CameraError):
        camera.read(timeout_s=60.0)


def test_no_thread_survives_closing(case: CameraCase, tmp_path: Path) -> None:
    before = set(threading.enumerate())
    with case.make(tmp_path) as camera:
        some_frames(camera)
    until(lambda: set(threading.enumerate()) <= before)
