"""Nothing undelivered is destroyed because one clock says so."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.uploader.samples import KEY, submission
from tests.uploader.spool.test_spool import GOOD, opened
from uploader.api.detect import DetectClient
from uploader.http.endpoint import Endpoint
from uploader.spool.delivery import DeliveryWorker, Event, EventKind
from uploader.spool.item import ItemState
from uploader.spool.limits import SpoolLimits
from uploader.testing import FakeClock, FakeTransport, as_json, realface

DAY_S = 86_400.0
LIMITS = SpoolLimits(min_free_bytes=0, retention_s=7 * DAY_S)


@pytest.fixture
def clock():
    return FakeClock()


def start(path, clock, count=0):
    """Open, put, maintain; return how many expired, are overdue, and are kept."""
    with opened(path, LIMITS, clock=clock) as spool:
        for number in range(count):
            spool.put(submission(bytes([number])))
        expired = spool.maintain()
        return expired, spool.overdue, spool.totals().items


def dated(spool, clock, offset_s=0.0):
    """Let the service answer with its date."""
    spool.time.attest(clock.utc() + timedelta(seconds=offset_s))
    with spool.ledger.transaction():
        spool.time.anchor()


@pytest.mark.parametrize("days", [-400, -8, -1, 1, 6.9, 8, 20, 29, 31, 400])
def test_a_wall_clock_that_jumped_between_two_boots_destroys_nothing(tmp_path, clock, days):
    start(tmp_path, clock, 3)
    clock.reboot(days * DAY_S)
    expired, overdue, kept = start(tmp_path, clock)
    assert (expired, kept) == (0, 3)
    assert overdue == (3 if 7 < days < 30 else 0)


@pytest.mark.parametrize("days", [-8, 8, 20, 400])
def test_a_wall_clock_that_jumped_within_a_boot_counts_for_nothing(tmp_path, clock, days):
    start(tmp_path, clock, 3)
    clock.jump(days * DAY_S)
    assert start(tmp_path, clock) == (0, 0, 3)


def test_the_time_of_the_boot_counts_without_any_process(tmp_path, clock):
    start(tmp_path, clock, 3)
    clock.advance(8 * DAY_S)
    assert start(tmp_path, clock) == (3, 0, 0)


def test_many_short_starts_of_one_boot_add_up(tmp_path, clock):
    start(tmp_path, clock, 1)
    for _ in range(16):
        clock.advance(0.5 * DAY_S)
        start(tmp_path, clock)
    assert start(tmp_path, clock) == (0, 0, 0)


def test_doubted_pauses_are_remembered_over_many_boots(tmp_path, clock):
    start(tmp_path, clock, 2)
    for _ in range(200):
        clock.reboot(DAY_S)
        assert start(tmp_path, clock)[2] == 2
    clock.advance(6 * DAY_S)
    assert start(tmp_path, clock)[2] == 2
    clock.advance(1.1 * DAY_S)  # a week of real, counted time
    assert start(tmp_path, clock) == (2, 0, 0)


def test_two_dates_of_the_service_vouch_for_the_pause_between(tmp_path, clock):
    with opened(tmp_path, LIMITS, clock=clock) as spool:
        dated(spool, clock)
        spool.put(submission())
    clock.reboot(8 * DAY_S)
    with opened(tmp_path, LIMITS, clock=clock) as spool:
        assert (spool.maintain(), spool.overdue) == (0, 1)
        dated(spool, clock)
        assert (spool.maintain(), spool.overdue) == (1, 0)


def test_two_dates_vouch_for_a_pause_that_was_not_believed(tmp_path, clock):
    with opened(tmp_path, LIMITS, clock=clock) as spool:
        dated(spool, clock)
        spool.put(submission())
    clock.reboot(60 * DAY_S)
    with opened(tmp_path, LIMITS, clock=clock) as spool:
        assert (spool.maintain(), spool.overdue) == (0, 0)
        dated(spool, clock)
        assert spool.maintain() == 1


@pytest.mark.parametrize("offset_days", [-8, 8, 26_000], ids=str)
def test_a_date_that_the_wall_clock_does_not_share_vouches_for_nothing(
    tmp_path, clock, offset_days
):
    with opened(tmp_path, LIMITS, clock=clock) as spool:
        dated(spool, clock)
        spool.put(submission())
    clock.reboot(8 * DAY_S)
    with opened(tmp_path, LIMITS, clock=clock) as spool:
        dated(spool, clock, offset_days * DAY_S)
        assert (spool.maintain(), spool.overdue) == (0, 1)


def test_a_single_date_vouches_for_nothing(tmp_path, clock):
    """The clock may have been wrong when the item came, and be right now."""
    start(tmp_path, clock, 1)
    clock.reboot(8 * DAY_S)
    with opened(tmp_path, LIMITS, clock=clock) as spool:
        dated(spool, clock)
        assert (spool.maintain(), spool.overdue) == (0, 1)


def test_dates_that_say_less_than_the_wall_clock_leave_the_rest_in_doubt(tmp_path, clock):
    with opened(tmp_path, LIMITS, clock=clock) as spool:
        dated(spool, clock)
        spool.put(submission())
    clock.reboot(8 * DAY_S)
    start(tmp_path, clock)
    clock.jump(-6 * DAY_S)  # somebody sets it right: two days have passed
    with opened(tmp_path, LIMITS, clock=clock) as spool:
        dated(spool, clock)
        assert (spool.maintain(), spool.overdue) == (0, 1)
        assert spool.time.doubted_s(0.0) == pytest.approx(6 * DAY_S)


def test_the_operator_may_vouch_for_the_clock(tmp_path, clock):
    start(tmp_path, clock, 3)
    clock.reboot(8 * DAY_S)
    with opened(tmp_path, LIMITS, clock=clock) as spool:
        spool.trust_clock()
    assert start(tmp_path, clock) == (3, 0, 0)


def test_what_is_due_after_a_night_switched_off_is_sent_at_once(tmp_path, clock):
    with opened(tmp_path, LIMITS, clock=clock) as spool:
        item = spool.put(submission())
        spool.attempted(item, GOOD, ItemState.QUEUED, 0.4 * DAY_S)
    clock.reboot(0.5 * DAY_S)
    with opened(tmp_path, LIMITS, clock=clock) as spool:
        assert spool.first_due().id == item.id


def test_records_for_audits_are_not_forgotten_for_a_jump(tmp_path, clock):
    limits = SpoolLimits(min_free_bytes=0, record_s=10 * DAY_S)
    with opened(tmp_path, limits, clock=clock) as spool:
        spool.finish(spool.put(submission()), GOOD, ItemState.DELIVERED)
    clock.reboot(20 * DAY_S)
    with opened(tmp_path, limits, clock=clock) as spool:
        spool.maintain()
        assert len(list(spool.items())) == 1


@pytest.mark.parametrize("answer", ["success", "error"])
def test_the_date_of_any_answer_is_taken_and_what_is_overdue_is_told(tmp_path, clock, answer):
    def reply(_request):
        date = clock.utc().strftime("%a, %d %b %Y %H:%M:%S GMT")
        return realface(date=date) if answer == "success" else as_json(503, {}, date=date)

    transport = FakeTransport(reply)
    events: list[Event] = []
    client = DetectClient(Endpoint("https://a.example"), KEY, transport=transport, clock=clock)
    with opened(tmp_path, LIMITS, clock=clock) as spool:
        DeliveryWorker(spool, client).submit(submission(b"1"))
        DeliveryWorker(spool, client).drain()
        spool.put(submission(b"2"))
    clock.reboot(8 * DAY_S)
    with opened(tmp_path, LIMITS, clock=clock) as spool:
        worker = DeliveryWorker(spool, client, listener=events.append)
        spool.put(submission(b"3"))
        worker.step()
        assert next((e.kind, e.count) for e in events) == (
            EventKind.OVERDUE,
            1 if answer == "success" else 2,
        )
        worker.drain()
        assert spool.time.doubted_s(0.0) == 0.0
