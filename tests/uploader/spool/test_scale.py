"""Ten thousand queued submissions: listing and picking stay quick, memory stays flat."""

from __future__ import annotations

import time
import tracemalloc

import pytest

from tests.uploader.samples import submission
from tests.uploader.spool.test_spool import opened
from uploader.spool.item import KEPT, ItemState, new_row
from uploader.spool.limits import SpoolLimits

COUNT = 10_000
LIMIT_S = 0.020
SENT = submission()


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    limits = SpoolLimits(max_items=20_000, min_free_bytes=0)
    with opened(tmp_path_factory.mktemp("full"), limits) as spool:
        with spool.ledger.transaction():
            for number in range(COUNT):
                spool.ledger.insert(new_row(f"{number:032x}", SENT, spool.time.now_s()))
        yield spool


def best_s(call, rounds=7):
    """Return the best of several runs in time of this thread: machine and process may be busy."""
    times = []
    for _ in range(rounds):
        start = time.thread_time()
        call()
        times.append(time.thread_time() - start)
    return min(times)


@pytest.mark.parametrize(
    "call",
    [
        pytest.param(lambda s: s.first_due(), id="picking"),
        pytest.param(lambda s: s.seconds_to_next(), id="when is the next due"),
        pytest.param(lambda s: s.ensure_room(1000), id="asking for room"),
        pytest.param(lambda s: s.ledger.counts(), id="counting"),
        pytest.param(lambda s: s.ledger.page(KEPT, 0, 500), id="listing, first page"),
        pytest.param(lambda s: s.ledger.page(KEPT, 9_400, 500), id="listing, last page"),
        pytest.param(lambda s: list(s.listing(KEPT)), id="listing all in brief"),
        pytest.param(lambda s: s.ledger.page(list(ItemState), 5_000, 500), id="listing, any state"),
    ],
)
def test_it_takes_less_than_twenty_milliseconds(full, call):
    assert best_s(lambda: call(full)) < LIMIT_S


def test_picking_behind_thousands_that_wait(full):
    with full.ledger.transaction():
        full.ledger._db.execute("UPDATE item SET due_s = due_s + 1000 WHERE seq < ?", (COUNT,))
    try:
        assert full.first_due().id == f"{COUNT - 1:032x}"
        assert best_s(full.first_due) < LIMIT_S
        assert best_s(full.seconds_to_next) < LIMIT_S
    finally:
        full.rearm()


def test_listing_all_of_them_holds_a_page_at_a_time(full):
    tracemalloc.start()
    try:
        assert sum(1 for _ in full.items(KEPT)) == COUNT
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 3_000_000


def test_keeping_one_more_does_not_depend_on_how_many_there_are(full):
    item = full.put(SENT)
    assert full.first_due().seq == 1
    full.purge([item.id])
