"""Ten thousand queued submissions: the work of listing and picking stays small, memory flat.

Work is counted in steps of SQLite's virtual machine, which are the same on any machine; the
milliseconds are in `bench.spool`.
"""

from __future__ import annotations

import tracemalloc

import pytest

from tests.uploader.samples import submission
from tests.uploader.spool.test_spool import opened
from uploader.spool.item import KEPT, ItemState, new_row
from uploader.spool.limits import SpoolLimits

COUNT = 10_000
PAGE = 500
A_LOOK = 200
"""Steps of a statement that goes straight to its row."""
A_ROW = 40
"""Steps for each row that is handed out: one for every column, and the way to it."""
SENT = submission()


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    limits = SpoolLimits(max_items=20_000, min_free_bytes=0)
    with opened(tmp_path_factory.mktemp("full"), limits) as spool:
        with spool.ledger.transaction():
            for number in range(COUNT):
                spool.ledger.insert(new_row(f"{number:032x}", SENT, spool.time.now_s()))
        yield spool


def steps(spool, call):
    """Return how many steps SQLite takes for ``call``."""
    taken = 0

    def count():
        nonlocal taken
        taken += 1
        return 0

    database = spool.ledger._db
    database.set_progress_handler(count, 1)
    try:
        call(spool)
    finally:
        database.set_progress_handler(None, 1)
    return taken


@pytest.mark.slow
@pytest.mark.parametrize(
    ("call", "limit"),
    [
        pytest.param(lambda s: s.first_due(), A_LOOK + 10 * COUNT, id="picking"),
        pytest.param(lambda s: s.seconds_to_next(), A_LOOK, id="when is the next due"),
        pytest.param(lambda s: s.ensure_room(1000), A_LOOK + 10 * COUNT, id="asking for room"),
        pytest.param(lambda s: s.ledger.counts(), A_LOOK + 10 * COUNT, id="counting"),
        pytest.param(lambda s: s.ledger.page(KEPT, 0, PAGE), A_ROW * PAGE, id="first page"),
        pytest.param(lambda s: s.ledger.page(KEPT, 9_400, PAGE), A_ROW * PAGE, id="last page"),
        pytest.param(lambda s: list(s.listing(KEPT)), 20 * COUNT, id="listing all in brief"),
        pytest.param(
            lambda s: s.ledger.page(list(ItemState), 5_000, PAGE), A_ROW * PAGE, id="any state"
        ),
    ],
)
def test_the_work_does_not_grow_with_what_is_not_looked_at(full, call, limit):
    assert 0 < steps(full, call) <= limit


def test_picking_behind_thousands_that_wait(full):
    with full.ledger.transaction():
        full.ledger._db.execute("UPDATE item SET due_s = due_s + 1000 WHERE seq < ?", (COUNT,))
    try:
        assert full.first_due().id == f"{COUNT - 1:032x}"
        assert steps(full, lambda s: s.first_due()) <= A_LOOK + 10 * COUNT
        assert steps(full, lambda s: s.seconds_to_next()) <= A_LOOK
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
