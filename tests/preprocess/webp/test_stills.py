"""Stills keep colour order, size and enough of the picture."""

from __future__ import annotations

import numpy as np
import pytest

from preprocess.errors import EncodeError
from preprocess.webp.stills import RAISED_QUALITY, Ladder, decode_still, encode_still
from tests.preprocess.clip.crops import flat, noisy, psnr_db


def test_blue_stays_blue():
    blue = np.zeros((16, 16, 3), np.uint8)
    blue[:, :, 0] = 255
    seen = decode_still(encode_still(blue, 90, 2))
    assert seen[8, 8, 0] > 240
    assert seen[8, 8, 2] < 15


def test_a_view_into_a_larger_frame_is_encoded_as_what_it_shows():
    frame = noisy(3, 200, 150)
    frame.flags.writeable = False
    view = frame[20:100, 30:127]
    assert encode_still(view, 80, 2) == encode_still(view.copy(), 80, 2)


def test_transparency_is_kept():
    bgra = np.dstack([noisy(1), np.full((80, 96), 77, np.uint8)])
    assert encode_still(bgra, 80, 2).alpha


def test_the_default_quality_keeps_33_db_under_camera_noise():
    picture = noisy(5, 320, 240, sd=1.5)
    assert psnr_db(picture, decode_still(encode_still(picture, 90, 2))) > 38


def test_a_side_that_webp_cannot_hold_is_refused():
    with pytest.raises(EncodeError, match="16384x1"):
        encode_still(flat(1, 16384, 1), 80, 0)


def test_a_frame_within_its_share_is_encoded_once():
    ladder = Ladder(90, 40, 2)
    ladder.build(noisy(1), 100_000)
    assert list(ladder.rungs) == [90]


def test_a_frame_above_its_share_gets_a_still_that_fits_closely():
    ladder = Ladder(90, 5, 2)
    ladder.build(noisy(1, 320, 240), 9000)
    fitting = [size for size in ladder.sizes.values() if size <= 9000]
    assert max(fitting) > 0.9 * 9000
    assert len(ladder.rungs) <= 5


def test_recoding_starts_from_the_best_still():
    picture, ladder = noisy(1, 320, 240), Ladder(90, 5, 2)
    ladder.build(picture, 8000)
    ladder.recode(12_000)
    quality = max(q for q, size in ladder.sizes.items() if size <= 12_000)
    direct = psnr_db(picture, decode_still(encode_still(picture, quality, 2)))
    assert psnr_db(picture, decode_still(ladder.rungs[quality])) > direct - 1.0


def test_quality_can_be_raised_for_a_plain_picture():
    ladder = Ladder(90, 40, 2)
    ladder.build(flat(0, 128, 128), 1000)
    ladder.raise_quality()
    assert ladder.sizes[RAISED_QUALITY] > ladder.sizes[90]
