"""Locks asked for by one thread and done by another, step by step on this one."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from capture.live.options import LiveOptions
from capture.live.reading.lock_requests import LockRequests, is_locked
from capture.live.webcam.controls import CameraControls
from capture.live.webcam.properties import V4L2, Property
from tests.capture.live.fakes import FakeDevice, Hardware
from tests.waiting import until


class Asker:
    """Asks in a thread of its own and keeps the answer."""

    def __init__(self, locks: LockRequests, *, locked: bool, timeout_s: float = 600) -> None:
        self.answers: list[bool] = []
        self._thread = threading.Thread(
            target=lambda: self.answers.append(locks.ask(locked=locked, timeout_s=timeout_s))
        )
        self._thread.start()

    def answer(self) -> bool:
        self._thread.join(60)
        return self.answers[0]


@pytest.fixture
def hardware() -> Hardware:
    return Hardware()


@pytest.fixture
def serve(hardware: Hardware) -> Callable[[LockRequests], None]:
    controls = CameraControls(FakeDevice(hardware), V4L2, LiveOptions())
    controls.prepare()
    return lambda locks: locks.serve(controls, lambda: hardware.level)


def asked(locks: LockRequests, *, locked: bool) -> Asker:
    """Return an asker whose request has reached the locks."""
    before = locks._ticket
    asker = Asker(locks, locked=locked)
    until(lambda: locks._ticket > before)
    return asker


def test_a_lock_takes_some_frames_and_reports(serve, hardware: Hardware) -> None:
    locks = LockRequests()
    asker = asked(locks, locked=True)
    for _ in range(30):
        serve(locks)
    assert asker.answer()
    assert is_locked(locks.report)


def test_an_unlock_in_the_middle_of_a_lock_wins(serve, hardware: Hardware) -> None:
    locks = LockRequests()
    first = asked(locks, locked=True)
    for _ in range(4):
        serve(locks)
    assert hardware.properties[Property.AUTO_EXPOSURE] == 1.0
    second = asked(locks, locked=False)
    serve(locks)
    assert second.answer()
    assert not first.answer()
    assert hardware.properties[Property.AUTO_EXPOSURE] == 3.0
    assert locks.report == {}


def test_a_second_lock_starts_anew(serve) -> None:
    locks = LockRequests()
    first = asked(locks, locked=True)
    serve(locks)
    second = asked(locks, locked=True)
    for _ in range(30):
        serve(locks)
    assert not first.answer()
    assert second.answer()
    assert is_locked(locks.report)


def test_a_lost_camera_answers_whoever_waits(serve, hardware: Hardware) -> None:
    locks = LockRequests()
    asker = asked(locks, locked=True)
    for _ in range(4):
        serve(locks)
    locks.drop()
    assert asker.answer()
    assert not is_locked(locks.report)
    assert hardware.properties[Property.AUTO_EXPOSURE] == 3.0


def test_nobody_asks_and_nothing_happens(serve, hardware: Hardware) -> None:
    before = dict(hardware.properties)
    serve(LockRequests())
    assert hardware.properties == before


def test_a_camera_without_controls_answers_at_once() -> None:
    locks = LockRequests()
    asker = asked(locks, locked=True)
    locks.serve(None, lambda: 0.0)
    assert asker.answer()
    assert not is_locked(locks.report)


def test_a_lock_that_nobody_waits_for_any_more_is_undone(serve, hardware: Hardware) -> None:
    locks = LockRequests()
    assert not locks.ask(locked=True, timeout_s=0)
    hardware.properties[Property.AUTO_EXPOSURE] = 1.0
    serve(locks)
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
