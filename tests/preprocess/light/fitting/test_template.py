"""Slots of a flip log and the share of each that a frame saw."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capture.light.illumination import Flip
from capture.light.timeline import Timing
from preprocess.light.fitting.template import (
    Shutter,
    ShutterGuess,
    SlotEdges,
    direction_of,
    is_achromatic,
    lit_slots,
    slot_shares,
)
from tests.preprocess.lit import flips_of

MS = 1_000_000
RED, GREY = (255, 0, 0), (128, 128, 128)


def test_neutral_stretches_are_no_slots_and_repeats_are_one() -> None:
    flips = [Flip(0, None, GREY), Flip(5, "Red", RED), Flip(8, "Red", RED), Flip(12, None, GREY)]
    (slot,) = lit_slots(flips)
    assert (slot.start_ns, slot.end_ns, slot.colour) == (5, 12, "Red")


def test_a_colour_that_stays_on_ends_with_the_timeline() -> None:
    assert lit_slots([Flip(5, "Red", RED)], end_ns=9)[0].end_ns == 9
    assert lit_slots([Flip(5, "Red", RED)])[0].end_ns > 10**14
    assert lit_slots([Flip(5, "Red", RED)], end_ns=5) == ()


def test_a_frame_on_an_edge_sees_both_slots_in_proportion() -> None:
    slots = lit_slots(flips_of(("Red", "Green"), 500))
    t = np.array([1200 * MS + 80 * MS - 8 * MS])
    shutter = Shutter(16 * MS, 20 * MS)
    shares = slot_shares(slots, t, np.array([0.0]), shutter, np.array([80 * MS]))
    assert shares[0, 0] == pytest.approx([0.5, 0.5])


def test_a_lower_row_is_exposed_later() -> None:
    slots = lit_slots(flips_of(("Red", "Green"), 500))
    t, rows = np.array([1272 * MS] * 2), np.array([0.0, 0.4])
    shares = slot_shares(slots, t, rows, Shutter(16 * MS, 20 * MS), np.array([80 * MS]))
    assert shares[0, 1, 1] == pytest.approx(shares[0, 0, 1] + 0.5, abs=0.15)
    assert shares[0, 1, 1] > shares[0, 0, 1] + 0.3


@given(st.integers(0, 4000), st.integers(-40, 400), st.integers(0, 66), st.floats(0, 1))
def test_shares_are_shares(t_ms: int, delay_ms: int, exposure_ms: int, row: float) -> None:
    shares = slot_shares(
        lit_slots(flips_of(("Red", "Green", "Blue"))),
        np.array([t_ms * MS]),
        np.array([row]),
        Shutter(exposure_ms * MS, 20 * MS),
        np.array([delay_ms * MS]),
    )
    assert np.all(shares >= 0)
    assert shares.sum() <= 1 + 1e-9


def test_primaries_point_apart_and_greys_nowhere() -> None:
    red, green = (direction_of(rgb, luminance=False) for rgb in (RED, (0, 255, 0)))
    assert red @ green / (np.linalg.norm(red) * np.linalg.norm(green)) == pytest.approx(-0.5)
    assert is_achromatic((255, 255, 255))
    assert is_achromatic(GREY)
    assert not is_achromatic(RED)
    assert direction_of((255, 255, 255), luminance=True)[2] > 0.7


def test_a_stated_shutter_is_taken_at_any_length_and_an_unstated_one_is_sought() -> None:
    stated = ShutterGuess.of(Timing(0, exposure_ns=8 * MS, readout_ns=11 * MS), 33 * MS)
    assert stated.shutters == (Shutter(8 * MS, 11 * MS),)
    long = ShutterGuess.of(Timing(0, exposure_ns=60 * MS, exposure_stated=True), 67 * MS)
    assert [shutter.exposure_ns for shutter in long.shutters] == [60 * MS]
    sought = ShutterGuess.of(Timing(0), 33_333_333)
    assert len(sought.shutters) > 2


@pytest.mark.parametrize(("interval_ms", "longest_ms"), [(16.7, 16), (33.4, 33.3), (66.7, 66.7)])
def test_no_exposure_outlasts_the_distance_of_two_frames(
    interval_ms: float, longest_ms: float
) -> None:
    sought = ShutterGuess.of(Timing(0, exposure_ns=round(66.7 * MS)), round(interval_ms * MS))
    assert sought.shutters[-1].exposure_ns / MS == pytest.approx(longest_ms, abs=0.1)


def test_an_edge_has_the_width_of_a_panels_change() -> None:
    slots = lit_slots(flips_of(("Red", "Green"), 500))
    edges = SlotEdges.of(slots, 0)
    opened = np.arange(1100, 1300) * float(MS)
    seen = edges.shares(opened, 1000.0)[:, 1]
    mean = float(np.sum(np.diff(seen) * (opened[1:] - 0.5 * MS)))
    sd = np.sqrt(np.sum(np.diff(seen) * (opened[1:] - 0.5 * MS - mean) ** 2))
    assert mean / MS == pytest.approx(1200, abs=0.1)
    assert sd / MS == pytest.approx(5, abs=0.3)
