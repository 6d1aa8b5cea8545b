"""Pictures that come twice."""

from __future__ import annotations

import numpy as np

from capture.files.repeats import Repeats
from capture.frame import Frame, ImageU8

MS = 1_000_000


def picture(seed: int) -> ImageU8:
    return np.random.default_rng(seed).integers(0, 256, (64, 80, 3)).astype(np.uint8)


def firsts(pictures: list[ImageU8]) -> list[int]:
    repeats = Repeats()
    return [
        repeats.first_ns(Frame(seq, seq * 33 * MS, seq * 33 * MS, pixels)) // (33 * MS)
        for seq, pixels in enumerate(pictures)
    ]


def test_a_repeated_picture_has_the_time_of_its_first() -> None:
    one, two = picture(1), picture(2)
    assert firsts([one, one, two, two, two, one]) == [0, 0, 2, 2, 2, 5]


def test_what_a_codec_leaves_of_a_repeat_is_still_one() -> None:
    first = picture(1)
    touched = first.copy()
    touched[2:10:4, 2:10:4] ^= 1
    assert firsts([first, touched]) == [0, 0]


def test_a_faint_change_of_the_light_is_another_picture() -> None:
    first = np.full((64, 80, 3), 100, np.uint8)
    lit = first.copy()
    lit[16:48, 20:60, 0] += 1
    assert firsts([first, lit]) == [0, 1]
