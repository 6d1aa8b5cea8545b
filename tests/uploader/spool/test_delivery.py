"""Delivery: what is sent when, in which order, and what becomes of it; a fake clock, real sockets.

``drive`` does what the thread does, with time that passes at once.
"""

from __future__ import annotations

import errno
import threading
from typing import Any

import httpx
import pytest

from tests.uploader import socket_service as net
from tests.uploader.faults import HookedDisk, failing
from tests.uploader.samples import KEY, submission
from tests.uploader.socket_service import serving
from tests.uploader.spool.test_spool import files, opened
from uploader.api.detect import DetectClient, DetectOptions
from uploader.api.submission import Origin
from uploader.errors import DiskError, SpoolError, SpoolFullError, UnauthorizedError
from uploader.http.credentials import BearerToken
from uploader.http.endpoint import Endpoint
from uploader.http.exchange import HttpOptions, Timeouts
from uploader.retry import RetryPolicy
from uploader.spool.delivery import BREAKER_MAX_S, DeliveryWorker, EventKind, Ticket
from uploader.spool.item import ItemState
from uploader.spool.limits import SpoolLimits
from uploader.testing import (
    FakeClock,
    FakeTransport,
    Scripted,
    as_json,
    bad_request,
    out_of_quota,
    rate_limited,
    realface,
    unauthorized,
)

POLICY = RetryPolicy(jitter=0.0)
PATIENT = DetectOptions(HttpOptions(Timeouts(read_s=60.0)))
IMPATIENT = DetectOptions(HttpOptions(Timeouts(read_s=0.3, write_s=0.3)))
DAY_S = 86_400.0


def delivered(ticket: Ticket) -> bool:
    outcome = ticket.wait(60)
    return outcome is not None and outcome.delivered


def ended(worker: DeliveryWorker) -> None:
    """Wait for the worker's thread to end by itself."""
    thread = worker._thread
    assert thread is not None
    thread.join(60)
    assert not thread.is_alive()


class Kiosk:
    """A spool, a worker, a clock, and everything the listener heard."""

    def __init__(self, spool, client, clock, policy=POLICY):
        self.spool, self.clock = spool, clock
        self.events: list[Any] = []
        self.worker = DeliveryWorker(
            spool, client, policy, listener=self.events.append, chance=lambda: 0.5
        )

    def drive(self, until_s=1e9, steps=3000):
        """Do what is to do until nothing is left, letting time pass at once."""
        for _ in range(steps):
            wait_s = self.worker.step()
            if wait_s is None:
                return
            if self.clock.monotonic_s() + wait_s > until_s:
                return
            self.clock.advance(wait_s)
        raise AssertionError("there is no end to it")

    @property
    def kinds(self):
        return [str(event.kind) for event in self.events]

    def states(self):
        return [str(item.state) for item in self.spool.items()]


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def disk():
    return HookedDisk()


@pytest.fixture
def spool(tmp_path, clock, disk):
    limits = SpoolLimits(min_free_bytes=0, retention_s=30 * DAY_S)
    with opened(tmp_path, limits, clock=clock, disk=disk) as made:
        yield made


@pytest.fixture
def over(spool, clock):
    """Return a kiosk that talks to a scripted fake, and the fake."""

    def make(*steps, policy=POLICY):
        transport = FakeTransport(*steps)
        client = DetectClient(Endpoint("https://a.example"), KEY, transport=transport, clock=clock)
        return Kiosk(spool, client, clock, policy), transport

    return make


ONCE = [
    pytest.param(net.answer(503, b"", Retry_After="7"), [0, 7], id="503, seconds"),
    pytest.param(
        net.answer(503, b"", Retry_After="Mon, 05 Jan 2026 12:00:40 GMT"), [0, 40], id="503, date"
    ),
    pytest.param(net.answer(503, b""), [0, 2], id="503, nothing named"),
    pytest.param(net.message(429, "Try again in 26 seconds."), [0, 26], id="429, text only"),
    pytest.param(
        net.message(403, "Out of call volume quota. Quota will be replenished in 2 days."),
        [0, 2 * DAY_S],
        id="403 quota",
    ),
    pytest.param(net.answer(408, b"OperationTimeOut."), [0, 2], id="408"),
    pytest.param(net.answer(307, b"", Location="http://127.0.0.1:9/"), [0, 2], id="307"),
    pytest.param(net.close_before, [0, 2], id="closed before"),
    pytest.param(net.close_during, [0, 2], id="closed during the body"),
    pytest.param(net.close_after, [0, 2], id="closed after the body"),
    pytest.param(net.half_answer, [0, 2], id="half an answer"),
    pytest.param(net.announce_huge, [0, 2], id="oversized"),
    pytest.param(net.answer(200, b"{oops"), [0, 2], id="invalid JSON"),
    pytest.param(net.bomb, [0, 2], id="gzip bomb"),
    pytest.param(net.garbage, [0, 2], id="no HTTP"),
    pytest.param(net.stall, [0, 2], id="stall"),
]


@pytest.mark.parametrize(("fault", "times"), ONCE)
def test_a_fault_is_tried_again_at_its_time_with_the_same_bytes(spool, clock, fault, times):
    began, at = clock.monotonic_s(), []
    sent = submission()
    heard = serving(fault, net.answer(), on_request=lambda: at.append(clock.monotonic_s() - began))
    with heard as service:

        def client(options):
            # Deadlines run on the real clock here, dates and waits on the fake one.
            made = DetectClient(service.endpoint, KEY, options)
            made._exchange.clock = clock
            return made

        kiosk = Kiosk(spool, client(IMPATIENT if fault is net.stall else PATIENT), clock)
        ticket = kiosk.worker.submit(sent)
        kiosk.worker.step()
        kiosk.worker._detector = client(PATIENT)  # only the fault is to meet a short deadline
        kiosk.drive()
    assert at == pytest.approx(times)
    whole = [talk for talk in service.talks if len(talk.body) == sent.size]
    assert {talk.body for talk in whole} == {sent.body}
    assert {talk.headers["client-request-id"] for talk in whole} == {sent.client_request_id}
    assert kiosk.states() == ["delivered"]
    assert ticket.settled
    assert files(spool) == []


@pytest.mark.parametrize("number", range(1, 15))
def test_a_400_is_final_and_its_advice_is_told(over, number):
    kiosk, transport = over(bad_request(number))
    ticket = kiosk.worker.submit(submission())
    kiosk.drive()
    assert len(transport.requests) == 1
    assert kiosk.states() == ["refused"]
    assert ticket.settled
    assert ticket.wait(0).error.advice
    assert files(kiosk.spool) == []


@pytest.mark.parametrize(
    "step", [unauthorized(), Scripted(404), Scripted(403)], ids=["401", "404", "403"]
)
def test_what_the_operator_must_cure_stops_everything_and_loses_nothing(over, step):
    kiosk, transport = over(step)
    for n in range(3):
        kiosk.worker.submit(submission(bytes([n])))
    kiosk.drive()
    assert len(transport.requests) == 1
    assert kiosk.kinds == ["stopped"]
    assert kiosk.states() == ["queued"] * 3
    transport.script([realface()])
    kiosk.worker.resume()
    kiosk.drive()
    assert kiosk.states() == ["delivered"] * 3


def test_while_stopped_a_new_submission_is_kept_and_told_why(over):
    kiosk, _ = over(unauthorized())
    kiosk.worker.submit(submission(b"1"))
    kiosk.drive()
    assert isinstance(kiosk.worker.stopped, UnauthorizedError)
    ticket = kiosk.worker.submit(submission(b"2"))
    assert ticket.wait(0).error.code == "unauthorized"
    assert not ticket.settled


def test_a_415_is_held_told_and_blocks_nobody(over):
    kiosk, _ = over(as_json(415, {"error": {"message": "Invalid Media Type."}}), realface())
    for n in range(2):
        kiosk.worker.submit(submission(bytes([n])))
    kiosk.drive()
    assert kiosk.states() == ["held", "delivered"]
    assert kiosk.kinds == ["held", "delivered"]


def test_an_expired_token_holds_its_own_session_only(over):
    kiosk, transport = over(unauthorized(), realface())
    kiosk.worker.submit(submission(b"1", Origin(session_id="s1", token=BearerToken("old"))))
    kiosk.worker.submit(submission(b"2", Origin(session_id="s2", token=BearerToken("new"))))
    kiosk.drive()
    assert kiosk.states() == ["held", "delivered"]
    assert kiosk.events[0].error.code == "token_expired"
    assert [r.headers["authorization"] for r in transport.requests] == ["Bearer old", "Bearer new"]


def sent_order(transport, sent):
    return [
        next(n for n, s in enumerate(sent) if s.client_request_id == r.headers["client-request-id"])
        for r in transport.requests
    ]


@pytest.mark.parametrize("fault", [rate_limited(26), out_of_quota(1)], ids=["429", "403 quota"])
def test_when_the_service_pauses_everything_the_order_is_kept(over, fault):
    kiosk, transport = over(fault, realface())
    sent = [submission(bytes([n])) for n in range(4)]
    for one in sent:
        kiosk.worker.submit(one)
    kiosk.drive()
    assert sent_order(transport, sent) == [0, 0, 1, 2, 3]


def test_after_an_outage_all_arrive_in_order(spool, clock):
    sent = [submission(bytes([n])) for n in range(5)]
    with serving(net.answer()) as gone:
        where = gone.endpoint
    client = DetectClient(where, KEY, PATIENT)
    kiosk = Kiosk(spool, client, clock)
    for one in sent:
        kiosk.worker.submit(one)
    kiosk.drive(until_s=clock.monotonic_s() + 3600)
    attempts = [item.attempts for item in spool.items()]
    assert attempts[0] > 5
    assert attempts[1:] == [0] * 4
    with serving(net.answer()) as service:
        kiosk.worker._detector = DetectClient(service.endpoint, KEY, PATIENT)
        kiosk.drive()
    assert service.bodies == [one.body for one in sent]


def test_a_poisonous_item_blocks_nobody(over):
    poison = submission(b"poison")

    def judge(request):
        return Scripted(500) if b"poison" in request.content else realface()

    kiosk, _ = over(judge)
    kiosk.worker.submit(poison)
    others = [submission(bytes([n])) for n in range(20)]
    for one in others:
        kiosk.worker.submit(one)
    began = kiosk.clock.monotonic_s()
    kiosk.drive(until_s=began + 1.0)
    assert kiosk.kinds.count("delivered") == 20
    kiosk.drive(until_s=began + 3600)
    kiosk.worker.submit(submission(b"late"))
    kiosk.drive(until_s=kiosk.clock.monotonic_s() + 0.1)
    assert kiosk.states() == ["queued"] + ["delivered"] * 21


@pytest.mark.slow
def test_several_poisonous_items_delay_the_rest_but_do_not_block_them(over):
    def judge(request):
        return Scripted(500) if b"poison" in request.content else realface()

    kiosk, _ = over(judge)
    for n in range(5):
        kiosk.worker.submit(submission(b"poison" + bytes([n])))
    kiosk.drive(until_s=kiosk.clock.monotonic_s() + 4 * 3600)
    began = kiosk.clock.monotonic_s()
    kiosk.worker.submit(submission(b"fine"))
    kiosk.drive(until_s=began + 10 * BREAKER_MAX_S)
    assert kiosk.states()[-1] == "delivered"


@pytest.mark.slow
def test_an_outage_of_the_service_is_probed_gently(over):
    kiosk, transport = over(Scripted(500))
    for n in range(100):
        kiosk.worker.submit(submission(n.to_bytes(2, "big")))
    kiosk.drive(until_s=kiosk.clock.monotonic_s() + 3600)
    assert len(transport.requests) < 75


def test_a_poisonous_item_is_given_up_in_the_end_but_kept(over):
    kiosk, transport = over(Scripted(500), policy=RetryPolicy(max_attempts=4, jitter=0.0))
    item = kiosk.worker.submit(submission()).item
    began = kiosk.clock.monotonic_s()
    kiosk.drive()
    assert len(transport.requests) == 4
    assert kiosk.clock.monotonic_s() - began == pytest.approx(2 + 4 + 8)
    assert kiosk.states() == ["held"]
    transport.script([realface()])
    kiosk.spool.rearm([item.id])
    kiosk.drive()
    assert kiosk.states() == ["delivered"]


def test_a_new_submission_probes_a_dead_network_at_once(over):
    kiosk, transport = over(httpx.ConnectError("no route"))
    kiosk.worker.submit(submission(b"1"))
    kiosk.drive(until_s=kiosk.clock.monotonic_s() + 1000)
    assert kiosk.spool.pause()[0] > 0
    transport.script([realface()])
    kiosk.worker.submit(submission(b"2"))
    assert kiosk.worker.step() == 0.0
    assert kiosk.worker.step() == 0.0
    assert kiosk.states() == ["delivered"] * 2


def test_a_new_submission_does_not_break_a_pause_that_the_service_named(over):
    kiosk, transport = over(out_of_quota(2), realface())
    kiosk.worker.submit(submission(b"1"))
    kiosk.drive(until_s=kiosk.clock.monotonic_s() + 3600)
    kiosk.worker.submit(submission(b"2"))
    assert kiosk.worker.step() == pytest.approx(2 * DAY_S, rel=0.01)
    assert len(transport.requests) == 1


def test_a_named_pause_outlives_a_restart(over):
    kiosk, transport = over(out_of_quota(2), realface())
    kiosk.worker.submit(submission())
    kiosk.worker.step()
    kiosk.clock.advance(3600)
    again, transport = over(realface())
    assert again.worker.step() == pytest.approx(2 * DAY_S - 3600, rel=0.01)
    assert transport.requests == []


def test_the_first_attempt_comes_from_memory_and_the_copy_is_on_disk_before(over, disk):
    kiosk, _ = over(realface())
    reads = []
    disk.before = lambda step: reads.append(step) if step == "read" else None
    kiosk.worker.submit(submission())
    assert len(files(kiosk.spool)) == 1
    kiosk.drive()
    assert reads == []
    assert kiosk.states() == ["delivered"]


def test_what_was_left_by_an_earlier_run_is_delivered_from_disk(over, spool):
    sent = [submission(bytes([n])) for n in range(3)]
    for one in sent:
        spool.put(one)
    kiosk, transport = over(realface())
    kiosk.drive()
    assert transport.bodies == [one.body for one in sent]


def test_a_damaged_item_is_told_and_blocks_nobody(over, spool):
    bad, _good = spool.put(submission(b"1")), spool.put(submission(b"2"))
    spool.store.path(bad.id).write_bytes(b"x" * 500)
    kiosk, _ = over(realface())
    kiosk.drive()
    assert kiosk.states() == ["lost", "delivered"]
    assert kiosk.kinds == ["lost", "delivered"]


def test_an_item_purged_by_another_is_not_sent(over, spool):
    item = spool.put(submission(b"1"))
    kiosk, transport = over(realface())
    spool.store.path(item.id).unlink()
    spool.ledger._db.execute("UPDATE item SET state = 'purged'")
    kiosk.drive()
    assert transport.requests == []


def test_what_expires_is_told(over, spool, clock):
    spool.put(submission())
    clock.advance(31 * DAY_S)
    kiosk, transport = over(realface())
    kiosk.drive()
    assert kiosk.kinds == ["expired"]
    assert transport.requests == []


def test_what_arrived_is_not_sent_again_when_the_disk_cannot_note_it(over, spool):
    kiosk, transport = over(realface())
    kiosk.worker.submit(submission())
    finish = spool.finish
    fails = iter([True, True])

    def finish_later(*args):
        if next(fails, False):
            raise SpoolFullError("full")
        finish(*args)

    spool.finish = finish_later
    for _ in range(2):
        with pytest.raises(SpoolFullError):
            kiosk.worker.step()
    kiosk.drive()
    assert len(transport.requests) == 1
    assert kiosk.states() == ["delivered"]


def test_what_cannot_be_kept_is_not_accepted(over, disk):
    kiosk, transport = over(realface())
    disk.before = failing("sync", errno.EIO)
    with pytest.raises(SpoolError):
        kiosk.worker.submit(submission())
    kiosk.drive()
    assert transport.requests == []
    assert kiosk.states() == []


def test_204_is_delivered_without_a_decision(over):
    kiosk, _ = over(Scripted(204))
    ticket = kiosk.worker.submit(submission())
    kiosk.drive()
    assert ticket.wait(0).delivered
    assert ticket.wait(0).decision is None
    assert kiosk.states() == ["delivered"]


def test_a_clock_jump_makes_nothing_early_late_or_old(over, clock):
    kiosk, transport = over(rate_limited(26), realface())
    kiosk.worker.submit(submission())
    kiosk.worker.step()
    clock.jump(10 * 365 * DAY_S)
    assert kiosk.worker.step() == pytest.approx(26)
    clock.jump(-20 * 365 * DAY_S)
    assert kiosk.worker.step() == pytest.approx(26)
    clock.advance(26)
    kiosk.drive()
    assert len(transport.requests) == 2
    assert kiosk.states() == ["delivered"]


def test_draining_delivers_what_is_due_and_returns(over):
    kiosk, _ = over(realface(), realface(), Scripted(500))
    for n in range(3):
        kiosk.worker.submit(submission(bytes([n])))
    kiosk.worker.drain()
    assert kiosk.states() == ["delivered", "delivered", "queued"]


def test_the_thread_delivers_and_ends_when_told(spool):
    with serving(net.answer()) as service:
        client = DetectClient(service.endpoint, KEY, PATIENT)
        with DeliveryWorker(spool, client, POLICY) as worker:
            tickets = [worker.submit(submission(bytes([n]))) for n in range(3)]
            assert all(delivered(ticket) for ticket in tickets)
        assert worker.stop()
    assert not [t for t in threading.enumerate() if t.name == "uploader"]
    assert [item.state for item in spool.items()] == [ItemState.DELIVERED] * 3


def test_a_thread_that_crashed_accepts_nothing_more(spool, error_log):
    class Broken:
        def detect(self, _submission):
            raise RuntimeError("canary in a crash message")

    worker = DeliveryWorker(spool, Broken(), POLICY)
    worker.submit(submission())
    worker.start()
    ended(worker)
    with pytest.raises(SpoolError, match="RuntimeError") as caught:
        worker.submit(submission())
    assert "canary" not in str(caught.value)
    assert error_log.taken() == ["the delivery thread ended: RuntimeError"]
    assert [item.state for item in spool.items()] == [ItemState.QUEUED]


def test_a_failing_disk_does_not_end_the_thread(spool, monkeypatch, error_log):
    first_due, failures = spool.first_due, [DiskError("the database cannot be read")]

    def failing_once():
        if failures:
            raise failures.pop()
        return first_due()

    monkeypatch.setattr(spool, "first_due", failing_once)
    told = threading.Event()
    heard = []

    def listener(event):
        heard.append(event.kind)
        if event.kind is EventKind.DISK:
            told.set()

    with serving(net.answer()) as service:
        item = spool.put(submission())
        client = DetectClient(service.endpoint, KEY, PATIENT)
        with DeliveryWorker(spool, client, POLICY, listener=listener) as worker:
            assert told.wait(60)
            worker.resume()
            ticket = worker.submit(submission(b"2"))
            assert delivered(ticket)
    assert spool.item(item.id).state is ItemState.DELIVERED
    assert heard == [EventKind.DISK, EventKind.DELIVERED, EventKind.DELIVERED]
    (logged,) = error_log.taken()
    assert logged.startswith("the spool failed: the database cannot be read")


def test_closing_in_the_middle_of_an_attempt_ends_quietly_and_keeps_it(tmp_path):
    started = threading.Event()

    def play(talk):
        started.set()
        net.never_read(talk)

    with serving(play) as service:
        with opened(tmp_path) as spool:
            client = DetectClient(service.endpoint, KEY, PATIENT)
            worker = DeliveryWorker(spool, client, POLICY)
            worker.start()
            worker.submit(submission())
            assert started.wait(60)
            assert not worker.stop(0.05)
        client.close()
    ended(worker)
    with opened(tmp_path) as spool:
        assert [item.state for item in spool.items()] == [ItemState.QUEUED]
