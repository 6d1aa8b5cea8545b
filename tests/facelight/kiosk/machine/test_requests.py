"""Sessions that a program asks for: who begins one, and how each request is answered."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import pytest

from facelight.config.session_options import SessionOptions
from facelight.kiosk.machine.effects import Emit, OpenSession, ShowScene
from facelight.kiosk.machine.events import (
    CameraSettled,
    ClipReady,
    DeviceLost,
    LightFinished,
    Observed,
    Pressed,
    Requested,
    Withdrawn,
)
from facelight.kiosk.machine.state import (
    ButtonAction,
    Device,
    Phase,
    Problem,
    SessionTerms,
    View,
)
from preprocess.reasons import Reason
from tests.facelight.kiosk.machine.test_step import GOOD, NOBODY, Kiosk

ASKED = Requested(SessionTerms())


def kiosk_of(start: Literal["presence", "touch", "request"] = "request") -> Kiosk:
    kiosk = Kiosk(SessionOptions(start=start))
    kiosk.run(1200, NOBODY)
    return kiosk


def emitted(kiosk: Kiosk, name: str) -> list[dict[str, object]]:
    return [dict(effect.data) for effect in kiosk.found(Emit) if effect.name == name]


@pytest.mark.parametrize(
    ("start", "seen", "touched"),
    [
        pytest.param("presence", True, True, id="presence"),
        pytest.param("touch", False, True, id="touch"),
        pytest.param("request", False, False, id="request"),
    ],
)
def test_a_session_begins_by_what_the_setting_says(
    start: Literal["presence", "touch", "request"], seen: bool, touched: bool
) -> None:
    kiosk = kiosk_of(start)
    kiosk.run(2000, GOOD)
    assert (kiosk.phase() is Phase.NOTICE) is seen
    kiosk = kiosk_of(start)
    kiosk.send(Pressed(ButtonAction.START))
    assert (kiosk.phase() is Phase.NOTICE) is touched
    kiosk = kiosk_of(start)
    kiosk.send(ASKED)
    kiosk.run(50, NOBODY)
    assert kiosk.phase() is Phase.NOTICE


def test_a_kiosk_that_waits_for_requests_offers_no_start() -> None:
    assert kiosk_of().scene.choices == ()


def test_the_notice_waits_for_the_person_and_is_then_up_for_its_whole_time() -> None:
    kiosk = kiosk_of()
    kiosk.send(ASKED)
    kiosk.run(30_000, NOBODY)
    assert kiosk.view() is View.NOTICE
    kiosk.run(4900, GOOD)
    assert kiosk.view() is View.NOTICE
    kiosk.run(1000, GOOD)
    assert kiosk.phase() is Phase.POSITION


def test_a_request_to_which_nobody_comes_ends() -> None:
    kiosk = kiosk_of()
    kiosk.send(ASKED)
    kiosk.run(91_000, NOBODY)
    assert kiosk.phase() is Phase.IDLE
    assert emitted(kiosk, "idle")[-1] == {"after": "no_answer"}


def test_a_request_right_after_a_session_waits_until_the_screen_may_change() -> None:
    kiosk = Kiosk(SessionOptions(start="request"))
    kiosk.send(ASKED)
    assert kiosk.phase() is Phase.IDLE
    kiosk.run(900, NOBODY)
    assert kiosk.phase() is Phase.IDLE
    kiosk.run(200, NOBODY)
    assert kiosk.phase() is Phase.NOTICE


def test_a_session_without_light_announces_and_runs_none() -> None:
    kiosk = kiosk_of()
    kiosk.send(Requested(SessionTerms(light=False)))
    kiosk.run(100, GOOD)
    assert kiosk.scene == ShowScene(
        View.NOTICE, choices=(ButtonAction.START, ButtonAction.CANCEL), light=False
    )
    kiosk.run(6000, GOOD)
    assert kiosk.found(OpenSession) == [OpenSession(light=False)]


def test_the_language_is_handed_on() -> None:
    kiosk = kiosk_of()
    kiosk.send(Requested(SessionTerms(language="de")))
    kiosk.run(100, NOBODY)
    assert emitted(kiosk, "requested") == [{"light": True, "language": "de"}]


@pytest.mark.parametrize(
    ("ms", "lost", "why"),
    [
        pytest.param(2000, False, "busy", id="a session is under way"),
        pytest.param(0, True, "out_of_order", id="no camera"),
    ],
)
def test_a_request_that_cannot_be_served_is_refused(ms: int, lost: bool, why: str) -> None:
    kiosk = kiosk_of("presence")
    kiosk.run(ms, GOOD)
    if lost:
        kiosk.send(DeviceLost(Device.CAMERA))
    kiosk.send(ASKED)
    assert emitted(kiosk, "refused") == [{"why": why}]


def test_a_camera_lost_before_the_session_begins_refuses_it() -> None:
    kiosk = Kiosk(SessionOptions(start="request"))
    kiosk.send(ASKED)
    kiosk.send(DeviceLost(Device.CAMERA))
    kiosk.run(100, NOBODY)
    assert emitted(kiosk, "refused") == [{"why": "out_of_order"}]
    assert kiosk.state.limit_ns is None


def to_phase(kiosk: Kiosk, phase: Phase) -> None:
    kiosk.send(ASKED)
    for _ in range(2000):
        if kiosk.phase() is phase:
            return
        kiosk.run(33, GOOD)
        if kiosk.phase() is Phase.SETTLE:
            kiosk.send(CameraSettled(kiosk.state.job, locked=True))
        if kiosk.phase() is Phase.COLOURS and phase is Phase.PROBLEM:
            kiosk.run(400, Observed(1, reasons=(Reason.MOVING,)))
        elif kiosk.phase() is Phase.COLOURS and phase in (Phase.FINISH, Phase.DELIVER):
            kiosk.run(3400, GOOD)
            kiosk.send(LightFinished(kiosk.state.job))
        if kiosk.phase() is Phase.FINISH and phase is Phase.DELIVER:
            kiosk.send(ClipReady(kiosk.state.job, accepted=True))
    raise AssertionError(f"no way to {phase}")


@pytest.mark.parametrize(
    "phase",
    [Phase.NOTICE, Phase.POSITION, Phase.SETTLE, Phase.COLOURS, Phase.FINISH, Phase.PROBLEM],
)
def test_a_request_is_withdrawn_until_the_pictures_are_sent(phase: Phase) -> None:
    kiosk = kiosk_of()
    to_phase(kiosk, phase)
    kiosk.send(Withdrawn())
    assert kiosk.phase() is Phase.IDLE
    assert emitted(kiosk, "idle")[-1] == {"after": "cancelled"}
    assert not kiosk.open


def test_what_is_being_delivered_is_not_withdrawn() -> None:
    kiosk = kiosk_of()
    to_phase(kiosk, Phase.DELIVER)
    kiosk.send(Withdrawn())
    assert kiosk.phase() is Phase.DELIVER


def test_who_came_alone_is_not_withdrawn() -> None:
    kiosk = kiosk_of("presence")
    kiosk.run(2000, GOOD)
    kiosk.send(Withdrawn())
    assert kiosk.phase() is Phase.NOTICE


def test_the_time_limit_ends_a_session_with_its_cause() -> None:
    kiosk = kiosk_of()
    kiosk.send(Requested(SessionTerms(limit_ms=15_000)))
    far = Observed(1, reasons=(Reason.FACE_TOO_SMALL,))
    kiosk.run(16_000, far)
    (problem,) = emitted(kiosk, "problem")
    assert (problem["problem"], problem["cause"], problem["retry"]) == (
        Problem.TIME,
        "closer",
        False,
    )


def test_the_time_limit_lets_no_further_attempt_begin() -> None:
    kiosk = kiosk_of()
    to_phase(kiosk, Phase.PROBLEM)
    kiosk.state = replace(kiosk.state, limit_ns=kiosk.now_ns)
    kiosk.run(6000, GOOD)
    assert kiosk.phase() is Phase.IDLE
