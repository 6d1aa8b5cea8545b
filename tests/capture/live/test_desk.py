"""Locks asked for by one thread and done by another, step by step on this one."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from capture.live.controls import CameraControls
from capture.live.desk import LockDesk, is_locked
from capture.live.options import LiveOptions
from capture.live.properties import V4L2, Property
from tests.capture.live.fakes import FakeDevice, Hardware, until


class Asker:
    """Asks in a thread of its own and keeps the answer."""

    def __init__(self, desk: LockDesk, *, locked: bool, timeout_s: float = 30) -> None:
        self.answers: list[bool] = []
        self._thread = threading.Thread(
            target=lambda: self.answers.append(desk.ask(locked=locked, timeout_s=timeout_s))
        )
        self._thread.start()

    def answer(self) -> bool:
        self._thread.join(10)
        return self.answers[0]


@pytest.fixture
def hardware() -> Hardware:
    return Hardware()


@pytest.fixture
def serve(hardware: Hardware) -> Callable[[LockDesk], None]:
    controls = CameraControls(FakeDevice(hardware), V4L2, LiveOptions())
    controls.prepare()
    return lambda desk: desk.serve(controls, lambda: hardware.level)


def asked(desk: LockDesk, *, locked: bool) -> Asker:
    """Return an asker whose request has reached the desk."""
    before = desk._ticket
    asker = Asker(desk, locked=locked)
    until(lambda: desk._ticket > before)
    return asker


def test_a_lock_takes_some_frames_and_reports(serve, hardware: Hardware) -> None:
    desk = LockDesk()
    asker = asked(desk, locked=True)
    for _ in range(30):
        serve(desk)
    assert asker.answer()
    assert is_locked(desk.report)


def test_an_unlock_in_the_middle_of_a_lock_wins(serve, hardware: Hardware) -> None:
    desk = LockDesk()
    first = asked(desk, locked=True)
    for _ in range(4):
        serve(desk)
    assert hardware.properties[Property.AUTO_EXPOSURE] == 1.0
    second = asked(desk, locked=False)
    serve(desk)
    assert second.answer()
    assert not first.answer()
    assert hardware.properties[Property.AUTO_EXPOSURE] == 3.0
    assert desk.report == {}


def test_a_second_lock_starts_anew(serve) -> None:
    desk = LockDesk()
    first = asked(desk, locked=True)
    serve(desk)
    second = asked(desk, locked=True)
    for _ in range(30):
        serve(desk)
    assert not first.answer()
    assert second.answer()
    assert is_locked(desk.report)


def test_a_lost_camera_answers_whoever_waits(serve, hardware: Hardware) -> None:
    desk = LockDesk()
    asker = asked(desk, locked=True)
    for _ in range(4):
        serve(desk)
    desk.drop()
    assert asker.answer()
    assert not is_locked(desk.report)
    assert hardware.properties[Property.AUTO_EXPOSURE] == 3.0


def test_nobody_asks_and_nothing_happens(serve, hardware: Hardware) -> None:
    before = dict(hardware.properties)
    serve(LockDesk())
    assert hardware.properties == before


def test_a_camera_without_controls_answers_at_once() -> None:
    desk = LockDesk()
    asker = asked(desk, locked=True)
    desk.serve(None, lambda: 0.0)
    assert asker.answer()
    assert not is_locked(desk.report)


def test_a_lock_that_nobody_waits_for_any_more_is_undone(serve, hardware: Hardware) -> None:
    desk = LockDesk()
    assert not desk.ask(locked=True, timeout_s=0)
    hardware.properties[Property.AUTO_EXPOSURE] = 1.0
    serve(desk)
    assert hardware.properties[Property.AUTO_EXPOSURE] == 3.0


@pytest.mark.parametrize(
    ("report", "locked"),
    [
        ({}, False),
        ({"exposure": {"locked": True}}, False),
        ({"exposure": {"locked": True}, "white_balance": {"locked": False}}, False),
        ({"exposure": {"locked": True}, "white_balance": {"locked": True}}, True),
        ({"exposure": 3, "white_balance": None}, False),
    ],
)
def test_locked_means_exposure_and_white_balance(report, locked: bool) -> None:
    assert is_locked(report) is locked
