"""The selection against its definition, applied to all frames at once."""

from __future__ import annotations

import math
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from preprocess.clip.clip import Candidate
from preprocess.clip.selection import Selection, SelectionRule, select
from preprocess.errors import EncodeError
from tests.preprocess.clip.crops import FRAME_NS, candidate

RULE = SelectionRule(frames_per_colour=4, max_frames=9)
PLAN = ("Red", "Green", "Blue")


def lit(colours: str, badness: list[float] | None = None) -> list[Candidate]:
    """``RRGG`` as one frame a letter; a dot is a frame that was not accepted."""
    names = {"R": "Red", "G": "Green", "B": "Blue"}
    return [
        candidate(seq, names[letter], badness[seq] if badness else 1.0)
        for seq, letter in enumerate(colours)
        if letter != "."
    ]


def slots_of(candidates: list[Candidate], rule: SelectionRule) -> list[int]:
    """Which slot each candidate lies in, said a second time and more slowly."""
    slots, number = [], 0
    for index, now in enumerate(candidates):
        t_ms = now.t_frame_ns // 1_000_000
        if index:
            before = candidates[index - 1]
            gap = t_ms - before.t_frame_ns // 1_000_000
            number += now.colour != before.colour or gap > rule.slot_gap_ms
        slots.append(t_ms // rule.window_ms if now.colour is None else number)
    return slots


def by_definition(
    candidates: list[Candidate], rule: SelectionRule, quota: int
) -> tuple[Candidate, ...]:
    """Sort every colour's frames by (rank in the slot, badness, seq) and take the quota."""
    slots = dict(zip((c.seq for c in candidates), slots_of(candidates, rule), strict=True))
    chosen: list[Candidate] = []
    for colour in {c.colour for c in candidates}:
        mine = sorted(
            (c for c in candidates if c.colour == colour), key=lambda c: (c.badness, c.seq)
        )
        seen: Counter[int] = Counter()
        keys = []
        for c in mine:
            keys.append(((seen[slots[c.seq]], c.badness, c.seq), c))
            seen[slots[c.seq]] += 1
        chosen += [c for _, c in sorted(keys, key=lambda item: item[0])[:quota]]
    return tuple(sorted(chosen, key=lambda c: c.seq))


sessions = st.lists(
    st.tuples(st.sampled_from([*PLAN, "skip"]), st.integers(1, 8), st.integers(0, 6)), max_size=12
)


def frames_of(session: list[tuple[str, int, int]]) -> list[Candidate]:
    frames, seq = [], 0
    for colour, length, badness in session:
        for step in range(length):
            if colour != "skip":
                frames.append(candidate(seq, colour, float((badness + step * 5) % 7)))
            seq += 1
    return frames


@given(session=sessions, per_colour=st.integers(1, 8), cap=st.integers(3, 30))
def test_frame_by_frame_gives_what_all_at_once_gives(session, per_colour, cap):
    frames, rule = frames_of(session), SelectionRule(per_colour, cap)
    chosen = select(frames, rule, PLAN)
    assert chosen == by_definition(frames, rule, min(per_colour, cap // 3))


@given(session=sessions, per_colour=st.integers(1, 8), cap=st.integers(3, 30))
def test_order_cap_and_balance_hold_for_every_session(session, per_colour, cap):
    frames = frames_of(session)
    chosen = select(frames, SelectionRule(per_colour, cap), PLAN)
    times = [c.t_frame_ns // 1_000_000 for c in chosen]
    assert all(a < b for a, b in pairwise(times))
    assert len(chosen) <= cap
    quota, offered = min(per_colour, cap // 3), Counter(c.colour for c in frames)
    expected = {colour: min(count, quota) for colour, count in offered.items()}
    assert Counter(c.colour for c in chosen) == expected


@given(session=sessions)
def test_what_is_out_never_comes_back(session):
    selection, out = Selection(RULE, PLAN), set()
    for frame in frames_of(session):
        offer = selection.offer(frame)
        out |= set(offer.evicted) | (set() if offer.kept else {frame.seq})
        kept = {c.seq for c in selection.chosen()}
        assert not kept & out
        assert offer.kept == (frame.seq in kept)


@given(
    gaps=st.lists(st.integers(0, 900_000_000), max_size=60),
    badness=st.lists(st.integers(0, 5), min_size=60, max_size=60),
)
def test_without_light_the_same_holds_over_windows_of_time(gaps, badness):
    frames, t_ns = [], 0
    for seq, gap in enumerate(gaps):
        t_ns += gap + 1_000_000
        frames.append(candidate(seq, None, float(badness[seq]), t_ns))
    assert select(frames, RULE) == by_definition(frames, RULE, RULE.max_frames)


def test_frames_come_from_every_slot_of_a_colour():
    chosen = select(lit("RRRRRRGGGGGGRRRRRR"), SelectionRule(4, 12), ("Red", "Green"))
    reds = [c.seq for c in chosen if c.colour == "Red"]
    assert sum(seq < 6 for seq in reds) == 2
    assert sum(seq > 11 for seq in reds) == 2


def test_in_a_slot_the_sharpest_frames_win():
    chosen = select(lit("RRRRRR", [5, 1, 4, 2, 6, 3]), SelectionRule(3, 9), ("Red",))
    assert [c.seq for c in chosen] == [1, 3, 5]


def test_a_slot_of_one_frame_is_heard_before_the_second_best_of_another():
    badness = [1.0, 1.0, 1.0, 9.0, 9.0]
    chosen = select(lit("RRRGR", badness), SelectionRule(2, 9), ("Red", "Green"))
    assert [c.seq for c in chosen if c.colour == "Red"] == [0, 4]


def test_a_long_gap_within_one_colour_starts_another_slot():
    chosen = select(lit("RRRR............RR", [1, 1, 1, 1, *[0] * 12, 9, 9]), RULE, ("Red",))
    assert sum(c.seq > 10 for c in chosen) == 2


def test_a_session_without_light_is_covered_from_end_to_end():
    frames = [candidate(seq, None, badness=seq / 100) for seq in range(300)]
    times = [c.t_frame_ns / 1e9 for c in select(frames, SelectionRule(15, 45))]
    assert len(times) == 45
    assert max(b - a for a, b in pairwise(times)) < 1.0
    assert times[0] < 0.5
    assert times[-1] > 9.5


@pytest.mark.parametrize(
    ("badness", "winner"),
    [
        pytest.param((1.0, 2.0), 0, id="the-first-is-sharper"),
        pytest.param((2.0, 1.0), 1, id="the-second-is-sharper"),
        pytest.param((1.0, 1.0), 0, id="equal-so-the-first"),
    ],
)
def test_of_two_frames_in_one_millisecond_the_better_stays(badness, winner):
    frames = [candidate(seq, "Red", badness[seq], t_ns=5_000_000 + seq * 400_000) for seq in (0, 1)]
    assert [c.seq for c in select(frames, RULE, ("Red",))] == [winner]


def test_two_colours_in_one_millisecond_leave_the_first():
    frames = [candidate(0, "Red", 9.0, t_ns=5_000_000), candidate(1, "Green", 1.0, t_ns=5_900_000)]
    assert [c.seq for c in select(frames, RULE, PLAN)] == [0]


def test_spacing_leaves_one_frame_an_interval():
    rule = SelectionRule(50, 50, spacing_ms=100)
    chosen = select([candidate(seq, "Red", -seq) for seq in range(30)], rule, ("Red",))
    assert len({c.t_frame_ns // 100_000_000 for c in chosen}) == len(chosen) == 10


def test_a_frame_without_assessable_blur_is_the_last_choice():
    chosen = select(lit("RRR", [math.nan, 8.0, 7.0]), SelectionRule(2, 9), ("Red",))
    assert [c.seq for c in chosen] == [1, 2]


def test_colours_that_are_not_announced_share_the_cap_as_they_turn_up():
    chosen = select(lit("RRRRRRRRGGGGGGGG"), SelectionRule(20, 10))
    assert Counter(c.colour for c in chosen) == {"Red": 5, "Green": 5}


@pytest.mark.parametrize(
    ("second", "told"),
    [
        pytest.param(candidate(7, "Red"), "time order", id="the-same-frame-twice"),
        pytest.param(candidate(8, "Red", t_ns=6 * FRAME_NS), "time order", id="time-goes-back"),
        pytest.param(candidate(8, "Teal"), "'Teal', expected one of Red", id="unknown-colour"),
        pytest.param(candidate(8, None), "None, expected one of Red", id="no-colour"),
    ],
)
def test_a_frame_that_cannot_be_is_refused_by_name(second, told):
    selection = Selection(RULE, PLAN)
    selection.offer(candidate(7, "Red"))
    with pytest.raises(EncodeError, match=f"frame {second.seq}.*{told}"):
        selection.offer(second)


def test_the_worst_of_the_fullest_colour_is_dropped_first():
    selection = Selection(SelectionRule(4, 12), PLAN)
    for frame in lit("RRRRGGBBB", [1, 5, 2, 3, 1, 1, 1, 2, 9]):
        selection.offer(frame)
    dropped = [frame.seq for frame in iter(lambda: selection.drop_worst(2), None)]
    assert dropped == [1, 8, 3]
    assert set(selection.counts().values()) == {2}
