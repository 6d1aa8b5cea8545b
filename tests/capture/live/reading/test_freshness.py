from __future__ import annotations

import pytest

from capture.live.reading.feed import RawFrame
from capture.live.reading.freshness import LOOP_FRAMES, Freshness, Repetition, digest, textured
from tests.capture.live.fakes import jpeg, noise


def always() -> bool:
    return True


def never() -> bool:
    return False


def test_other_pixels_are_a_new_frame_whatever_the_stamp_says() -> None:
    fresh = Freshness(None)
    assert fresh.is_new(1, False, 0, always)
    assert fresh.is_new(2, False, 0, always)


def test_the_same_pixels_are_a_repeat_unless_the_stamp_has_advanced() -> None:
    fresh = Freshness(None)
    fresh.is_new(1, True, 0, always)
    assert not fresh.is_new(1, False, 1, always)
    assert fresh.is_new(1, True, 2, always)


@pytest.mark.parametrize(
    ("frozen_ns", "has_texture", "at_ns", "new"),
    [
        pytest.param(100, always, 99, True, id="not long enough"),
        pytest.param(100, always, 100, False, id="frozen"),
        pytest.param(100, never, 10**9, True, id="black or white"),
        pytest.param(None, always, 10**9, True, id="a stamp that proves it"),
    ],
)
def test_a_picture_that_never_changes_is_suspicious(frozen_ns, has_texture, at_ns, new) -> None:
    fresh = Freshness(frozen_ns)
    fresh.is_new(1, True, 0, always)
    assert fresh.is_new(1, True, at_ns, has_texture) is new


def test_digests_differ_between_frames_and_agree_for_repeats() -> None:
    frames = [RawFrame(0, pixels=noise(i)) for i in (1, 2)]
    frames += [RawFrame(0, jpeg=jpeg(i)) for i in (1, 2)]
    assert len({digest(raw) for raw in frames}) == 4
    assert digest(RawFrame(9, pixels=noise(1))) == digest(frames[0])


@pytest.mark.parametrize(("level", "has"), [(0.0, False), (120.0, True), (255.0, False)])
def test_black_and_white_have_no_texture(level: float, has: bool) -> None:
    assert textured(RawFrame(0), lambda _: level) is has


FRAME_NS = 33_000_000


def sent(numbers, *, texture=True):
    """Return after how many frames a source is found to repeat itself; None: never."""
    repetition = Repetition()
    for index, number in enumerate(numbers):
        if repetition.looped(number, index * FRAME_NS, lambda: texture):
            return index
    return None


@pytest.mark.parametrize("length", [40, 300, 9000], ids=["1 s", "10 s", "5 min"])
def test_a_loop_is_found_within_two_minutes_of_its_second_round(length) -> None:
    found = sent(i % length for i in range(2 * length + 4000))
    assert found is not None
    assert found <= max(length, 30) + LOOP_FRAMES


def test_a_scene_that_looks_the_same_for_a_minute_is_no_loop_yet() -> None:
    repeated = [i % 78 for i in range(60 * 30)]
    assert sent([*repeated, *range(1000, 2000), *repeated]) is None


def test_a_frozen_picture_with_running_stamps_is_found() -> None:
    found = sent([7] * 400)
    assert found is not None
    assert found * FRAME_NS < 8e9


def test_a_sensor_is_never_taken_for_a_loop() -> None:
    assert sent(range(9000)) is None


def test_some_repeated_frames_are_chance() -> None:
    assert sent(i if i % 2 else i % 100 for i in range(9000)) is None


def test_a_covered_lens_is_no_loop() -> None:
    assert sent([7] * 400, texture=False) is None


def test_who_ends_to_repeat_is_believed_again() -> None:
    repetition = Repetition()
    told = [repetition.looped(n, i * FRAME_NS, lambda: True) for i, n in enumerate([7] * 400)]
    assert told[-1]
    again = [repetition.looped(1000 + n, (400 + n) * FRAME_NS, lambda: True) for n in range(60)]
    assert not again[-1]
