"""Work beside the main thread."""

from __future__ import annotations

import threading
import time

import pytest

from facelight.kiosk.background import NoWorkers, ThreadWorkers
from tests.facelight.kiosk.cameras import wait_until


def test_work_in_order_never_overtakes() -> None:
    workers, done = ThreadWorkers(), []
    gate = threading.Event()
    workers.in_order(lambda: (gate.wait(10), done.append("lock")))
    workers.in_order(lambda: done.append("unlock"))
    gate.set()
    workers.close(10)
    assert done == ["lock", "unlock"]


def test_work_apart_waits_for_nobody() -> None:
    workers, done = ThreadWorkers(), []
    gate = threading.Event()
    workers.in_order(lambda: (gate.wait(10), None))
    workers.apart(lambda: done.append("sent"))
    wait_until(lambda: done == ["sent"])
    gate.set()
    workers.close(10)


def test_what_work_raises_is_raised_where_it_is_checked() -> None:
    workers = ThreadWorkers()
    workers.in_order(lambda: 1 // 0)  # type: ignore[arg-type]
    with pytest.raises(ZeroDivisionError):
        wait_until(lambda: workers.check() is not None)
    workers.close(10)


def test_closing_is_bounded_and_leaves_no_thread_of_finished_work() -> None:
    before = threading.active_count()
    workers, gate = ThreadWorkers(), threading.Event()
    workers.apart(lambda: (gate.wait(10), None))
    begun_s = time.monotonic()
    workers.close(0.1)
    assert time.monotonic() - begun_s < 5
    gate.set()
    wait_until(lambda: threading.active_count() == before)


def test_without_workers_everything_is_done_at_once() -> None:
    done: list[int] = []
    workers = NoWorkers()
    workers.in_order(lambda: done.append(1))
    workers.apart(lambda: done.append(2))
    workers.check()
    workers.close(0)
    assert done == [1, 2]
