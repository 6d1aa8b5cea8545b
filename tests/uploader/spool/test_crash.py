"""kill -9 at every named step and at random moments: everything accepted arrives, whole.

A child process keeps and delivers; "the service" is a file it appends each received body's digest
to, before it answers. The parent kills it, looks at what is on the disk, starts again and counts.
"""

from __future__ import annotations

import os
import random
import signal
from collections import Counter
from functools import partial
from pathlib import Path

import pytest

from tests.effort import examples
from tests.uploader.faults import HookedDisk, killing
from tests.uploader.samples import WEBP, submission
from uploader.api.decision import Decision, LivenessDecision
from uploader.api.submission import Outcome
from uploader.http.multipart import digest
from uploader.spool.delivery import DeliveryWorker
from uploader.spool.item import KEPT
from uploader.spool.limits import SpoolLimits
from uploader.spool.opening import open_spool

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL"),
    # Python 3.12 warns of the thread in which a worker of pytest-xdist listens: no matter here
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning"),
]

KILLS = examples(200)
LIMITS = SpoolLimits(min_free_bytes=0)
CANARY = b"canary-face-bytes"


class FileService:
    """Takes a submission, notes what it received, answers."""

    def __init__(self, received: Path) -> None:
        self.received = received

    def detect(self, sent):
        assert digest(sent.body) == sent.digest
        note(self.received, f"{sent.digest} {sent.client_request_id}")
        decision = Decision(LivenessDecision.REALFACE, "realface", None, None)
        return Outcome.of_decision(sent, decision, (200, "rq", 1))


def note(path: Path, line: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(descriptor, f"{line}\n".encode())
    os.close(descriptor)


def lines(path: Path) -> list[str]:
    text = path.read_text() if path.exists() else ""
    return text.splitlines()


def work(base: Path, count: int, disk: HookedDisk) -> None:
    """Keep ``count`` submissions, delivering every other one at once and the rest at the end."""
    with open_spool(base / "spool", LIMITS, environment={}, disk=disk) as spool:
        worker = DeliveryWorker(spool, FileService(base / "received"))
        for number in range(count):
            sent = submission(CANARY + number.to_bytes(4, "big") + os.urandom(8))
            worker.submit(sent)
            note(base / "accepted", f"{sent.digest} {sent.client_request_id}")
            if number % 2:
                worker.drain()
        worker.drain()


def in_child(task) -> int:
    """Run ``task`` in a forked child and return its process id."""
    child = os.fork()
    if child == 0:
        try:
            task()
            os._exit(0)
        finally:
            os._exit(9)
    return child


def unreadable(base: Path) -> None:
    for path in (base / "spool").rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert CANARY not in data, path
            assert WEBP[:20] not in data, path


def check(base: Path) -> None:
    """Start again, deliver the rest, and compare what was accepted with what arrived."""
    unreadable(base)
    with open_spool(base / "spool", LIMITS, environment={}) as spool:
        DeliveryWorker(spool, FileService(base / "received")).drain()
        assert list(spool.items(KEPT)) == []
        assert spool.store.ids() == set()
    assert [p.name for p in (base / "spool" / "items").iterdir()] == []
    accepted, received = lines(base / "accepted"), Counter(lines(base / "received"))
    assert set(accepted) <= set(received)


WHEN = ["before", "after"]
OF_KEEPING = ["create", "write", "half_write", "sync", "rename", "sync_directory"]
OF_DESTROYING = ["erase", "unlink"]


@pytest.mark.slow
@pytest.mark.parametrize("step", [*OF_KEEPING, *OF_DESTROYING])
@pytest.mark.parametrize("when", WHEN)
@pytest.mark.parametrize("occurrence", [1, 3])
def test_killed_at_a_named_step(tmp_path, step, when, occurrence):
    seen = Counter[str]()

    def hook(now):
        seen[now] += 1
        if now == step and seen[now] >= occurrence + 2:
            killing(step)(now)

    disk = HookedDisk(**{when: hook})
    child = in_child(lambda: work(tmp_path, 6, disk))
    _, status = os.waitpid(child, 0)
    killed = os.WIFSIGNALED(status)
    assert killed or (step == "half_write" and when == "before"), status
    check(tmp_path)


def test_killed_while_noting_that_it_arrived(tmp_path):
    """Between the answer and the commit: it is sent again, the same bytes under the same id."""

    class Dies(FileService):
        def detect(self, sent):
            super().detect(sent)
            os.kill(os.getpid(), signal.SIGKILL)

    def task():
        with open_spool(tmp_path / "spool", LIMITS, environment={}) as spool:
            DeliveryWorker(spool, Dies(tmp_path / "received")).submit(submission(CANARY))
            DeliveryWorker(spool, Dies(tmp_path / "received")).drain()

    os.waitpid(in_child(task), 0)
    check(tmp_path)
    (twice,) = Counter(lines(tmp_path / "received")).values()
    assert twice == 2


def work_until(cpu_s, base):
    """Work and be ended, as by SIGKILL, after that much work: a busy machine only takes longer."""
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_PROF, cpu_s)
    work(base, 2000, HookedDisk())


@pytest.mark.slow
def test_killed_at_random_moments(tmp_path):
    rng = random.Random(5)
    deaths = 0
    for round_number in range(KILLS):
        child = in_child(partial(work_until, rng.uniform(0.001, 0.05), tmp_path))
        _, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status), status
        deaths += 1
        if round_number % 10 == 9:
            check(tmp_path)
    check(tmp_path)
    assert deaths == KILLS
    assert len(lines(tmp_path / "accepted")) > KILLS
