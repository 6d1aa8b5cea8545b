"""Decoded pictures are let go as soon as nobody looks at them."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import pytest

from capture.files.video import VideoCamera
from capture.live.reading.jpeg import JpegDecoder
from tests.capture.files.made_videos import make_video
from tests.capture.live.fakes import jpeg


@contextmanager
def without_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def decode_a_file(folder: Path) -> None:
    with VideoCamera(make_video(folder / "a.mkv", range(0, 1200, 40))) as camera:
        while camera.read() is not None:
            pass


def decode_a_stream(_folder: Path) -> None:
    decoder = JpegDecoder()
    for number in range(30):
        decoder.decode(jpeg(number))


@pytest.mark.slow
@pytest.mark.parametrize("decode", [decode_a_file, decode_a_stream])
def test_no_picture_waits_for_the_collector(tmp_path: Path, decode: Callable[[Path], None]) -> None:
    """Regression: a live kiosk held 70 decoded frames, 300 MB at 1080p."""
    with without_collector():
        decode(tmp_path)
        waiting = [o for o in gc.get_objects() if isinstance(o, av.VideoFrame)]
        assert len(waiting) <= 1
