"""Sharing bytes out, with encoders of our own that may be as unruly as they like."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from preprocess.webp import budget

LOWEST, WANTED = 40, 90
scales = st.integers(40, 60_000)
wobbles = st.integers(0, 2**30)


def encoder(scale: int, wobble: int) -> Callable[[int], int]:
    """Bytes that rise with quality on the whole, but not always."""

    def size_at(quality: int) -> int:
        unruly = ((quality * 7919 + wobble) % 13 - 6) / 100
        return max(1, int(scale * (0.1 + (quality / 90) ** 3) * (1 + unruly)))

    return size_at


@given(scale=scales, wobble=wobbles, share=st.integers(0, 70_000))
def test_closing_in_ends_with_the_best_known_under_the_share(scale, wobble, share):
    size_at, tries = encoder(scale, wobble), []

    def counted(quality: int) -> int:
        tries.append(quality)
        return size_at(quality)

    sizes = budget.close_in(counted, {WANTED: size_at(WANTED)}, share, lowest=LOWEST)
    assert budget.settled(sizes, share, LOWEST, budget.CLOSE)
    assert len(tries) == len(set(tries)) <= 8
    assert all(LOWEST <= quality < WANTED for quality in tries)
    if size_at(WANTED) <= share:
        assert not tries
    elif size_at(LOWEST) > share and not any(size <= share for size in sizes.values()):
        assert LOWEST in sizes


def test_two_tries_are_enough_where_sizes_go_as_usual():
    usual = {q: int(36_000 * s) for q, s in budget._RELATIVE_SIZE}

    def size_at(quality: int) -> int:
        below = max(q for q in usual if q <= quality)
        above = min(q for q in usual if q >= quality)
        part = (quality - below) / max(1, above - below)
        return int(usual[below] * (usual[above] / usual[below]) ** part)

    for share in range(13_000, 36_000, 500):
        made = budget.close_in(size_at, {90: 36_000}, share, lowest=40)
        assert len(made) <= 3
        assert max(size for size in made.values() if size <= share) > 0.85 * share


@pytest.mark.parametrize(
    ("frames", "room", "expected"),
    [
        pytest.param([{90: 10}, {90: 20}], 30, [90, 90], id="all-fit"),
        pytest.param([{90: 10}, {90: 20}], 29, None, id="nothing-lower-is-known"),
        pytest.param([{90: 10, 40: 4}, {90: 20, 40: 6}], 15, [40, 40], id="one-too-dear"),
        pytest.param([{90: 10, 40: 4}, {90: 20, 40: 6}], 16, [90, 40], id="the-first-goes-up"),
        pytest.param([{90: 10, 40: 4}, {90: 12, 70: 6}], 15, [40, 70], id="not-enough"),
        pytest.param([{90: 4, 40: 10}], 10, [90], id="higher-and-smaller"),
        pytest.param([], 10, [], id="no-frame"),
    ],
)
def test_allot(frames, room, expected):
    assert budget.allot(frames, room) == expected


@given(
    frames=st.lists(st.tuples(scales, wobbles), min_size=1, max_size=40),
    per_frame=st.integers(1, 70_000),
    guess=st.integers(0, 70_000),
)
def test_a_fitted_clip_is_under_its_room_and_full_where_it_can_be(frames, per_frame, guess):
    """Whatever share the frames were made for (``guess``), the end meets the real one."""
    encoders = [encoder(*frame) for frame in frames]
    known = [
        budget.close_in(size_at, {WANTED: size_at(WANTED)}, guess, lowest=LOWEST)
        for size_at in encoders
    ]
    room, states = per_frame * len(frames), dict(enumerate(known))

    def recode(indices, share):
        for i in indices:
            states[i] = budget.close_in(
                encoders[i], states[i], share, lowest=LOWEST, close=budget.CLOSER
            )
        return [states[i] for i in indices]

    picks = budget.fit(known, room, LOWEST, recode)
    wanted = sum(size_at(WANTED) for size_at in encoders)
    if picks is None:
        lowest = sum(min(states[i].values()) for i in states)
        assert lowest > room
        return
    used = sum(states[i][quality] for i, quality in enumerate(picks))
    assert used <= room
    if wanted <= room:
        assert picks == [WANTED] * len(frames)


@given(
    frames=st.lists(st.tuples(st.integers(2000, 9000), wobbles), min_size=8, max_size=40),
    part=st.floats(0.45, 0.95),
)
def test_a_clip_like_footage_fills_nine_tenths(frames, part):
    encoders = [encoder(*frame) for frame in frames]
    room = int(part * sum(size_at(WANTED) for size_at in encoders))
    share = room // len(frames)
    states = [
        budget.close_in(size_at, {WANTED: size_at(WANTED)}, share, lowest=LOWEST)
        for size_at in encoders
    ]

    def recode(indices, share):
        for i in indices:
            states[i] = budget.close_in(
                encoders[i], states[i], share, lowest=LOWEST, close=budget.CLOSER
            )
        return [states[i] for i in indices]

    picks = budget.fit(list(states), room, LOWEST, recode)
    assert picks is not None
    used = sum(states[i][quality] for i, quality in enumerate(picks))
    assert 0.9 * room <= used <= room


def test_frames_that_need_less_leave_their_part_to_the_others():
    frames = [{90: 10}, {90: 100}, {90: 100, 40: 80}]
    assert budget.level(frames, LOWEST, 150) == 60
    assert budget.level(frames, LOWEST, 5) == 0


def test_no_frame_is_no_clip():
    assert budget.fit([], 1000, LOWEST, lambda indices, share: []) is None
