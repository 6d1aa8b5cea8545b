"""Work beside the main thread."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from facelight.kiosk.background import NoWorkers, ThreadWorkers
from tests.waiting import until


def waiting(gate: threading.Event) -> Callable[[], None]:
    def wait() -> None:
        gate.wait(600)

    return wait


def test_work_in_order_never_overtakes() -> None:
    workers, done = ThreadWorkers(), list[str]()
    gate = threading.Event()
    workers.in_order(lambda: done.append("lock" if gate.wait(600) else "never"))
    workers.in_order(lambda: done.append("unlock"))
    gate.set()
    workers.close(60)
    assert done == ["lock", "unlock"]


def test_work_apart_waits_for_nobody() -> None:
    workers, done = ThreadWorkers(), list[str]()
    gate = threading.Event()
    workers.in_order(waiting(gate))
    workers.apart(lambda: done.append("sent"))
    until(lambda: done == ["sent"])
    gate.set()
    workers.close(60)


def test_what_work_raises_is_raised_where_it_is_checked() -> None:
    workers = ThreadWorkers()
    workers.in_order(lambda: 1 // 0)  # type: ignore[arg-type]
    with pytest.raises(ZeroDivisionError):
        until(lambda: bool(workers.check()))  # type: ignore[func-returns-value]  # it raises
    workers.close(60)


def test_closing_does_not_wait_for_what_never_ends() -> None:
    before = threading.active_count()
    workers, gate, done = ThreadWorkers(), threading.Event(), list[str]()
    workers.apart(lambda: done.append("sent" if gate.wait() else "never"))
    workers.close(0.1)
    assert done == []
    gate.set()
    until(lambda: threading.active_count() == before)
    assert done == ["sent"]


def test_without_workers_everything_is_done_at_once() -> None:
    done: list[int] = []
    workers = NoWorkers()
    workers.in_order(lambda: done.append(1))
    workers.apart(lambda: done.append(2))
    workers.check()
    workers.close(0)
    assert done == [1, 2]
