"""Frame n of the file is still n: seen by two decoders, for every kind of still."""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageSequence

from preprocess.errors import EncodeError
from preprocess.webp.muxer import MAX_DURATION_MS, durations_ms, mux, muxed_bytes
from preprocess.webp.riff import Still, pack, read_still, riff_body
from preprocess.webp.stills import decode_still, encode_still
from preprocess.webp.webp_reader import read_animation
from tests.effort import examples
from tests.preprocess.clip.crops import decoded, flat, noisy


def seen_by_opencv(content: bytes, folder: Path) -> list[NDArray[np.uint8]]:
    path = folder / "clip.webp"
    path.write_bytes(content)
    done, animation = cv2.imreadanimation(str(path))
    assert done
    return [np.asarray(frame, np.uint8)[:, :, :3] for frame in animation.frames]


def hollow(width: int, height: int) -> Still:
    """A still that is right as far as containers look."""
    sides = width.to_bytes(2, "little") + height.to_bytes(2, "little")
    return read_still(pack(b"VP8 ", b"\x10\0\0\x9d\x01\x2a" + sides))


IDENTICAL = [flat(0)] * 40
NEARLY = [flat(100 + (index % 3) - 1) for index in range(10)]


@pytest.mark.parametrize(
    "pictures",
    [
        pytest.param(IDENTICAL, id="40-identical-black"),
        pytest.param(NEARLY, id="one-level-apart"),
        pytest.param([noisy(1)], id="one-frame"),
        pytest.param([noisy(1), noisy(1)], id="the-same-frame-twice"),
        pytest.param([noisy(seed, 95, 81) for seed in range(3)], id="odd-sides"),
        pytest.param([noisy(seed, 1, 1) for seed in range(3)], id="one-pixel"),
    ],
)
def test_every_still_is_a_frame_for_both_decoders(pictures, tmp_path):
    stills = [encode_still(picture, 80, 0) for picture in pictures]
    content = mux(stills, [40] * len(stills))
    alone = [decode_still(still) for still in stills]
    assert np.array_equal(decoded(content), alone)
    opencv = seen_by_opencv(content, tmp_path)
    assert len(opencv) == len(stills)
    # OpenCV turns YUV into BGR by another path of libwebp: equal but for rounding.
    difference = np.array(opencv, np.int16) - np.array(alone, np.int16)
    assert np.abs(difference).max() <= 3


def test_pillow_reports_the_durations_that_were_given():
    stills = [encode_still(noisy(seed), 80, 0) for seed in range(4)]
    seen = []
    for picture in ImageSequence.Iterator(Image.open(io.BytesIO(mux(stills, [1, 33, 1000, 34])))):
        picture.load()
        seen.append(picture.info["duration"])
    assert seen == [1, 33, 1000, 34]


@pytest.mark.parametrize("lossless", [True, False])
def test_transparency_is_kept_and_announced(lossless):
    stills, pictures = [], []
    for alpha in (0, 90, 255):
        buffer = io.BytesIO()
        Image.new("RGBA", (33, 20), (10, 200, 30, alpha)).save(buffer, "WEBP", lossless=lossless)
        stills.append(read_still(riff_body(buffer.getvalue())))
        pictures.append(alpha)
    content = mux(stills, [40] * 3)
    assert read_animation(content).alpha
    picture = Image.open(io.BytesIO(content))
    for index, alpha in enumerate(pictures):
        picture.seek(index)
        assert picture.mode == "RGBA"
        assert picture.getchannel("A").getpixel((5, 5)) == alpha


@given(
    sizes=st.tuples(st.integers(1, 16383), st.integers(1, 16383)),
    durations=st.lists(st.integers(1, MAX_DURATION_MS), min_size=1, max_size=20),
)
def test_the_reader_finds_what_the_muxer_wrote(sizes, durations):
    stills = [hollow(*sizes)] * len(durations)
    content = mux(stills, durations)
    animation = read_animation(content)
    assert animation.canvas_wh == sizes
    assert animation.durations_ms == tuple(durations)
    assert [frame.still for frame in animation.frames] == stills
    assert len(content) == muxed_bytes([len(still.chunks) for still in stills])


@settings(max_examples=examples(12))
@given(st.integers(1, 70), st.integers(1, 70), st.integers(1, 4), st.integers(0, 100))
def test_pixels_survive_the_way_through_the_container(width, height, count, quality):
    stills = [encode_still(noisy(seed, width, height), quality, 0) for seed in range(count)]
    frames = decoded(mux(stills, [33] * count))
    assert len(frames) == count
    assert all(np.array_equal(a, decode_still(b)) for a, b in zip(frames, stills, strict=True))


def test_the_longest_side_is_written_and_read_by_pillow():
    still = encode_still(flat(90, 16383, 1), 50, 0)
    assert decoded(mux([still, still], [1, 1]))[1].shape == (1, 16383, 3)


@pytest.mark.parametrize(
    ("stills", "durations", "told"),
    [
        pytest.param([], [], "at least one frame", id="no-frame"),
        pytest.param([hollow(8, 8)], [1, 2], "1 stills with 2 durations", id="durations"),
        pytest.param([hollow(8, 8), hollow(8, 9)], [1, 1], "one size", id="two-sizes"),
        pytest.param([Still(16384, 8, False, b"")], [1], "1 to 16383", id="too-wide"),
        pytest.param([hollow(8, 8)], [0], "duration of 1 to 16777215 ms: 0", id="zero-ms"),
        pytest.param([hollow(8, 8)], [1 << 24], "16777216", id="more-than-24-bits"),
    ],
)
def test_what_the_format_cannot_hold_is_refused(stills, durations, told):
    with pytest.raises(EncodeError, match=told):
        mux(stills, durations)


@pytest.mark.parametrize(
    ("t_ms", "expected"),
    [
        pytest.param([500], (33,), id="one-frame"),
        pytest.param([0, 40], (40, 40), id="two"),
        pytest.param([0, 33, 66, 100, 400], (33, 33, 34, 300, 33), id="last-is-the-median"),
        pytest.param([0, 1 << 30], (MAX_DURATION_MS, MAX_DURATION_MS), id="twelve-days"),
    ],
)
def test_durations_are_the_real_gaps(t_ms, expected):
    assert durations_ms(t_ms) == expected
