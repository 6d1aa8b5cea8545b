"""Chunks and bitstream headers, with what libwebp writes and with what nobody should."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from preprocess.errors import ContainerError
from preprocess.webp.riff import pack, read_still, riff_body, walk


def webp(mode: str, size: tuple[int, int], **how: object) -> bytes:
    buffer = io.BytesIO()
    colour = (10, 200, 30, 90)[: len(mode)] if len(mode) > 1 else 77
    Image.new(mode, size, colour).save(buffer, "WEBP", **how)
    return buffer.getvalue()


@given(chunks=st.lists(st.tuples(st.binary(min_size=4, max_size=4), st.binary(max_size=40))))
def test_what_is_packed_is_walked(chunks):
    assert [tuple(c) for c in walk(b"".join(pack(*chunk) for chunk in chunks))] == chunks


@pytest.mark.parametrize(
    ("mode", "how", "alpha", "kinds"),
    [
        pytest.param("RGB", {"quality": 80}, False, {b"VP8 "}, id="lossy"),
        pytest.param("RGB", {"lossless": True}, False, {b"VP8L"}, id="lossless"),
        pytest.param("RGBA", {"quality": 80}, True, {b"ALPH", b"VP8 "}, id="lossy-alpha"),
        pytest.param("RGBA", {"lossless": True}, True, {b"VP8L"}, id="lossless-alpha"),
        pytest.param("L", {"quality": 80}, False, {b"VP8 "}, id="grey"),
        pytest.param("RGB", {"quality": 80, "icc_profile": b"odd"}, False, {b"VP8 "}, id="icc"),
    ],
)
@pytest.mark.parametrize("size", [(1, 1), (31, 17), (64, 48)])
def test_a_still_is_read_for_what_it_is_and_stands_alone_again(mode, how, alpha, kinds, size):
    content = webp(mode, size, **how)
    still = read_still(riff_body(content))
    assert (still.width, still.height, still.alpha) == (*size, alpha)
    assert {chunk.name for chunk in walk(still.chunks)} == kinds
    again = Image.open(io.BytesIO(still.as_file()))
    again.load()
    assert again.tobytes() == Image.open(io.BytesIO(content)).convert(again.mode).tobytes()


def vp8(head: bytes = b"\x10\0\0", start: bytes = b"\x9d\x01\x2a", sides: bytes = b"\x08\0\x08\0"):
    return pack(b"VP8 ", head + start + sides)


@pytest.mark.parametrize(
    ("chunks", "told"),
    [
        pytest.param(b"", "no picture", id="empty"),
        pytest.param(pack(b"EXIF", b"x"), "no picture", id="metadata-only"),
        pytest.param(b"VP8 \x08", "chunk header needs 8", id="half-a-header"),
        pytest.param(b"VP8 \xff\xff\xff\xffabc", "beyond the data", id="length-of-4-GB"),
        pytest.param(b"VP8 \x03\0\0\0abc", "beyond the data", id="padding-missing"),
        pytest.param(vp8(head=b"\x11\0\0"), "not a key frame", id="inter-frame"),
        pytest.param(vp8(start=b"abc"), "not a key frame", id="no-start-code"),
        pytest.param(vp8(sides=b"\0\0\x08\0"), "0x8", id="no-width"),
        pytest.param(pack(b"VP8 ", b"abc"), "not a key frame", id="short-vp8"),
        pytest.param(pack(b"VP8L", b"\x2e0000"), "signature", id="no-signature"),
        pytest.param(pack(b"VP8L", b"\x2f\0\0\0\xe0"), "version 7", id="version"),
        pytest.param(vp8() + vp8(), "after the picture", id="two-pictures"),
        pytest.param(vp8() + pack(b"ALPH", b"x"), "after the picture", id="alpha-too-late"),
        pytest.param(pack(b"ALPH", b"x") * 2 + vp8(), "two ALPH", id="two-alphas"),
        pytest.param(pack(b"ALPH", b"") + vp8(), "empty ALPH", id="empty-alpha"),
        pytest.param(
            pack(b"ALPH", b"x") + pack(b"VP8L", b"\x2f\0\0\0\0"), "own transp", id="alpha-twice"
        ),
    ],
)
def test_a_malformed_still_is_told_what_is_wrong(chunks, told):
    with pytest.raises(ContainerError, match=told):
        read_still(chunks)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        pytest.param(b"", "expected a WebP", id="empty"),
        pytest.param(b"GIF89a..........", "expected a WebP", id="gif"),
        pytest.param(b"RIFF\x04\0\0\0WAVE", "expected a WebP", id="wave"),
        pytest.param(b"RIFF\x40\0\0\0WEBPVP8 ", "says 72 bytes, the file has 16", id="truncated"),
        pytest.param(b"RIFF\x04\0\0\0WEBPmore", "says 12 bytes, the file has 16", id="lengthened"),
    ],
)
def test_a_file_must_be_whole(data, told):
    with pytest.raises(ContainerError, match=told):
        riff_body(data)
