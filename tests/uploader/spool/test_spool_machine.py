"""A state machine over the spool: whatever happens in whatever order, nothing kept is lost."""

from __future__ import annotations

import errno
import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from tests.effort import examples
from tests.uploader.faults import HookedDisk, failing
from tests.uploader.samples import submission
from uploader.api.decision import LivenessDecision
from uploader.api.submission import Failure, Outcome
from uploader.errors import ItemError, SpoolError
from uploader.spool.item import KEPT, ItemState
from uploader.spool.limits import SpoolLimits
from uploader.spool.opening import open_spool
from uploader.testing import FakeClock

pytestmark = pytest.mark.slow

LIMITS = SpoolLimits(min_free_bytes=0, max_items=8, retention_s=1000.0)
GOOD = Outcome(200, "c", "rq", LivenessDecision.REALFACE)
FAILED = Outcome(503, "c", error=Failure("server_error", "busy", ""))


class UnsyncedDisk(HookedDisk):
    """Steps without waiting for the platter: it is the order that is tested here."""

    def sync(self, file):
        self.before("sync")

    def sync_directory(self, path):
        self.before("sync_directory")


class SpoolMachine(RuleBasedStateMachine):
    @initialize()
    def begin(self):
        self.base = Path(tempfile.mkdtemp(prefix="spool-machine-"))
        self.clock = FakeClock()
        self.kept = {}
        self.due = {}
        self.born = {}
        self.ended = {}
        self.number = 0
        self.stack = ExitStack()
        self.start()

    def start(self):
        self.disk = UnsyncedDisk()
        opening = open_spool(self.base, LIMITS, environment={}, disk=self.disk, clock=self.clock)
        self.spool = self.stack.enter_context(opening)
        self.spool.ledger._db.execute("PRAGMA synchronous = OFF")

    def teardown(self):
        if hasattr(self, "stack"):
            self.stack.close()
            shutil.rmtree(self.base)

    @property
    def now_s(self):
        return self.clock.monotonic_s()

    def made(self):
        self.number += 1
        return submission(self.number.to_bytes(4, "big"))

    def end(self, item_id, state):
        del self.kept[item_id], self.due[item_id]
        self.ended[item_id] = state

    @rule()
    def put(self):
        sent = self.made()
        if len(self.kept) >= LIMITS.max_items:
            with pytest.raises(SpoolError):
                self.spool.put(sent)
            return
        item = self.spool.put(sent)
        self.kept[item.id], self.due[item.id] = sent, (self.now_s, item.seq)
        self.born[item.id] = self.now_s

    @rule(
        step=st.sampled_from(["create", "write", "sync", "rename", "sync_directory"]),
        number=st.sampled_from([errno.EIO, errno.ENOSPC]),
    )
    def put_on_a_failing_disk(self, step, number):
        self.disk.before = failing(step, number)
        with pytest.raises(SpoolError):
            self.spool.put(self.made())
        self.disk.before = lambda _: None

    @precondition(lambda self: self.kept)
    @rule(
        data=st.data(),
        state=st.sampled_from([ItemState.DELIVERED, ItemState.REFUSED]),
        fails=st.sampled_from(["", "erase", "unlink", "sync_directory"]),
    )
    def finish(self, data, state, fails):
        item_id = data.draw(st.sampled_from(sorted(self.kept)))
        if fails:
            self.disk.before = failing(fails, errno.EIO)
        self.spool.finish(self.spool.item(item_id), GOOD, state)
        self.disk.before = lambda _: None
        self.spool.store.destroy_rest()
        self.end(item_id, state)

    @precondition(lambda self: self.kept)
    @rule(data=st.data(), wait_s=st.floats(0.001, 300), hold=st.booleans())
    def fail(self, data, wait_s, hold):
        item_id = data.draw(st.sampled_from(sorted(self.kept)))
        item = self.spool.item(item_id)
        self.spool.attempted(item, FAILED, ItemState.HELD if hold else ItemState.QUEUED, wait_s)
        self.due[item_id] = None if hold else (self.now_s + wait_s, item.seq)

    @precondition(lambda self: self.kept)
    @rule(data=st.data())
    def purge(self, data):
        item_id = data.draw(st.sampled_from(sorted(self.kept)))
        assert self.spool.purge([item_id]) == 1
        self.end(item_id, ItemState.PURGED)

    @rule()
    def rearm(self):
        assert self.spool.rearm() == len(self.kept)
        for item_id in self.kept:
            self.due[item_id] = (self.now_s, self.spool.item(item_id).seq)

    @rule(seconds=st.floats(0.1, 400))
    def time_passes(self, seconds):
        self.clock.advance(seconds)

    @rule(seconds=st.floats(-1e9, 1e9))
    def the_clock_jumps(self, seconds):
        self.clock.jump(seconds)

    @rule()
    def maintain(self):
        old = [i for i in self.kept if self.now_s - self.born[i] > LIMITS.retention_s + 1]
        young = [i for i in self.kept if self.now_s - self.born[i] < LIMITS.retention_s - 1]
        self.spool.maintain()
        for item_id in list(self.kept):
            gone = self.spool.item(item_id).state is ItemState.EXPIRED
            assert gone or item_id not in old
            assert not gone or item_id not in young
            if gone:
                self.end(item_id, ItemState.EXPIRED)

    @rule(lost_rows=st.integers(0, 2), torn=st.booleans())
    def restart(self, lost_rows, torn):
        """Close and open at once, as after a crash that tore what was not yet promised."""
        queued = [i for i, due in self.due.items() if due is not None and due[0] <= self.now_s]
        with self.spool.ledger.transaction():
            self.spool.time.anchor()
            for item_id in sorted(queued)[:lost_rows]:
                self.spool.ledger._db.execute("DELETE FROM item WHERE id = ?", (item_id,))
        if torn:
            (self.base / "items" / "torn.tmp").write_bytes(b"half of something")
        self.stack.close()
        self.start()
        for item_id in sorted(queued)[:lost_rows]:
            self.due[item_id] = (self.now_s, self.spool.item(item_id).seq)
            self.born[item_id] = self.now_s

    @invariant()
    def what_is_kept_is_there_exactly_and_nothing_else(self):
        if not hasattr(self, "spool"):
            return
        rows = {item.id: item.state for item in self.spool.items()}
        assert {i for i, state in rows.items() if state in KEPT} == set(self.kept)
        assert {i: s for i, s in rows.items() if s not in KEPT} == self.ended
        assert {p.name for p in (self.base / "items").iterdir()} == {
            f"{i}.flsub" for i in self.kept
        }
        for item_id, sent in self.kept.items():
            assert self.spool.load(item_id) == sent

    @invariant()
    def the_first_due_is_the_earliest_arrival_that_is_due(self):
        if not hasattr(self, "spool"):
            return
        first = self.spool.first_due()
        due = [(d[1], i) for i, d in self.due.items() if d is not None and d[0] <= self.now_s - 1]
        if due:
            assert first is not None
            assert first.seq <= min(due)[0]
        if first is not None:
            assert self.due[first.id] is not None
            assert self.due[first.id][0] <= self.now_s + 1

    @invariant()
    def what_ended_cannot_be_read(self):
        if not hasattr(self, "spool"):
            return
        for item_id in self.ended:
            with pytest.raises(ItemError):
                self.spool.load(item_id)


TestSpool = SpoolMachine.TestCase
TestSpool.settings = settings(
    max_examples=examples(40),
    stateful_step_count=40,
    suppress_health_check=[HealthCheck.too_slow],
)
