"""Image files stay within 1 KB and 6 MB wherever the container can."""

from __future__ import annotations

import numpy as np
import pytest

from preprocess.clip.clip_options import ClipOptions
from preprocess.clip.images_out import ImageFile, check_image, encode_image
from preprocess.errors import ClipRejected, EncodeError
from preprocess.reasons import Reason
from tests.preprocess.clip.crops import decoded, flat, noisy, psnr_db

JPEG, PNG = ClipOptions(container="jpeg"), ClipOptions(container="png")
SNOW = np.random.default_rng(1).integers(0, 256, (300, 400, 3), np.uint8)


def test_png_is_lossless_and_keeps_colour_order():
    picture = noisy(1)
    (seen,) = decoded(encode_image(picture, PNG).content)
    assert np.array_equal(seen, picture)


def test_jpeg_has_the_wanted_quality_and_colour_order():
    picture = noisy(1, sd=1.5)
    image = encode_image(picture, JPEG)
    assert image.quality == 90
    assert psnr_db(decoded(image.content)[0], picture) > 33


def test_jpeg_falls_in_quality_to_meet_its_limit():
    options = ClipOptions(container="jpeg", target_bytes=60_000)
    image = encode_image(SNOW, options)
    assert 40 <= (image.quality or 0) < 90
    assert 0.9 * 60_000 <= len(image.content) <= 60_000


def test_png_takes_more_effort_to_meet_its_limit():
    picture = noisy(1, 320, 240, sd=1.0)
    usual = len(encode_image(picture, PNG).content)
    least = len(encode_image(picture, ClipOptions(container="png", png_level=9)).content)
    assert least < usual
    limited = ClipOptions(container="png", target_bytes=(usual + least) // 2)
    assert len(encode_image(picture, limited).content) == least


@pytest.mark.parametrize("options", [JPEG, PNG], ids=["jpeg", "png"])
def test_a_plain_small_picture_still_has_1_kb(options):
    image = encode_image(flat(0, 128, 128), options)
    assert len(image.content) >= 1024
    assert np.array_equal(decoded(image.content)[0], flat(0, 128, 128))


@pytest.mark.parametrize(
    ("size", "kind", "reason", "told"),
    [
        pytest.param(1023, "jpeg", Reason.TOO_SMALL_FILE, "at least 1024", id="below"),
        pytest.param(6_000_001, "jpeg", Reason.TOO_LARGE_FILE, "lower quality_min", id="jpeg"),
        pytest.param(6_000_001, "png", Reason.TOO_LARGE_FILE, "use jpeg or webp", id="png"),
    ],
)
def test_a_file_outside_the_limits_is_rejected_with_the_cure(size, kind, reason, told):
    with pytest.raises(ClipRejected, match=f"frame 7: {size} bytes.*{told}") as caught:
        check_image(7, ImageFile(bytes(size), None), ClipOptions(container=kind))
    assert caught.value.reasons == (reason,)


@pytest.mark.parametrize("size", [1024, 6_000_000])
def test_both_limits_are_inclusive(size):
    check_image(7, ImageFile(bytes(size), None), JPEG)


def test_a_picture_that_the_encoder_refuses_is_named():
    with pytest.raises(EncodeError, match="jpeg of 65536x1"):
        encode_image(flat(0, 65_536, 1), JPEG)
