"""The gate's verdicts, reason by reason and phase by phase, and its hysteresis."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capture.light.timeline import Label, LabelKind
from preprocess.gate.gate import (
    MESSAGE_OF_REASON,
    REASON_OF_MESSAGE,
    Gate,
    GateOptions,
    Tally,
    Verdict,
    judge,
    judge_to_start,
)
from preprocess.gate.rules import RULES
from preprocess.gate.thresholds import Thresholds
from preprocess.measures.measures import FIELDS, NO_FACE, Measures
from preprocess.reasons import Reason

GOOD = Measures(
    face_side_px=250, ied_px=110, margin_left_ied=2, margin_right_ied=2, margin_above_t=1.6,
    margin_below_t=2, cut_share=0, second_face_ratio=0, yaw_deg=2, pitch_deg=-3, roll_deg=1,
    blur_pct=1.0, blur_ratio=1.2, noise_codes=2, speed_ied_s=0.2, over_grey_share=0,
    over_any_share=0.02, over_two_share=0, over_lit_share=0.0, contrast_codes=120,
    highlight_codes=200, face_bright_codes=220, eyes_bright_codes=160, eyes_contrast=10,
    frame_bright_codes=220, snr=9, side_light_stops=0.3,
    luminance=0.3, eyes_open_t=0.06, mouth_open_t=0.01, occluded_share=0.0,
)  # fmt: skip
FROM_BEHIND = {"luminance": 0.02, "face_bright_codes": 70.0, "eyes_bright_codes": 40.0}
DARK_ROOM = {"contrast_codes": 60.0, "luminance": 0.05, "frame_bright_codes": 100.0}
LIMITS = Thresholds()
RED = Label(LabelKind.CLEAN, "Red", (255, 0, 0))
NEUTRAL = Label(LabelKind.NEUTRAL, None, (128, 128, 128))
TRANSITION = Label(LabelKind.TRANSITION)
LABELS = [None, RED, NEUTRAL, TRANSITION, Label(LabelKind.NONE)]
number = st.one_of(st.floats(-500, 500), st.just(math.nan))
rows = st.builds(Measures, **dict.fromkeys(FIELDS, number))


@pytest.mark.parametrize("label", LABELS, ids=str)
def test_a_good_face_is_accepted_in_any_light(label: Label | None) -> None:
    assert judge(GOOD, label, LIMITS) == Verdict(True)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        pytest.param({"face_side_px": 120}, Reason.FACE_TOO_SMALL, id="face below 128 px"),
        pytest.param({"ied_px": 45}, Reason.FACE_TOO_SMALL, id="eyes too near each other"),
        pytest.param({"cut_share": 0.1}, Reason.FACE_CUT, id="chin below the frame"),
        pytest.param({"second_face_ratio": 0.9}, Reason.SEVERAL_FACES, id="two alike"),
        pytest.param({"yaw_deg": -31}, Reason.NOT_FRONTAL, id="turned to the left"),
        pytest.param({"pitch_deg": 27}, Reason.NOT_FRONTAL, id="looks down"),
        pytest.param({"roll_deg": 40}, Reason.NOT_FRONTAL, id="tilted"),
        pytest.param({"blur_pct": 2.1}, Reason.BLURRED, id="out of focus"),
        pytest.param({"speed_ied_s": 2.0}, Reason.MOVING, id="walks"),
        pytest.param({"over_grey_share": 0.05}, Reason.OVER_EXPOSED, id="clipped"),
        pytest.param({"over_two_share": 0.05}, Reason.OVER_EXPOSED, id="two channels clipped"),
        pytest.param(
            {"over_any_share": 0.5, "highlight_codes": 245},
            Reason.OVER_EXPOSED,
            id="a channel clipped, highlights near white",
        ),
        pytest.param(DARK_ROOM, Reason.UNDER_EXPOSED, id="a dark room"),
        pytest.param(
            {"snr": 1.5, "frame_bright_codes": 90},
            Reason.UNDER_EXPOSED,
            id="noise as large as the face in a dark room",
        ),
        pytest.param({"snr": 1.5}, Reason.BACKLIT, id="noise as large as the face, bright room"),
        pytest.param(FROM_BEHIND, Reason.BACKLIT, id="nothing shines, not even the eyes' whites"),
    ],
)
def test_a_defect_has_its_reason(change: dict[str, float], reason: Reason) -> None:
    verdict = judge(replace(GOOD, **change), NEUTRAL, LIMITS)
    assert verdict == Verdict(False, (reason,))


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"eyes_open_t": 0.0}, id="a blink"),
        pytest.param({"mouth_open_t": 0.4}, id="talking"),
        pytest.param({"side_light_stops": 3.0}, id="light from one side"),
        pytest.param({"occluded_share": 0.9}, id="a beard"),
        pytest.param({"ied_px": 80.0}, id="farther away than is best"),
        pytest.param({"margin_above_t": 0.6, "margin_left_ied": 0.7}, id="near the frame's edge"),
        pytest.param({"luminance": 0.01}, id="dark skin in dim light"),
        pytest.param(
            FROM_BEHIND | {"eyes_bright_codes": 110},
            id="dark skin before a window, its whites seen",
        ),
        pytest.param(FROM_BEHIND | {"face_bright_codes": 130}, id="dark skin that shines"),
        pytest.param(FROM_BEHIND | {"eyes_open_t": 0.04}, id="dark face, narrow eyes"),
        pytest.param(FROM_BEHIND | {"eyes_contrast": 1.2}, id="dark face with opaque glasses"),
        pytest.param(FROM_BEHIND | {"frame_bright_codes": 180}, id="dark face, no window"),
        pytest.param({"eyes_contrast": 1.2}, id="opaque glasses"),
        pytest.param({"contrast_codes": 40}, id="flat light"),
        pytest.param({"contrast_codes": 30, "luminance": 0.02}, id="dark skin in flat light"),
        pytest.param({"contrast_codes": 60, "frame_bright_codes": 90}, id="before a dark wall"),
        pytest.param({"over_any_share": 0.5}, id="red alone clips under warm lamps"),
        pytest.param({"yaw_deg": 22, "pitch_deg": -20}, id="a little turned"),
    ],
)
def test_what_the_service_accepts_is_at_most_a_warning(change: dict[str, float]) -> None:
    assert judge(replace(GOOD, **change), NEUTRAL, LIMITS).accepted


@pytest.mark.parametrize(
    ("change", "warned"),
    [
        pytest.param({}, (Reason.OCCLUDED,), id="open eyes without contrast"),
        pytest.param({"eyes_open_t": 0.01}, (Reason.EYES_CLOSED,), id="closed eyes"),
        pytest.param({"eyes_contrast": 4.9}, (), id="the dullest open eyes"),
        pytest.param({"eyes_contrast": math.nan}, (), id="eyes outside the frame"),
    ],
)
def test_opaque_glasses_are_warned_of(change: dict[str, float], warned: tuple[Reason]) -> None:
    row = replace(GOOD, **{"eyes_contrast": 1.2, **change})
    assert judge(row, NEUTRAL, LIMITS).warnings == warned


@pytest.mark.parametrize("label", [RED, TRANSITION], ids=["red", "transition"])
@pytest.mark.parametrize(
    "change",
    [
        DARK_ROOM,
        {"snr": 1.0},
        {"over_any_share": 0.9},
        {"over_lit_share": 0.9},
        {"luminance": 0.0},
    ],
    ids=str,
)
def test_coloured_light_is_no_wrong_exposure(label: Label, change: dict[str, float]) -> None:
    assert judge(replace(GOOD, **change), label, LIMITS).accepted


def test_a_lit_channel_that_clips_alone_is_warned_of_in_its_colour() -> None:
    clipped = replace(GOOD, over_lit_share=0.3)
    assert judge(clipped, RED, LIMITS).warnings == (Reason.OVER_EXPOSED,)
    assert judge(clipped, NEUTRAL, LIMITS) == Verdict(True)


@pytest.mark.parametrize("darkness", [DARK_ROOM, {"snr": 1.0}], ids=["dark room", "noise"])
@pytest.mark.parametrize("gate", [judge, judge_to_start])
def test_what_is_over_exposed_is_never_called_too_dark(
    darkness: dict[str, float], gate: Callable[..., Verdict]
) -> None:
    verdict = gate(replace(GOOD, over_two_share=0.3, **darkness), NEUTRAL, LIMITS)
    assert (verdict.reasons, verdict.warnings) == ((Reason.OVER_EXPOSED,), ())


def test_a_grey_picture_is_judged_without_its_colours() -> None:
    grey = replace(GOOD, over_any_share=math.nan, over_two_share=math.nan)
    assert judge(grey, None, LIMITS) == Verdict(True)
    assert judge(replace(grey, over_grey_share=0.1), None, LIMITS).reasons == (Reason.OVER_EXPOSED,)


def test_a_frame_without_a_face_has_that_one_reason() -> None:
    assert judge(NO_FACE, None, LIMITS) == Verdict(False, (Reason.NO_FACE,))


@pytest.mark.parametrize("roll", [-178.0, 120.0])
def test_a_face_that_is_upside_down_is_none(roll: float) -> None:
    verdict = judge(replace(GOOD, roll_deg=roll), None, LIMITS)
    assert verdict == Verdict(False, (Reason.NO_FACE, Reason.UPSIDE_DOWN))


def test_the_reason_that_helps_most_comes_first() -> None:
    bad = replace(GOOD, face_side_px=90, yaw_deg=40, over_grey_share=0.2, snr=1, blur_pct=3)
    assert judge(bad, NEUTRAL, LIMITS).reasons == (
        Reason.FACE_TOO_SMALL,
        Reason.NOT_FRONTAL,
        Reason.OVER_EXPOSED,
        Reason.BLURRED,
    )


def test_what_cannot_be_assessed_is_not_passed() -> None:
    assert judge(replace(GOOD, blur_pct=math.nan), None, LIMITS).reasons == (Reason.UNASSESSABLE,)


@pytest.mark.parametrize("name", ["speed_ied_s", "side_light_stops", "occluded_share"])
def test_what_needs_more_than_one_frame_may_be_unknown(name: str) -> None:
    assert judge(replace(GOOD, **{name: math.nan}), NEUTRAL, LIMITS).accepted


@given(row=rows, label=st.sampled_from(LABELS))
def test_a_verdict_is_accepted_or_has_reasons(row: Measures, label: Label | None) -> None:
    for verdict in (judge(row, label, LIMITS), judge_to_start(row, label, LIMITS)):
        assert verdict.accepted == (not verdict.reasons)
        assert len(set(verdict.reasons)) == len(verdict.reasons)
        assert not set(verdict.warnings) & set(verdict.reasons)


@given(row=rows, label=st.sampled_from(LABELS))
def test_what_may_start_a_session_is_never_dropped(row: Measures, label: Label | None) -> None:
    if judge_to_start(row, label, LIMITS).accepted:
        assert judge(row, label, LIMITS).accepted


@given(row=rows, rule=st.sampled_from([r for r in RULES if r.drop and not r.magnitude]))
def test_getting_worse_never_helps(row: Measures, rule: object) -> None:
    value = getattr(row, rule.measure)  # type: ignore[attr-defined]
    worse = replace(row, **{rule.measure: value + rule.sign * 10})  # type: ignore[attr-defined]
    if not judge(row, None, LIMITS).accepted:
        assert not judge(worse, None, LIMITS).accepted


class TestGate:
    """Accept levels to begin, drop levels to end, three of five."""

    between = replace(GOOD, blur_pct=1.5)
    bad = replace(GOOD, blur_pct=2.5)

    def states(self, *frames: Measures) -> list[bool]:
        gate = Gate()
        return [gate.update(row).good for row in frames]

    def test_three_good_frames_of_five_begin(self) -> None:
        assert self.states(GOOD, self.bad, GOOD, self.bad, GOOD) == [False] * 4 + [True]

    def test_two_are_not_enough(self) -> None:
        assert not any(self.states(GOOD, self.bad, GOOD, self.bad, self.bad, GOOD, self.bad))

    def test_between_the_levels_nothing_begins(self) -> None:
        assert not any(self.states(*[self.between] * 10))

    def test_between_the_levels_nothing_ends(self) -> None:
        assert self.states(*[GOOD] * 3, *[self.between] * 10)[3:] == [True] * 10

    def test_a_blink_of_badness_ends_nothing(self) -> None:
        assert all(self.states(*[GOOD] * 3, self.bad, GOOD, self.bad, GOOD)[2:])

    def test_three_bad_frames_of_five_end_it(self) -> None:
        assert self.states(*[GOOD] * 5, *[self.bad] * 3)[-2:] == [True, False]

    def test_the_advice_is_the_commonest_reason(self) -> None:
        gate = Gate()
        gate.update(replace(GOOD, yaw_deg=40))
        gate.update(self.bad)
        state = gate.update(replace(GOOD, yaw_deg=40))
        assert state.advice is Reason.NOT_FRONTAL
        assert not state.good

    def test_there_is_no_advice_while_all_is_good(self) -> None:
        gate = Gate()
        assert [gate.update(GOOD).advice for _ in range(4)][-1] is None

    def test_a_reset_forgets_the_person(self) -> None:
        gate = Gate()
        for _ in range(4):
            gate.update(GOOD)
        gate.reset()
        assert not gate.update(GOOD).good

    def test_window_and_majority_are_options(self) -> None:
        gate = Gate(options=GateOptions(window=1, needed=1))
        assert [gate.update(r).good for r in (GOOD, self.bad, GOOD)] == [True, False, True]

    def test_more_needed_than_there_are_frames_is_an_error(self) -> None:
        with pytest.raises(ValueError, match="needed"):
            GateOptions(window=3, needed=4)


class TestTally:
    """Frames per colour, and the time to the k-th good one."""

    def counted(self) -> Tally:
        tally = Tally()
        for step, (label, good) in enumerate(
            [(NEUTRAL, True), (RED, True), (RED, False), (TRANSITION, True), (RED, True)]
        ):
            verdict = Verdict(True) if good else Verdict(False, (Reason.BLURRED,))
            tally.add(1_000_000_000 + step * 40_000_000, label, verdict)
        return tally

    def test_it_counts_by_colour(self) -> None:
        tally = self.counted()
        assert tally.seen == 5
        assert tally.accepted == {"Red": 2, "": 2}
        assert tally.reasons == {Reason.BLURRED: 1}

    @pytest.mark.parametrize(("k", "ms"), [(1, 0.0), (3, 120.0), (4, 160.0), (5, math.inf)])
    def test_it_knows_the_time_to_the_kth_good_frame(self, k: int, ms: float) -> None:
        assert self.counted().time_to_ms(k) == ms

    def test_it_knows_which_colours_lack_frames(self) -> None:
        assert self.counted().short_of(("Red", "Green"), 2) == ("Green",)

    def test_no_frames_take_for_ever(self) -> None:
        assert Tally().time_to_ms(1) == math.inf

    def test_the_zeroth_frame_is_an_error(self) -> None:
        with pytest.raises(ValueError, match="k"):
            Tally().time_to_ms(0)


def test_each_of_the_services_messages_has_its_reason() -> None:
    assert set(REASON_OF_MESSAGE) == {9, 10, 11, 12, 13, 14}
    assert all(MESSAGE_OF_REASON[reason] == n for n, reason in REASON_OF_MESSAGE.items())
