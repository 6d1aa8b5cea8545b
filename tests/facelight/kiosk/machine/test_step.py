"""The session machine: the usual ways through it, then everything else by random events.

``Kiosk`` plays the kiosk loop: it carries effects out on a model of screen, camera and clip, and
breaks on whatever must never happen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capture.display.theme import load_theme
from capture.light.illumination import NEUTRAL_RGB, IlluminationPlan
from capture.light.photosensitivity import NORM_LIMITS, FieldState, check_states, is_saturated_red
from capture.light.plan import make_plan, repeat_plan
from facelight.config.session_options import SessionOptions
from facelight.kiosk.machine.effects import (
    CloseSession,
    Deliver,
    DropCapture,
    Effect,
    Emit,
    FinishClip,
    LockCamera,
    OpenSession,
    ShowScene,
    StartCapture,
    StartLight,
    StopLight,
    UnlockCamera,
)
from facelight.kiosk.machine.events import (
    CameraSettled,
    ClipReady,
    Delivered,
    DeviceBack,
    DeviceLost,
    Event,
    LightFinished,
    NotDelivered,
    Observed,
    Pressed,
    Quit,
    Requested,
    Speaking,
    Spooled,
    Tick,
    Withdrawn,
    WorkFailed,
)
from facelight.kiosk.machine.state import (
    ButtonAction,
    Device,
    Hint,
    Phase,
    Problem,
    Result,
    SessionTerms,
    View,
)
from facelight.kiosk.machine.step import begin, step
from facelight.kiosk.screens.scenes import Wording, field_of
from facelight.kiosk.screens.texts import language, theme_file
from preprocess.reasons import Reason
from tests.effort import examples

GOOD = Observed(1, good=True)
NOBODY = Observed(0)
WORDING = Wording(language("en"), load_theme(theme_file("default")))
E = TypeVar("E")


class Kiosk:
    """A kiosk loop without hardware; every effect is checked as it comes."""

    def __init__(self, options: SessionOptions | None = None) -> None:
        self.options = options or SessionOptions()
        self.now_ms = 1000
        self.effects: list[Effect] = []
        self.scene = ShowScene(View.IDLE)
        self.plan: IlluminationPlan | None = None
        self.lit_until_ms: float | None = None
        self.light_job = 0
        self.field: list[FieldState] = []
        self.locked = self.capturing = self.open = False
        self.finish_job: int | None = None
        self.accepted_job: int | None = None
        self.light_allowed = True
        self.seed = 0
        self.state, effects = begin(self.options, self.now_ns)
        self._carry_out(effects)

    @property
    def now_ns(self) -> int:
        return self.now_ms * 1_000_000

    def send(self, event: Event) -> list[Effect]:
        before = self.state.phase
        if isinstance(event, ClipReady) and event.accepted and event.job == self.finish_job:
            self.accepted_job = event.job
        self.state, effects = step(self.state, event, self.now_ns)
        self._carry_out(effects)
        assert self.state.phase in Phase
        if before is Phase.COLOURS and self.state.phase is not Phase.COLOURS:
            assert self.lit_until_ms is None
            assert not self.locked
        return list(effects)

    def run(self, ms: int, *events: Event, every_ms: int = 33) -> None:
        """Let time pass with a tick and ``events`` at every frame."""
        end_ms = self.now_ms + ms
        while self.now_ms < end_ms:
            self.now_ms = min(end_ms, self.now_ms + every_ms)
            for event in (*events, Tick()):
                self.send(event)
            if self.lit_until_ms is not None and self.now_ms >= self.lit_until_ms:
                self.lit_until_ms = None

    def found(self, kind: type[E]) -> list[E]:
        return [effect for effect in self.effects if isinstance(effect, kind)]

    def told(self) -> list[str]:
        return [effect.name for effect in self.found(Emit)]

    def _carry_out(self, effects: Sequence[Effect]) -> None:
        for effect in effects:
            self.effects.append(effect)
            getattr(self, f"_on_{type(effect).__name__.lower()}")(effect)

    def phase(self) -> Phase:
        """A call: mypy takes what an attribute was before an event for what it is after it."""
        return self.state.phase

    def view(self) -> View:
        return self.scene.view

    def _on_showscene(self, effect: ShowScene) -> None:
        self.scene = effect
        if self.lit_until_ms is None:
            self.field.append(FieldState(self.now_ns, field_of(effect, WORDING)))

    def _on_opensession(self, effect: OpenSession) -> None:
        assert not self.open
        self.open, self.light_allowed = True, effect.light

    def _on_closesession(self, _: CloseSession) -> None:
        assert self.open
        assert not self.capturing or self.finish_job is not None
        self.open = False

    def _on_lockcamera(self, _: LockCamera) -> None:
        assert self.open
        assert not self.locked
        self.locked = True

    def _on_unlockcamera(self, _: UnlockCamera) -> None:
        assert self.locked
        self.locked = False

    def _on_startcapture(self, _: StartCapture) -> None:
        assert self.open
        assert self.locked
        self.capturing, self.finish_job, self.accepted_job = True, None, None

    def _on_dropcapture(self, _: DropCapture) -> None:
        self.capturing, self.finish_job = False, None

    def _on_startlight(self, effect: StartLight) -> None:
        assert self.capturing
        assert self.light_allowed
        assert self.scene.view is View.LIGHT
        self.seed += 1
        if effect.slots:
            assert self.plan is not None
            plan = repeat_plan(self.plan, effect.slots)
        else:
            plan = self.plan = make_plan(seed=self.seed)
        at_ms = float(self.now_ms)
        for slot in plan.slots:
            self.field.append(FieldState(round(at_ms * 1e6), slot.rgb))
            at_ms += slot.dwell_ms
        self.lit_until_ms, self.light_job = at_ms, effect.job

    def _on_stoplight(self, _: StopLight) -> None:
        self.field = [state for state in self.field if state.t_ns <= self.now_ns]
        self.field.append(FieldState(self.now_ns, NEUTRAL_RGB))
        self.lit_until_ms = None

    def _on_finishclip(self, effect: FinishClip) -> None:
        assert self.capturing
        assert self.lit_until_ms is None
        self.finish_job = effect.job

    def _on_deliver(self, _: Deliver) -> None:
        assert self.finish_job is not None
        assert self.accepted_job == self.finish_job
        self.capturing, self.finish_job, self.accepted_job = False, None, None

    def _on_emit(self, effect: Emit) -> None:
        assert effect.name.replace("_", "").isalpha()

    # the usual way, one stretch each

    def to_notice(self) -> None:
        self.run(2000, NOBODY)
        if self.options.start != "presence":
            self.send(Requested(SessionTerms()))
        self.run(700, Observed(1, reasons=(Reason.FACE_TOO_SMALL,)))
        assert self.state.phase is Phase.NOTICE

    def to_position(self) -> None:
        self.to_notice()
        self.run(self.options.notice_ms, Observed(1, reasons=(Reason.FACE_TOO_SMALL,)))
        assert self.state.phase is Phase.POSITION

    def to_settle(self) -> None:
        self.to_position()
        self.run(700, GOOD)
        assert self.state.phase is Phase.SETTLE

    def to_colours(self) -> None:
        self.to_settle()
        self.send(CameraSettled(self.state.job, locked=True))
        self.run(900, GOOD)
        assert self.state.phase is Phase.COLOURS

    def to_finish(self) -> None:
        self.to_colours()
        self.run(3400, GOOD)
        self.send(LightFinished(self.state.job))
        assert self.state.phase is Phase.FINISH

    def to_deliver(self) -> None:
        self.to_finish()
        self.send(ClipReady(self.state.job, accepted=True))
        assert self.state.phase is Phase.DELIVER


@pytest.fixture
def kiosk() -> Kiosk:
    return Kiosk()


# ------------------------------------------------------------------------------ the usual way


def test_a_person_is_led_from_welcome_to_result_and_the_kiosk_waits_again(kiosk: Kiosk) -> None:
    kiosk.to_deliver()
    kiosk.send(Spooled(kiosk.state.job))
    kiosk.send(Delivered(kiosk.state.job, "realface"))
    assert kiosk.scene == ShowScene(View.RESULT, result=Result.REAL)
    kiosk.run(6000, GOOD)
    assert kiosk.phase() is Phase.IDLE
    views = [show.view for show in kiosk.found(ShowScene)]
    assert list(dict.fromkeys(views)) == [
        View.IDLE,
        View.NOTICE,
        View.POSITION,
        View.SETTLE,
        View.LIGHT,
        View.FINISH,
        View.DELIVER,
        View.RESULT,
    ]
    assert kiosk.found(CloseSession) == [CloseSession("real")]


def test_who_stays_after_a_result_is_not_taken_again_until_the_place_was_empty(
    kiosk: Kiosk,
) -> None:
    kiosk.to_deliver()
    kiosk.send(Delivered(kiosk.state.job, "realface"))
    kiosk.run(30_000, GOOD)
    assert kiosk.phase() is Phase.IDLE
    kiosk.run(2000, NOBODY)
    kiosk.run(700, GOOD)
    assert kiosk.phase() is Phase.NOTICE


def test_who_stays_may_touch_start_or_be_taken_again_by_setting() -> None:
    for options, actions in (
        (SessionOptions(), [Pressed(ButtonAction.START)]),
        (SessionOptions(again_ms=2000), []),
    ):
        kiosk = Kiosk(options)
        kiosk.to_deliver()
        kiosk.send(Delivered(kiosk.state.job, "realface"))
        kiosk.run(8200, GOOD)
        for action in actions:
            kiosk.send(action)
        assert kiosk.phase() is Phase.NOTICE


@pytest.mark.parametrize(
    ("decision", "result"),
    [
        ("realface", Result.REAL),
        ("RealFace", Result.REAL),
        ("spoofface", Result.UNSURE),
        ("uncertain", Result.UNSURE),
        ("martian", Result.UNSURE),
        (None, Result.SENT),
    ],
)
def test_the_decision_is_told_without_accusing(
    kiosk: Kiosk, decision: str | None, result: Result
) -> None:
    kiosk.to_deliver()
    kiosk.send(Delivered(kiosk.state.job, decision))
    assert kiosk.scene.result is result


@pytest.mark.parametrize(
    ("refused", "view"), [(Problem.QUALITY, View.RETRY), (Problem.NOT_SENT, View.STOPPED)]
)
def test_nobody_is_told_that_refused_pictures_are_stored(
    kiosk: Kiosk, refused: Problem, view: View
) -> None:
    kiosk.to_deliver()
    kiosk.send(Spooled(kiosk.state.job))
    kiosk.send(NotDelivered(kiosk.state.job, refused))
    assert (kiosk.scene.view, kiosk.scene.problem) == (view, refused)


def test_a_passer_by_starts_nothing(kiosk: Kiosk) -> None:
    kiosk.run(2000, NOBODY)
    kiosk.run(300, GOOD)
    kiosk.run(2000, NOBODY)
    assert kiosk.phase() is Phase.IDLE
    assert not kiosk.found(OpenSession)


# ------------------------------------------------------------------------------ notice, consent


def test_nothing_is_opened_before_the_notice_was_up_for_its_time(kiosk: Kiosk) -> None:
    kiosk.to_notice()
    kiosk.run(kiosk.options.notice_ms - 300, GOOD)
    assert kiosk.phase() is Phase.NOTICE
    assert not kiosk.found(OpenSession)
    kiosk.run(400, GOOD)
    assert kiosk.found(OpenSession) == [OpenSession(light=True)]


def test_with_touch_to_start_the_notice_waits_for_a_touch_but_not_for_ever() -> None:
    kiosk = Kiosk(SessionOptions(touch_to_start=True))
    kiosk.to_notice()
    kiosk.run(60_000, GOOD)
    assert kiosk.phase() is Phase.NOTICE
    kiosk.run(31_000, GOOD)
    assert kiosk.phase() is Phase.IDLE


def test_without_consent_no_camera_work_is_done() -> None:
    kiosk = Kiosk(SessionOptions(consent=True))
    kiosk.to_notice()
    assert kiosk.view() is View.CONSENT
    kiosk.run(20_000, GOOD)
    kiosk.send(Pressed(ButtonAction.START))
    assert kiosk.phase() is Phase.NOTICE
    kiosk.send(Pressed(ButtonAction.DECLINE))
    assert kiosk.phase() is Phase.IDLE
    assert not kiosk.found(OpenSession)


def test_consent_opens_the_session() -> None:
    kiosk = Kiosk(SessionOptions(consent=True))
    kiosk.to_notice()
    kiosk.send(Pressed(ButtonAction.ACCEPT))
    assert kiosk.phase() is Phase.POSITION


def test_who_takes_the_place_of_the_one_who_agreed_is_asked_anew() -> None:
    kiosk = Kiosk(SessionOptions(consent=True))
    kiosk.to_notice()
    kiosk.send(Pressed(ButtonAction.ACCEPT))
    kiosk.run(100, GOOD)
    kiosk.send(replace(GOOD, jumped=True))
    assert kiosk.view() is View.CONSENT
    assert kiosk.found(CloseSession) == [CloseSession("someone_else")]


@pytest.mark.parametrize("consent", [False, True])
def test_without_light_the_session_runs_without_any_colour(consent: bool) -> None:
    kiosk = Kiosk(SessionOptions(consent=consent))
    kiosk.to_notice()
    kiosk.send(Pressed(ButtonAction.NO_LIGHT))
    assert kiosk.found(OpenSession) == [OpenSession(light=False)]
    kiosk.run(700, GOOD)
    kiosk.send(CameraSettled(kiosk.state.job, locked=False))
    kiosk.run(1000, GOOD)
    assert kiosk.view() is View.PLAIN
    kiosk.run(2600, GOOD)
    assert kiosk.phase() is Phase.FINISH
    assert not kiosk.found(StartLight)


def test_a_kiosk_without_light_offers_no_choice_of_it() -> None:
    kiosk = Kiosk(SessionOptions(light=False))
    kiosk.to_notice()
    assert ButtonAction.NO_LIGHT not in kiosk.scene.choices
    kiosk.run(6000, GOOD)
    assert kiosk.found(OpenSession) == [OpenSession(light=False)]


# ------------------------------------------------------------------------------ position


@pytest.mark.parametrize(
    ("reasons", "hint"),
    [
        ((Reason.MOVING, Reason.FACE_TOO_SMALL), Hint.CLOSER),
        ((Reason.UNDER_EXPOSED, Reason.NOT_FRONTAL), Hint.LOOK),
        ((Reason.BLURRED, Reason.EYES_CLOSED), Hint.EYES),
        ((Reason.SEVERAL_FACES, Reason.FACE_CUT), Hint.ONE_PERSON),
        ((Reason.MOVING,), Hint.STILL),
        ((Reason.LIGHT_WEAK,), Hint.CLOSER),
        ((), Hint.CLOSER),
    ],
)
def test_one_hint_is_shown_the_most_useful(
    kiosk: Kiosk, reasons: tuple[Reason, ...], hint: Hint
) -> None:
    kiosk.to_position()
    kiosk.run(1700, Observed(1, reasons=reasons))
    assert kiosk.scene.hint is hint


def test_every_reason_of_a_frame_has_a_hint() -> None:
    from facelight.kiosk.machine.hints import HINT_OF_REASON, PLACE_HINTS

    reasons = list(Reason)
    of_frames = reasons[: reasons.index(Reason.TOO_FEW_FRAMES)]
    assert set(HINT_OF_REASON) == set(of_frames)
    said = {*HINT_OF_REASON.values(), *PLACE_HINTS, Hint.UPRIGHT, Hint.GOOD}
    assert said == set(Hint)


@pytest.mark.slow
@given(
    st.lists(
        st.tuples(st.integers(1, 200), st.sampled_from(list(Reason)[:15]), st.integers(0, 2)),
        min_size=5,
        max_size=60,
    )
)
def test_hints_change_at_most_once_in_1500_ms(seen: list[tuple[int, Reason, int]]) -> None:
    kiosk = Kiosk()
    kiosk.to_position()
    changes: list[int] = []
    for ms, reason, faces in seen:
        kiosk.now_ms += ms
        effects = kiosk.send(Observed(faces, reasons=(reason,)))
        if any(isinstance(e, ShowScene) and e.view is View.POSITION for e in effects):
            changes.append(kiosk.now_ms)
    assert all(later - earlier >= 1500 for earlier, later in pairwise(changes))


def test_a_good_moment_is_not_enough(kiosk: Kiosk) -> None:
    kiosk.to_position()
    for _ in range(10):
        kiosk.run(400, GOOD)
        kiosk.run(40, Observed(1, reasons=(Reason.MOVING,)))
    assert kiosk.phase() is Phase.POSITION


def test_who_never_stands_right_is_told_so_in_the_end(kiosk: Kiosk) -> None:
    kiosk.to_position()
    kiosk.run(46_000, Observed(1, reasons=(Reason.NOT_FRONTAL,)))
    assert kiosk.scene == ShowScene(View.STOPPED, problem=Problem.TIME, cause=Hint.LOOK)
    kiosk.run(5000, GOOD)
    assert kiosk.phase() is Phase.IDLE


# ------------------------------------------------------------------------------ settle and colours


def test_a_refused_or_silent_lock_does_not_end_the_session(kiosk: Kiosk) -> None:
    kiosk.to_settle()
    kiosk.run(3500, GOOD)
    assert kiosk.phase() is Phase.SETTLE
    kiosk.run(600, GOOD)
    assert kiosk.phase() is Phase.COLOURS


def test_colours_wait_for_the_grey_to_settle_even_when_the_camera_is_quick(kiosk: Kiosk) -> None:
    kiosk.to_settle()
    kiosk.send(CameraSettled(kiosk.state.job, locked=True))
    kiosk.run(500, GOOD)
    assert kiosk.phase() is Phase.SETTLE


STOPS: list[Any] = [
    pytest.param(NOBODY, Problem.LEFT, 133, id="left"),
    pytest.param(replace(GOOD, jumped=True), Problem.LEFT, 33, id="somebody-else"),
    pytest.param(Observed(2, good=True), Problem.SECOND, 133, id="second"),
    pytest.param(Observed(1, reasons=(Reason.SEVERAL_FACES,)), Problem.SECOND, 133, id="several"),
    pytest.param(Observed(1, reasons=(Reason.MOVING,)), Problem.MOVED, 297, id="moving"),
    pytest.param(DeviceLost(Device.CAMERA), Problem.DEVICE, 33, id="camera"),
    pytest.param(DeviceLost(Device.TRACKER), Problem.DEVICE, 33, id="tracker"),
    pytest.param(Tick(), Problem.DEVICE, 733, id="nobody-watches"),
]


@pytest.mark.parametrize(("event", "problem", "within_ms"), STOPS)
def test_the_colours_stop_at_once(
    kiosk: Kiosk, event: Event, problem: Problem, within_ms: int
) -> None:
    kiosk.to_colours()
    kiosk.run(900, GOOD)
    assert kiosk.lit_until_ms is not None
    kiosk.run(within_ms, event)
    assert kiosk.phase() is Phase.PROBLEM
    assert kiosk.scene.problem is problem
    stop = kiosk.effects.index(StopLight())
    assert kiosk.effects[stop + 1 : stop + 3] == [DropCapture(), UnlockCamera()]
    assert not kiosk.found(FinishClip)


@pytest.mark.parametrize(("event", "problem", "within_ms"), STOPS)
def test_settling_stops_as_well(
    kiosk: Kiosk, event: Event, problem: Problem, within_ms: int
) -> None:
    kiosk.to_settle()
    kiosk.run(within_ms, event)
    assert kiosk.scene.problem is problem
    assert not kiosk.found(StartLight)


@pytest.mark.parametrize(
    "event",
    [
        pytest.param(NOBODY, id="face-missed"),
        pytest.param(Observed(2), id="ghost-face"),
        pytest.param(Observed(1, reasons=(Reason.MOVING,)), id="shiver"),
        pytest.param(Observed(1, reasons=(Reason.EYES_CLOSED,)), id="blink"),
    ],
)
def test_one_bad_frame_does_not_stop_the_colours(kiosk: Kiosk, event: Event) -> None:
    kiosk.to_colours()
    for _ in range(8):
        kiosk.run(33, event)
        kiosk.run(66, GOOD)
    assert kiosk.phase() is Phase.COLOURS


def test_cancel_stops_the_colours_and_goes_back_to_the_start(kiosk: Kiosk) -> None:
    kiosk.to_colours()
    kiosk.send(Pressed(ButtonAction.CANCEL))
    assert kiosk.phase() is Phase.IDLE
    assert kiosk.found(StopLight)
    assert kiosk.found(CloseSession) == [CloseSession("cancelled")]


def test_bad_slots_are_repeated_once(kiosk: Kiosk) -> None:
    kiosk.to_colours()
    kiosk.run(3400, GOOD)
    kiosk.send(LightFinished(kiosk.state.job, (2, 5)))
    assert kiosk.found(StartLight)[-1] == StartLight(kiosk.state.job, (2, 5))
    assert kiosk.phase() is Phase.COLOURS
    kiosk.run(2400, GOOD)
    kiosk.send(LightFinished(kiosk.state.job, (2,)))
    assert kiosk.phase() is Phase.FINISH
    assert len(kiosk.found(StartLight)) == 2


def test_with_many_bad_slots_the_attempt_begins_anew(kiosk: Kiosk) -> None:
    kiosk.to_colours()
    kiosk.send(LightFinished(kiosk.state.job, (1, 2, 3, 4)))
    assert kiosk.scene == ShowScene(View.RETRY, problem=Problem.QUALITY)


def test_a_plan_that_never_ends_is_ended(kiosk: Kiosk) -> None:
    kiosk.to_colours()
    kiosk.run(15_100, GOOD)
    assert kiosk.scene.problem is Problem.INTERNAL
    assert kiosk.found(StopLight)


# ------------------------------------------------------------------------------ clip, delivery


def test_attempts_are_counted_and_the_last_one_ends_it(kiosk: Kiosk) -> None:
    kiosk.to_finish()
    for attempt in (1, 2, 3):
        kiosk.send(ClipReady(kiosk.state.job, accepted=False, reasons=(Reason.TOO_FEW_FRAMES,)))
        view = View.RETRY if attempt < 3 else View.STOPPED
        assert kiosk.scene == ShowScene(view, problem=Problem.QUALITY)
        kiosk.run(4100, GOOD)
        if attempt < 3:
            kiosk.run(700, GOOD)
            kiosk.send(CameraSettled(kiosk.state.job, locked=True))
            kiosk.run(4300, GOOD)
            kiosk.send(LightFinished(kiosk.state.job))
    assert kiosk.phase() is Phase.IDLE
    assert len(kiosk.found(StartLight)) == 3
    assert len(kiosk.found(OpenSession)) == len(kiosk.found(CloseSession)) == 1


def test_light_that_did_not_reach_the_face_is_explained(kiosk: Kiosk) -> None:
    kiosk.to_finish()
    kiosk.send(ClipReady(kiosk.state.job, accepted=False, reasons=(Reason.LIGHT_NONE,)))
    assert kiosk.scene.problem is Problem.LIGHT


@pytest.mark.parametrize("answer", ["error", "none"])
def test_an_encoder_that_fails_or_hangs_is_an_attempt_lost(kiosk: Kiosk, answer: str) -> None:
    kiosk.to_finish()
    if answer == "error":
        kiosk.send(WorkFailed(kiosk.state.job, "disk full"))
    else:
        kiosk.run(20_100, GOOD)
    assert kiosk.scene.problem is Problem.INTERNAL
    assert kiosk.effects.count(DropCapture()) == 1


def test_the_person_may_leave_once_the_clip_is_captured(kiosk: Kiosk) -> None:
    kiosk.to_finish()
    kiosk.run(3000, NOBODY)
    kiosk.send(ClipReady(kiosk.state.job, accepted=True))
    kiosk.run(3000, NOBODY)
    kiosk.send(Delivered(kiosk.state.job, "realface"))
    assert kiosk.phase() is Phase.RESULT


def test_a_camera_lost_after_capture_does_not_lose_the_clip(kiosk: Kiosk) -> None:
    kiosk.to_finish()
    kiosk.send(DeviceLost(Device.CAMERA))
    kiosk.send(ClipReady(kiosk.state.job, accepted=True))
    assert kiosk.phase() is Phase.DELIVER


@pytest.mark.parametrize("silent", [False, True], ids=["refused", "silent"])
@pytest.mark.parametrize("spooled", [False, True], ids=["lost", "spooled"])
def test_what_is_spooled_is_told_to_be_stored(kiosk: Kiosk, spooled: bool, silent: bool) -> None:
    kiosk.to_deliver()
    if spooled:
        kiosk.send(Spooled(kiosk.state.job))
    if silent:
        kiosk.run(45_100, GOOD)
    else:
        kiosk.send(NotDelivered(kiosk.state.job))
    shown = (kiosk.scene.result, kiosk.scene.problem)
    assert shown == ((Result.SAVED, None) if spooled else (None, Problem.NOT_SENT))


def test_answers_to_work_that_was_given_up_are_ignored(kiosk: Kiosk) -> None:
    kiosk.to_finish()
    late = kiosk.state.job
    kiosk.run(20_100, GOOD)
    kiosk.send(ClipReady(late, accepted=True))
    assert kiosk.phase() is Phase.PROBLEM
    assert not kiosk.found(Deliver)


def test_the_clip_of_an_earlier_attempt_is_not_taken_for_this_one(kiosk: Kiosk) -> None:
    kiosk.to_finish()
    earlier = kiosk.state.job
    kiosk.send(ClipReady(earlier, accepted=False))
    kiosk.run(4800, GOOD)
    kiosk.send(CameraSettled(kiosk.state.job, locked=True))
    kiosk.run(4300, GOOD)
    kiosk.send(LightFinished(kiosk.state.job))
    kiosk.send(ClipReady(earlier, accepted=True))
    assert kiosk.phase() is Phase.FINISH
    assert not kiosk.found(Deliver)


# ------------------------------------------------------------------------------ devices, end


def test_a_lost_camera_puts_the_kiosk_out_of_order_until_it_is_back(kiosk: Kiosk) -> None:
    kiosk.send(DeviceLost(Device.CAMERA))
    assert kiosk.view() is View.OUT_OF_ORDER
    kiosk.run(5000, GOOD)
    kiosk.send(Pressed(ButtonAction.START))
    assert kiosk.phase() is Phase.IDLE
    kiosk.send(DeviceBack(Device.CAMERA))
    assert kiosk.view() is View.IDLE


def test_after_a_lost_camera_the_person_may_stay_and_begin_anew(kiosk: Kiosk) -> None:
    kiosk.to_colours()
    kiosk.send(DeviceLost(Device.CAMERA))
    kiosk.run(4100)
    assert kiosk.view() is View.OUT_OF_ORDER
    kiosk.send(DeviceBack(Device.CAMERA))
    kiosk.run(1700, GOOD)
    assert kiosk.phase() is Phase.NOTICE


@pytest.mark.parametrize(
    "stage", ["to_notice", "to_position", "to_settle", "to_colours", "to_finish", "to_deliver"]
)
def test_quit_ends_every_phase_cleanly(kiosk: Kiosk, stage: str) -> None:
    getattr(kiosk, stage)()
    kiosk.send(Quit())
    assert kiosk.phase() is Phase.ENDED
    assert not kiosk.locked
    assert not kiosk.open
    assert kiosk.lit_until_ms is None
    assert kiosk.send(GOOD) == []


def test_time_that_goes_back_is_no_time(kiosk: Kiosk) -> None:
    kiosk.to_notice()
    kiosk.now_ms -= 60_000
    kiosk.run(1000, GOOD)
    assert kiosk.phase() is Phase.NOTICE


@pytest.mark.parametrize("stage", ["to_notice", "to_deliver"])
def test_a_page_waits_until_its_words_are_said_but_not_for_ever(kiosk: Kiosk, stage: str) -> None:
    getattr(kiosk, stage)()
    if stage == "to_deliver":
        kiosk.send(Delivered(kiosk.state.job, "realface"))
    page = kiosk.phase()
    kiosk.send(Speaking(True))
    kiosk.run(20_000, GOOD)
    assert kiosk.phase() is page
    kiosk.send(Speaking(False))
    kiosk.run(100, GOOD)
    assert kiosk.phase() is not page
    if page is Phase.NOTICE:
        return
    kiosk.send(Speaking(True))
    kiosk.run(300_000, NOBODY)
    assert kiosk.phase() is Phase.IDLE


# ------------------------------------------------------------------------------ anything

reasons = st.lists(st.sampled_from(list(Reason)), max_size=3).map(tuple)
people = st.builds(
    Observed,
    faces=st.sampled_from([0, 1, 1, 1, 2]),
    good=st.booleans(),
    reasons=reasons,
    jumped=st.sampled_from([False] * 9 + [True]),
)
jobs = st.integers(0, 60)
slots = st.lists(st.integers(1, 6), max_size=4, unique=True).map(tuple)
wild = st.one_of(
    st.just(Tick()),
    people,
    st.builds(Pressed, st.sampled_from(ButtonAction)),
    st.builds(DeviceLost, st.sampled_from(Device)),
    st.builds(DeviceBack, st.sampled_from(Device)),
    st.builds(CameraSettled, jobs, st.booleans()),
    st.builds(LightFinished, jobs, slots),
    st.builds(ClipReady, jobs, st.booleans(), reasons),
    st.builds(WorkFailed, jobs, st.just("x")),
    st.builds(Spooled, jobs),
    st.builds(Delivered, jobs, st.sampled_from(["realface", "spoofface", None])),
    st.builds(NotDelivered, jobs, st.sampled_from([None, Problem.QUALITY, Problem.NOT_SENT])),
    st.builds(
        Requested,
        st.builds(
            SessionTerms,
            light=st.booleans(),
            limit_ms=st.sampled_from([None, 10_000, 60_000]),
        ),
    ),
    st.just(Withdrawn()),
    st.builds(Speaking, st.booleans()),
)
moves = st.one_of(
    st.tuples(st.just("event"), wild),
    st.tuples(st.just("hold"), st.tuples(st.integers(50, 6000), people)),
    st.tuples(st.just("good"), st.integers(50, 5000)),
    st.tuples(st.just("good"), st.integers(500, 5000)),
    st.tuples(st.just("gone"), st.integers(50, 4000)),
    st.tuples(st.just("wait"), st.integers(1, 50_000)),
    st.tuples(st.just("answer"), st.tuples(st.booleans(), slots)),
    st.tuples(st.just("answer"), st.just((True, ()))),
    st.tuples(st.just("answer"), st.just((True, ()))),
    st.tuples(st.just("back"), st.just(None)),
    st.tuples(st.just("stale"), st.sampled_from([-20, -5, -3, -2, -1, 1])),
)
kiosk_options = st.builds(
    SessionOptions,
    consent=st.booleans(),
    light=st.sampled_from([True, True, True, False]),
    start=st.sampled_from(["presence", "presence", "touch", "request"]),
    touch_to_start=st.booleans(),
    again_ms=st.sampled_from([0, 1000]),
    hold_ms=st.sampled_from([300, 600]),
    settle_ms=st.sampled_from([700, 800]),
    problem_ms=st.just(1500),
    idle_ms=st.just(1000),
    lost_ms=st.sampled_from([0, 100]),
)


def play(kiosk: Kiosk, move: tuple[str, Any]) -> None:
    name, what = move
    if name == "event":
        kiosk.send(what)
    elif name == "hold":
        kiosk.run(what[0], what[1], every_ms=50)
    elif name == "good":
        kiosk.run(what, GOOD, every_ms=50)
    elif name == "gone":
        kiosk.run(what, NOBODY, every_ms=50)
    elif name == "wait":
        kiosk.now_ms += what
        kiosk.send(Tick())
    elif name == "back":
        for device in Device:
            kiosk.send(DeviceBack(device))
    elif name == "stale":
        job = kiosk.state.job + what
        for event in (
            CameraSettled(job, locked=True),
            LightFinished(job),
            ClipReady(job, accepted=True),
            Spooled(job),
            Delivered(job, "realface"),
        ):
            kiosk.send(event)
    else:
        answer(kiosk, *what)


def answer(kiosk: Kiosk, well: bool, bad_slots: tuple[int, ...]) -> None:
    """Answer the latest work truthfully; light ends no earlier than its plan."""
    job = kiosk.state.job
    if kiosk.state.phase is Phase.NOTICE:
        kiosk.send(Pressed(ButtonAction.ACCEPT if kiosk.options.consent else ButtonAction.START))
    elif kiosk.state.phase is Phase.SETTLE:
        kiosk.send(CameraSettled(job, locked=well))
    elif kiosk.state.phase is Phase.COLOURS and kiosk.lit_until_ms is not None:
        left_ms = int(kiosk.lit_until_ms - kiosk.now_ms) + 1
        kiosk.run(left_ms, GOOD, every_ms=50)
        kiosk.send(LightFinished(job, bad_slots))
    elif kiosk.state.phase is Phase.FINISH:
        kiosk.send(ClipReady(job, accepted=well))
    elif kiosk.state.phase is Phase.DELIVER:
        kiosk.send(Delivered(job, "realface") if well else NotDelivered(job))


def light_is_safe(kiosk: Kiosk) -> None:
    states = sorted(kiosk.field, key=lambda state: state.t_ns)
    report = check_states(states, limits=NORM_LIMITS)
    assert report.safe, report.problems
    reds = [state.t_ns for state in states if is_saturated_red(state.rgb)]
    assert all(b - a >= 1_000_000_000 for a, b in pairwise(reds))


@pytest.mark.slow
@given(kiosk_options, st.lists(moves, max_size=40))
@settings(max_examples=examples(60))
def test_nothing_that_must_not_happen_ever_does(
    options: SessionOptions, played: list[tuple[str, Any]]
) -> None:
    """``Kiosk`` asserts on every effect; here the light of the whole run is judged as well."""
    kiosk = Kiosk(options)
    for move in played:
        play(kiosk, move)
        if kiosk.state.phase not in (Phase.COLOURS, Phase.IDLE):
            assert kiosk.lit_until_ms is None
    light_is_safe(kiosk)


@pytest.mark.slow
@given(kiosk_options, st.lists(moves, max_size=30))
@settings(max_examples=examples(40))
def test_every_phase_ends_by_time_alone(
    options: SessionOptions, played: list[tuple[str, Any]]
) -> None:
    kiosk = Kiosk(options)
    for move in played:
        play(kiosk, move)
    for _ in range(40):
        kiosk.now_ms += 100_000
        kiosk.send(Tick())
        if kiosk.state.phase is Phase.IDLE:
            break
    assert kiosk.phase() is Phase.IDLE
    assert not kiosk.open
    assert not kiosk.locked
    assert kiosk.lit_until_ms is None


@pytest.mark.slow
@given(st.integers(0, 3300), kiosk_options)
@settings(max_examples=examples(30))
def test_whoever_leaves_during_the_light_is_in_neutral_light_at_once(
    after_ms: int, options: SessionOptions
) -> None:
    kiosk = Kiosk(replace(options, consent=False, touch_to_start=False, light=True))
    kiosk.to_colours()
    kiosk.run(after_ms, GOOD)
    kiosk.run(options.lost_ms + 67, NOBODY)
    assert kiosk.lit_until_ms is None
    assert kiosk.phase() is Phase.PROBLEM
    assert max(kiosk.field, key=lambda state: state.t_ns).rgb == NEUTRAL_RGB
    light_is_safe(kiosk)


@pytest.mark.slow
@given(st.lists(st.tuples(st.integers(0, 3300), slots), min_size=2, max_size=4))
@settings(max_examples=examples(20))
def test_attempts_in_a_row_with_repeats_and_aborts_are_safe_light(
    attempts: list[tuple[int, tuple[int, ...]]],
) -> None:
    kiosk = Kiosk(SessionOptions(attempts=10, problem_ms=1500, hold_ms=300, settle_ms=700))
    kiosk.to_colours()
    for after_ms, bad_slots in attempts:
        kiosk.run(after_ms, GOOD)
        answer(kiosk, True, bad_slots)
        kiosk.run(after_ms, GOOD)
        kiosk.run(400, Observed(1, reasons=(Reason.MOVING,)))
        kiosk.run(2300, GOOD, every_ms=50)
        if kiosk.state.phase is Phase.SETTLE:
            kiosk.send(CameraSettled(kiosk.state.job, locked=True))
            kiosk.run(50, GOOD)
    light_is_safe(kiosk)


@pytest.mark.slow
def test_random_sequences_reach_every_phase() -> None:
    """A property that never leaves idle proves nothing."""
    seen: set[Phase] = set()

    @given(st.lists(moves, min_size=20, max_size=40))
    @settings(max_examples=examples(40), database=None, derandomize=True)
    def explore(played: list[tuple[str, Any]]) -> None:
        kiosk = Kiosk()
        for move in played:
            play(kiosk, move)
            seen.add(kiosk.state.phase)

    explore()
    assert seen == set(Phase) - {Phase.ENDED}
