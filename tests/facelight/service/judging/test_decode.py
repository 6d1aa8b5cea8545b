"""Files of a request: sizes, structure, frames, and what hostile bytes may cost."""

from __future__ import annotations

import dataclasses
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from facelight.service.errors import Refusal, Refused
from facelight.service.judging.decode import MediaFile, decode_frames, open_file
from facelight.service.options import Limits
from preprocess.webp.muxer import mux
from tests.effort import examples
from tests.facelight.service.requests import image_file, noise, still

LIMITS = dataclasses.replace(Limits(), min_file_bytes=1)


def opened(data: bytes, limits: Limits = LIMITS) -> MediaFile:
    return open_file("a", data, len(data), limits)


def refusal(data: bytes, limits: Limits = LIMITS, frames: tuple[int, ...] = (0,)) -> Refusal:
    with pytest.raises(Refused) as caught:
        list(decode_frames(opened(data, limits), frames))
    return caught.value.refusal


def grey(value: int, width: int = 32, height: int = 24) -> NDArray[np.uint8]:
    return np.full((height, width, 3), value, np.uint8)


ANIMATION = mux([still(grey(v), 100) for v in (0, 60, 120, 180, 240)], [10, 20, 30, 40, 50])


def test_frame_n_of_an_animation_is_frame_n() -> None:
    file = opened(ANIMATION)
    assert (file.size_wh, file.offsets_ms) == ((32, 24), (0, 10, 30, 60, 100))
    levels = [frame.mean() for frame in decode_frames(file, (1, 2, 4))]
    assert levels == pytest.approx([60, 120, 240], abs=2)


def test_frames_are_bgr_and_read_only() -> None:
    picture = np.zeros((24, 32, 3), np.uint8)
    picture[:, :, 2] = 200
    (frame,) = decode_frames(opened(image_file(picture, "PNG")), (0,))
    assert frame[0, 0].tolist() == [0, 0, 200]
    assert not frame.flags.writeable


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP"])
def test_every_image_format_of_the_contract_is_read(kind: str) -> None:
    (frame,) = decode_frames(opened(image_file(grey(90), kind)), (0,))
    assert frame.shape == (24, 32, 3)
    assert abs(float(frame.mean()) - 90) < 3


def test_of_a_gif_only_the_first_frame_counts() -> None:
    buffer = io.BytesIO()
    pages = [Image.fromarray(grey(v)) for v in (10, 200)]
    pages[0].save(buffer, "GIF", save_all=True, append_images=pages[1:])
    file = opened(buffer.getvalue())
    assert len(file.offsets_ms) == 1
    assert refusal(buffer.getvalue(), frames=(1,)) is Refusal.NOT_DECODABLE


def test_a_still_webp_is_a_video_of_one_frame() -> None:
    file = opened(still(grey(70)).as_file())
    assert file.video
    assert len(list(decode_frames(file, (0,)))) == 1


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_transparency_and_palettes_become_plain_colour(kind: str) -> None:
    mode = "RGBA" if kind == "PNG" else "L"
    buffer = io.BytesIO()
    Image.new(mode, (40, 30)).save(buffer, kind)
    (frame,) = decode_frames(opened(buffer.getvalue()), (0,))
    assert frame.shape == (30, 40, 3)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"max_side_px": 31}, id="side"),
        pytest.param({"max_pixels": 32 * 24 - 1}, id="canvas"),
        pytest.param({"max_decoded_pixels": 32 * 24 * 4}, id="canvas times frames"),
        pytest.param({"max_video_bytes": len(ANIMATION) - 1}, id="bytes"),
    ],
)
def test_an_animation_beyond_a_limit_is_refused_without_decoding(change: dict[str, int]) -> None:
    assert refusal(ANIMATION, dataclasses.replace(LIMITS, **change)) is Refusal.TOO_LARGE


def test_a_png_bomb_is_refused_by_its_header() -> None:
    small = bytearray(image_file(noise(8, 8), "PNG"))
    small[16:24] = (30_000).to_bytes(4, "big") * 2
    assert refusal(bytes(small)) in {Refusal.TOO_LARGE, Refusal.NOT_DECODABLE}


def test_the_largest_file_is_exactly_allowed() -> None:
    exact = dataclasses.replace(LIMITS, max_video_bytes=len(ANIMATION))
    assert len(list(decode_frames(opened(ANIMATION, exact), (0,)))) == 1


@pytest.mark.parametrize("cut", [1, 12, 20, 29, 60, len(ANIMATION) - 1])
def test_a_cut_animation_is_not_decodable(cut: int) -> None:
    assert refusal(ANIMATION[:cut]) is Refusal.NOT_DECODABLE


PICTURES = [ANIMATION, *(image_file(grey(9), kind) for kind in ("JPEG", "PNG", "GIF", "BMP"))]


@pytest.mark.slow
@settings(max_examples=examples(120))
@given(st.sampled_from(PICTURES), st.integers(0, 400), st.binary(min_size=1, max_size=6))
def test_no_damage_gets_past_the_refusals(picture: bytes, place: int, damage: bytes) -> None:
    place %= len(picture)
    spoilt = picture[:place] + damage + picture[place + len(damage) :]
    small = dataclasses.replace(LIMITS, max_side_px=256)
    try:
        file = opened(spoilt, small)
        frames = list(decode_frames(file, range(len(file.offsets_ms))))
    except Refused:
        return
    assert all(frame.dtype == np.uint8 and frame.ndim == 3 for frame in frames)
