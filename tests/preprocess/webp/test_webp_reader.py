"""Whatever the bytes, the reader answers with a structure or with one typed error."""

from __future__ import annotations

import io
import random
import struct

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from preprocess.errors import ContainerError
from preprocess.webp import webp_reader
from preprocess.webp.muxer import mux
from preprocess.webp.riff import pack
from preprocess.webp.stills import encode_still
from preprocess.webp.webp_reader import read_animation
from tests.effort import examples
from tests.preprocess.clip.crops import flat, noisy

GOOD = mux([encode_still(noisy(seed, 32, 24), 60, 0) for seed in range(3)], [33, 34, 33])
STILL = encode_still(flat(9, 8, 8), 60, 0)
VP8X = pack(b"VP8X", bytes([2, 0, 0, 0, 7, 0, 0, 7, 0, 0]))
ANIM = pack(b"ANIM", bytes(6))


def anmf(left: int = 0, top: int = 0, side: int = 8, chunks: bytes = STILL.chunks) -> bytes:
    head = b"".join(v.to_bytes(3, "little") for v in (left, top, side - 1, side - 1, 40))
    return pack(b"ANMF", head + b"\x02" + chunks)


def riff(*chunks: bytes) -> bytes:
    return pack(b"RIFF", b"WEBP" + b"".join(chunks))


def test_what_pillow_animates_is_read_too():
    buffer = io.BytesIO()
    frames = [Image.fromarray(noisy(seed, 40, 30)) for seed in range(5)]
    frames[0].save(buffer, "WEBP", save_all=True, append_images=frames[1:], duration=50, loop=3)
    animation = read_animation(buffer.getvalue())
    assert animation.canvas_wh == (40, 30)
    assert animation.loops == 3
    assert sum(animation.durations_ms) == 250


def test_unknown_chunks_and_metadata_are_passed_over():
    extra = pack(b"EXIF", b"odd") + pack(b"junk", b"")
    data = riff(VP8X, extra, ANIM, extra, anmf(chunks=extra + STILL.chunks + extra), extra)
    assert len(read_animation(data).frames) == 1


@pytest.mark.parametrize(
    ("data", "told"),
    [
        pytest.param(b"", "expected a WebP", id="empty"),
        pytest.param(GOOD[:-2], "the file has", id="truncated"),
        pytest.param(GOOD + b"\0\0", "the file has", id="lengthened"),
        pytest.param(STILL.as_file(), "not an animated WebP", id="still-picture"),
        pytest.param(riff(), "not an animated WebP", id="nothing-inside"),
        pytest.param(riff(pack(b"VP8X", b"\2")), "not an animated WebP", id="short-vp8x"),
        pytest.param(riff(VP8X, VP8X), "two VP8X", id="two-vp8x"),
        pytest.param(riff(VP8X, anmf()), "before the ANIM", id="frame-before-anim"),
        pytest.param(riff(VP8X, ANIM, ANIM), "two ANIM", id="two-anim"),
        pytest.param(riff(VP8X, pack(b"ANIM", b"")), "expected 6 bytes, got 0", id="short-anim"),
        pytest.param(riff(VP8X, ANIM), "no frame", id="no-frame"),
        pytest.param(riff(VP8X, ANIM, STILL.chunks), "outside a frame", id="loose-picture"),
        pytest.param(riff(VP8X, ANIM, pack(b"ANMF", b"abc")), "16 bytes, got 3", id="short-frame"),
        pytest.param(riff(VP8X, ANIM, anmf(chunks=b"")), "frame 0: no picture", id="empty-frame"),
        pytest.param(riff(VP8X, ANIM, anmf(), anmf(left=1)), "frame 1: .*leaves", id="off-canvas"),
        pytest.param(riff(VP8X, ANIM, anmf(side=7)), "says 7x7, the picture is 8x8", id="size-lie"),
        pytest.param(
            riff(pack(b"VP8X", bytes([2, 0, 0, 0]) + b"\xff" * 6)), "at most 16383", id="huge"
        ),
    ],
)
def test_anything_else_is_refused_with_what_is_wrong(data, told):
    with pytest.raises(ContainerError, match=told):
        read_animation(data)


def test_a_file_with_too_many_frames_is_refused(monkeypatch):
    monkeypatch.setattr(webp_reader, "MAX_FRAMES", 2)
    with pytest.raises(ContainerError, match="more than 2 frames"):
        read_animation(GOOD)


def answered(data: bytes) -> None:
    try:
        animation = read_animation(data)
    except ContainerError:
        return
    assert animation.frames


@given(st.binary(max_size=200))
@example(b"RIFF\x04\0\0\0WEBP")
def test_no_bytes_raise_anything_else(data):
    answered(data)
    answered(b"RIFF" + struct.pack("<I", 4 + len(data)) + b"WEBP" + data)
    answered(riff(VP8X, ANIM, data))
    answered(riff(VP8X, ANIM, pack(b"ANMF", data)))


@settings(max_examples=examples(100))
@given(st.integers(0, 2**32), st.integers(1, 12))
def test_no_damage_to_a_good_file_raises_anything_else(seed, hits):
    generator, data = random.Random(seed), bytearray(GOOD)
    for _ in range(hits):
        data[generator.randrange(len(data))] = generator.randrange(256)
    answered(bytes(data))
    cut = generator.randrange(len(data))
    answered(bytes(data[:cut] + data[cut + 1 :]))
