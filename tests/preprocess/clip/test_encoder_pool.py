"""Bounded room, no wait without end, no leaked thread, no swallowed failure."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from capture.frame import ImageU8
from preprocess.clip.encoder_pool import EncoderPool
from preprocess.errors import EncodeError
from tests.preprocess.clip.crops import flat

CROP = flat(1, 4, 4)


class Gate:
    """An encoder that stays in its work until it is opened."""

    def __init__(self) -> None:
        self.began = threading.Event()
        self.opened = threading.Event()
        self.calls = 0

    def encode(self, pixels: ImageU8) -> int:
        self.calls += 1
        self.began.set()
        assert self.opened.wait(600)
        return int(pixels[0, 0, 0])


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.opened.set()


@pytest.fixture
def pool(gate) -> Iterator[EncoderPool[int]]:
    """One thread and room for two crops."""
    yield from ending(EncoderPool(workers=1, places=2, stall_s=60), gate)


@pytest.fixture
def impatient(gate) -> Iterator[EncoderPool[int]]:
    """The same, for what never comes."""
    yield from ending(EncoderPool(workers=1, places=2, stall_s=0.05), gate)


def ending(pool: EncoderPool[int], gate: Gate) -> Iterator[EncoderPool[int]]:
    yield pool
    gate.opened.set()
    pool.close()
    assert not [t for t in threading.enumerate() if t.name.startswith("still-encoder")]


def begin(pool, gate):
    assert pool.reserve(wait=True)
    job = pool.hold(CROP, gate.encode)
    pool.start(job)
    return job


def test_room_counts_crops_in_work_and_waiting(pool, gate):
    begin(pool, gate)
    begin(pool, gate)
    assert pool.fullness == 1.0
    assert not pool.reserve(wait=False)


def test_a_wait_for_room_ends_with_an_error_that_says_so(impatient, gate):
    begin(impatient, gate)
    begin(impatient, gate)
    with pytest.raises(EncodeError, match="stalled"):
        impatient.reserve(wait=True)


def test_a_wait_for_a_still_ends_too(impatient, gate):
    job = begin(impatient, gate)
    with pytest.raises(EncodeError, match=r"more than 0\.05 s"):
        impatient.result(job)


def test_room_comes_back_when_a_still_is_done(pool, gate):
    first, _ = begin(pool, gate), begin(pool, gate)
    gate.opened.set()
    assert pool.reserve(wait=True)
    assert pool.result(first) == 1


def test_a_cancelled_crop_is_not_encoded_and_gives_its_room_back_once(pool, gate):
    begin(pool, gate)
    assert gate.began.wait(60)
    waiting = begin(pool, gate)
    waiting.cancel()
    waiting.cancel()
    assert pool.fullness == 0.5
    gate.opened.set()
    pool.close()
    assert gate.calls == 1
    assert pool.fullness == 0.0


def test_cancelling_what_is_in_work_leaves_its_room_to_the_worker(pool, gate):
    job = begin(pool, gate)
    assert gate.began.wait(60)
    job.cancel()
    assert pool.fullness == 0.5
    gate.opened.set()
    assert pool.result(job) == 1


def test_what_a_thread_raises_reaches_the_caller_at_the_next_call(pool):
    def broken(pixels: ImageU8) -> int:
        raise MemoryError("no room for a picture")

    assert pool.reserve(wait=True)
    job = pool.hold(CROP, broken)
    pool.start(job)
    with pytest.raises(MemoryError, match="no room for a picture"):
        pool.result(job)
    with pytest.raises(MemoryError, match="no room for a picture"):
        pool.reserve(wait=True)


def test_a_job_that_was_never_started_is_not_waited_for(pool, gate):
    assert pool.reserve(wait=True)
    with pytest.raises(EncodeError, match="not started"):
        pool.result(pool.hold(CROP, gate.encode))


def test_map_does_all_items_and_raises_what_one_raised(pool):
    done: list[int] = []
    pool.map(done.append, [1, 2, 3])
    assert sorted(done) == [1, 2, 3]
    with pytest.raises(ZeroDivisionError):
        pool.map(lambda n: done.append(1 // n), [1, 0, 2])


def test_close_forgets_what_waits(pool, gate):
    begin(pool, gate)
    assert gate.began.wait(60)
    begin(pool, gate)
    gate.opened.set()
    pool.close()
    pool.close()
    assert gate.calls <= 2
