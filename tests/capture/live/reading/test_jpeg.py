from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capture.camera import CameraInfo, Provenance
from capture.files.recording import RecordingCamera, RecordingHead, RecordingWriter
from capture.frame import Frame
from capture.live.reading.feed import DamagedFrameError
from capture.live.reading.jpeg import LENIENT_AFTER, JpegDecoder, jpeg_size, whole_jpeg
from tests.capture.live.fakes import jpeg, noise


def without_tables(data: bytes) -> bytes:
    """Cameras leave out the Huffman tables that everybody knows (they deliver AVI1 frames)."""
    while (at := data.find(b"\xff\xc4")) >= 0:
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        data = data[:at] + data[at + 2 + length :]
    return data


def torn(data: bytes, seed: int = 0) -> bytes:
    return data[: len(data) // 2] + bytes([seed % 255]) + b"\xff\xd9"


@pytest.mark.parametrize("size_wh", [(64, 48), (1, 1), (17, 33), (1281, 721)])
def test_the_size_is_in_the_header(size_wh: tuple[int, int]) -> None:
    assert jpeg_size(jpeg(1, size_wh)) == size_wh


def test_a_replay_of_a_recording_shows_the_very_pixels_of_the_live_session(
    tmp_path: Path,
) -> None:
    data = [jpeg(i, (160, 121)) for i in range(5)]
    decoder = JpegDecoder()
    live = [decoder.decode(item) for item in data]
    info = CameraInfo("x", "x", (160, 121), None, Provenance.CAMERA)
    with RecordingWriter(tmp_path / "a.flrec", RecordingHead("x", info)) as writer:
        for i, (pixels, item) in enumerate(zip(live, data, strict=True)):
            writer.write(Frame(i, i * 33_000_000, 0, pixels), item)
        path = writer.finish()
    with RecordingCamera(path) as replay:
        for pixels in live:
            frame = replay.read()
            assert frame is not None
            assert np.array_equal(frame.pixels, pixels)


def test_pixels_are_close_to_what_was_encoded() -> None:
    smooth = cv2.GaussianBlur(noise(3, (64, 48)), (0, 0), 6)
    data = bytes(cv2.imencode(".jpg", smooth)[1].tobytes())
    pixels = JpegDecoder().decode(data)
    assert np.abs(pixels.astype(int) - smooth).max() < 8
    assert not pixels.flags.writeable


def test_frames_without_huffman_tables_are_decoded() -> None:
    data = jpeg(1)
    decoder = JpegDecoder()
    assert np.array_equal(decoder.decode(without_tables(data)), decoder.decode(data))


def test_grey_frames_become_colour() -> None:
    grey = bytes(cv2.imencode(".jpg", noise(1)[..., 0])[1].tobytes())
    assert JpegDecoder().decode(grey).shape == (48, 64, 3)


def test_the_level_is_the_mean_of_the_luma() -> None:
    assert JpegDecoder().level(jpeg(1, level=200)) == pytest.approx(200, abs=3)


@pytest.mark.parametrize("pad", [b"", b"\x00", b"\x00" * 5000, b"\xff\xff"])
def test_padding_behind_the_image_is_cut_off(pad: bytes) -> None:
    assert whole_jpeg(jpeg(1) + pad) == jpeg(1)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        pytest.param(b"", "got 0 bytes of something else", id="empty"),
        pytest.param(b"\x89PNG\r\n\x1a\n", "something else", id="PNG"),
        pytest.param(jpeg(1)[:-2], "without its end", id="cut off"),
        pytest.param(b"\xff\xd8\xff\xd9", "without a frame header", id="start and end"),
        pytest.param(b"\xff\xd8\xff\xfe\xff\xff\xff\xd9", "frame header", id="endless comment"),
        pytest.param(
            b"\xff\xd8\xff\xc0\x00\x11\x08\xff\xff\xff\xff\x03\xff\xd9", "65535x65535", id="huge"
        ),
        pytest.param(
            b"\xff\xd8\xff\xc0\x00\x11\x08\x00\x00\x00\x10\x03\xff\xd9", "16x0", id="no height"
        ),
    ],
)
def test_what_is_no_whole_image_is_refused_before_it_is_decoded(data: bytes, problem: str) -> None:
    with pytest.raises(DamagedFrameError, match=problem):
        whole_jpeg(data)


def test_damage_that_could_be_concealed_is_an_error() -> None:
    decoder = JpegDecoder()
    decoder.decode(jpeg(1))
    for seed in range(LENIENT_AFTER + 5):
        with pytest.raises(DamagedFrameError):
            decoder.decode(torn(jpeg(1), seed))
    decoder.decode(jpeg(1))


def test_a_camera_that_always_breaks_a_rule_is_decoded_leniently() -> None:
    decoder = JpegDecoder()
    for _ in range(LENIENT_AFTER):
        with pytest.raises(DamagedFrameError):
            decoder.decode(torn(jpeg(1)))
    assert decoder.decode(torn(jpeg(1))).shape == (48, 64, 3)


@given(st.binary(max_size=300), st.integers(0, 2000))
def test_no_bytes_do_worse_than_a_damaged_frame(junk: bytes, at: int) -> None:
    data = jpeg(1)
    at = min(at, len(data))
    decoder = JpegDecoder()
    for candidate in (b"\xff\xd8\xff" + junk, data[:at] + junk + data[at:]):
        try:
            decoder.decode(whole_jpeg(candidate))
        except DamagedFrameError:
            continue
