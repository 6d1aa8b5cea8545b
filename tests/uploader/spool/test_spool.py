"""What the spool keeps, for how long, and what it refuses."""

from __future__ import annotations

import errno
import os
import sqlite3
import stat
import subprocess
import sys
from contextlib import contextmanager
from functools import partial

import pytest

from tests.uploader.faults import HookedDisk, failing
from tests.uploader.samples import WEBP, error_of, submission
from uploader.api.decision import LivenessDecision
from uploader.api.submission import Failure, Origin, Outcome
from uploader.errors import (
    DiskError,
    ItemError,
    SpoolBusyError,
    SpoolError,
    SpoolFullError,
    SpoolKeyError,
)
from uploader.http.credentials import BearerToken
from uploader.spool.item import KEPT, ItemState
from uploader.spool.keys import VARIABLE
from uploader.spool.limits import SpoolLimits
from uploader.spool.opening import KEY_FILE, observe_spool, open_spool
from uploader.spool.spool import DATABASE
from uploader.testing import FakeClock

LIMITS = SpoolLimits(min_free_bytes=0)
GOOD = Outcome(200, "c", "rq", LivenessDecision.REALFACE, "realface", "v", latency_ms=700)
FAILED = Outcome(503, "c", error=Failure("server_error", "busy", ""))


@contextmanager
def opened(path, limits=LIMITS, **more):
    with open_spool(path, limits, environment={}, **more) as spool:
        yield spool


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def disk():
    return HookedDisk()


@pytest.fixture
def spool(tmp_path, clock, disk):
    with opened(tmp_path / "spool", clock=clock, disk=disk) as made:
        yield made


def files(spool):
    return sorted(p.name for p in (spool.directory / "items").iterdir())


def test_what_is_kept_comes_back_exactly(spool):
    sent = submission(b"x", Origin(session_id="s-1", token=BearerToken("t")))
    item = spool.put(sent)
    assert spool.load(item.id) == sent
    assert (item.state, item.size, item.digest) == (ItemState.QUEUED, sent.size, sent.digest)
    assert item.session_id == "s-1"


def test_it_survives_closing(tmp_path):
    sent = submission()
    with opened(tmp_path) as spool:
        item = spool.put(sent)
    with opened(tmp_path) as spool:
        assert spool.load(item.id) == sent
        assert spool.first_due().id == item.id


def test_items_are_due_in_the_order_of_their_arrival(spool):
    ids = [spool.put(submission(bytes([n]))).id for n in range(5)]
    assert [item.id for item in spool.items()] == ids
    assert spool.first_due().id == ids[0]


def test_an_item_that_waits_lets_the_next_one_go_first(spool, clock):
    first, second = spool.put(submission(b"1")), spool.put(submission(b"2"))
    spool.attempted(first, FAILED, ItemState.QUEUED, 10.0)
    assert spool.first_due().id == second.id
    spool.finish(second, GOOD, ItemState.DELIVERED)
    assert spool.first_due() is None
    assert spool.seconds_to_next() == pytest.approx(10.0)
    clock.advance(10.0)
    assert spool.first_due().id == first.id
    assert spool.first_due().error_code == "server_error"


def test_after_delivery_only_the_record_stays(spool):
    item = spool.put(submission())
    spool.finish(item, GOOD, ItemState.DELIVERED)
    row = spool.item(item.id)
    assert files(spool) == []
    assert (row.state, row.decision, row.request_id) == (ItemState.DELIVERED, "realface", "rq")
    assert (row.digest, row.latency_ms, row.attempts) == (item.digest, 700, 1)
    assert row.finished.endswith("Z")
    with pytest.raises(ItemError, match="gone"):
        spool.load(item.id)


def test_nothing_on_disk_can_be_read_and_only_the_owner_reads_the_rest(spool):
    token = "canary-token-0123456789"
    spool.put(submission(b"canary-pixels", Origin(token=BearerToken(token))))
    for path in spool.directory.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            for plain in (b"canary", WEBP[:24], b"illuminatedColor", b"targetFaceRectangle"):
                assert plain not in data, path
        if os.name != "nt":
            assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


@pytest.mark.parametrize(
    ("limits", "problem"),
    [
        pytest.param(SpoolLimits(max_items=2, min_free_bytes=0), "2 submissions", id="items"),
        pytest.param(SpoolLimits(max_bytes=7000, min_free_bytes=0), "exceed the limit", id="bytes"),
    ],
)
def test_a_full_spool_refuses_before_it_keeps(tmp_path, limits, problem):
    with opened(tmp_path, limits) as spool:
        for n in range(2):
            spool.put(submission(bytes([n])))
        for ask in (lambda: spool.ensure_room(3000), lambda: spool.put(submission(b"9"))):
            with pytest.raises(SpoolFullError, match=problem):
                ask()
        assert len(files(spool)) == 2


def test_too_little_room_on_the_disk_is_told_before_a_person_poses(tmp_path, disk):
    with opened(tmp_path, SpoolLimits(min_free_bytes=1_000_000), disk=disk) as spool:
        disk.free = 1_500_000
        spool.ensure_room(100_000)
        with pytest.raises(SpoolFullError, match="1 MB free"):
            spool.ensure_room(1_000_000)


def test_when_nothing_was_delivered_for_long_nobody_is_asked_to_pose(spool, clock):
    spool.put(submission())
    clock.advance(LIMITS.max_wait_s - 1)
    spool.ensure_room(1000)
    clock.advance(2)
    with pytest.raises(SpoolFullError, match="undelivered for 24"):
        spool.ensure_room(1000)


def test_what_is_older_than_the_retention_is_destroyed(spool, clock):
    old = spool.put(submission(b"1"))
    clock.advance(LIMITS.retention_s - 10)
    young = spool.put(submission(b"2"))
    clock.advance(20)
    assert spool.maintain() == 1
    assert spool.item(old.id).state is ItemState.EXPIRED
    assert [item.id for item in spool.items(KEPT)] == [young.id]
    assert files(spool) == [f"{young.id}.flsub"]


def test_records_are_forgotten_in_the_end(spool, clock):
    item = spool.put(submission())
    spool.finish(item, GOOD, ItemState.DELIVERED)
    clock.advance(LIMITS.record_s + 1)
    spool.maintain()
    assert list(spool.items()) == []


@pytest.mark.parametrize("jump_s", [3.2e8, -3.2e8, 1e6, -1e6], ids=["+10y", "-10y", "+", "-"])
def test_a_clock_that_jumps_while_running_changes_nothing(spool, clock, jump_s):
    item = spool.put(submission())
    spool.attempted(item, FAILED, ItemState.QUEUED, 10.0)
    clock.jump(jump_s)
    assert spool.maintain() == 0
    assert spool.first_due() is None
    clock.advance(10.0)
    assert spool.first_due().id == item.id


@pytest.mark.parametrize(
    ("off_s", "counted_s"),
    [
        pytest.param(3600.0, 3600.0, id="an hour off"),
        pytest.param(6 * 86_400.0, 6 * 86_400.0, id="six days off"),
        pytest.param(-3600.0, 0.0, id="the clock went back"),
        pytest.param(3.2e8, 0.0, id="ten years are not believed"),
    ],
)
def test_time_between_two_runs_counts_when_it_is_plausible(tmp_path, clock, off_s, counted_s):
    with opened(tmp_path, clock=clock) as spool:
        item = spool.put(submission())
        spool.attempted(item, FAILED, ItemState.QUEUED, 7 * 86_400.0 - 1)
    clock.reboot(off_s)
    with opened(tmp_path, clock=clock) as spool:
        assert spool.seconds_to_next() == pytest.approx(7 * 86_400.0 - 1 - counted_s, abs=0.01)
        assert spool.maintain() == 0


def test_a_kiosk_without_a_clock_battery_does_not_destroy_what_it_kept(tmp_path, clock):
    clock.jump(-1.76e9)  # 1970
    with opened(tmp_path, clock=clock) as spool:
        spool.put(submission())
    clock.jump(1.76e9)
    with opened(tmp_path, clock=clock) as spool:
        assert spool.maintain() == 0
        assert spool.oldest_age_s() < 1.0


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EDQUOT])
@pytest.mark.parametrize("step", ["create", "write", "sync", "rename", "sync_directory"])
def test_a_disk_that_fails_while_keeping_leaves_nothing(spool, disk, step, number):
    disk.before = failing(step, number)
    kind = DiskError if number == errno.EIO else SpoolFullError
    with pytest.raises(kind):
        spool.put(submission())
    assert files(spool) == []
    assert list(spool.items()) == []
    disk.before = lambda _: None
    assert spool.load(spool.put(submission()).id)


@pytest.mark.parametrize("step", ["erase", "unlink", "sync_directory"])
def test_content_that_cannot_be_destroyed_is_destroyed_later(spool, disk, step):
    item = spool.put(submission())
    disk.before = failing(step, errno.EIO)
    spool.finish(item, GOOD, ItemState.DELIVERED)
    assert spool.item(item.id).state is ItemState.DELIVERED
    disk.before = lambda _: None
    spool.maintain()
    assert files(spool) == []


def test_a_database_that_is_full_keeps_nothing(spool):
    page_count = spool.ledger._db.execute("PRAGMA page_count").fetchone()[0]
    spool.ledger._db.execute(f"PRAGMA max_page_count = {page_count}")
    kept = 0
    problem = None
    for n in range(2000):
        problem = error_of(partial(spool.put, submission(n.to_bytes(2, "big"))))
        if problem:
            break
        kept += 1
    assert isinstance(problem, SpoolFullError)
    assert len(files(spool)) == kept == len(list(spool.items()))


def test_a_damaged_database_says_what_to_do_and_the_files_are_adopted(tmp_path):
    sent = submission()
    with opened(tmp_path) as spool:
        spool.put(sent)
    for path in tmp_path.glob(f"{DATABASE}*"):
        path.unlink()
    (tmp_path / DATABASE).write_bytes(b"no database at all, " * 500)
    with pytest.raises(SpoolError, match=r"move spool\.db away"), opened(tmp_path):
        pass
    (tmp_path / DATABASE).unlink()
    with opened(tmp_path) as spool:
        assert spool.load(spool.first_due().id) == sent


def test_a_database_of_a_later_version_is_left_alone(tmp_path):
    with opened(tmp_path):
        pass
    with sqlite3.connect(tmp_path / DATABASE) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(SpoolError, match="schema 99"), opened(tmp_path):
        pass


@pytest.mark.slow
def test_only_one_process_delivers(tmp_path):
    code = (
        "import sys; from pathlib import Path; from uploader.spool.opening import open_spool\n"
        "with open_spool(Path(sys.argv[1]), environment={}): print('unexpected')"
    )
    with opened(tmp_path):
        done = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False
        )
        assert f"SpoolBusyError: {tmp_path}: process {os.getpid()} already" in done.stderr
        with pytest.raises(SpoolBusyError), opened(tmp_path):
            pass
    with opened(tmp_path):
        pass


def test_another_may_look_on_purge_and_rearm_without_the_key(spool, clock):
    first, second = spool.put(submission(b"1")), spool.put(submission(b"2"))
    spool.attempted(first, FAILED, ItemState.HELD)
    with observe_spool(spool.directory, clock=clock) as other:
        assert [item.id for item in other.items(KEPT)] == [first.id, second.id]
        with pytest.raises(SpoolKeyError, match="without its device key"):
            other.load(first.id)
        assert other.rearm([first.id]) == 2
        assert other.purge([second.id]) == 1
    assert spool.item(first.id).state is ItemState.QUEUED
    assert spool.item(second.id).state is ItemState.PURGED
    assert files(spool) == [f"{first.id}.flsub"]


def test_looking_on_where_there_is_no_spool_makes_none(tmp_path):
    with pytest.raises(SpoolError, match="no spool"):
        observe_spool(tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()


def test_an_attempt_noted_after_a_purge_does_not_bring_it_back(spool):
    item = spool.put(submission())
    spool.purge()
    spool.attempted(item, FAILED, ItemState.QUEUED, 1.0)
    assert spool.item(item.id).state is ItemState.PURGED


@pytest.mark.parametrize("loss", ["missing", "other", "environment"])
def test_a_missing_or_wrong_key_deletes_nothing(tmp_path, loss):
    with opened(tmp_path) as spool:
        item = spool.put(submission())
    key_file = tmp_path / KEY_FILE
    kept = key_file.read_bytes()
    key_file.unlink()
    environment = {}
    if loss == "other":
        with opened(tmp_path / "elsewhere"):
            pass
        (tmp_path / "elsewhere" / KEY_FILE).rename(key_file)
    elif loss == "environment":
        environment = {VARIABLE: "00" * 32}
    wrong = open_spool(tmp_path, LIMITS, environment=environment)
    with pytest.raises(SpoolKeyError, match="nothing is deleted"), wrong:
        pass
    assert (tmp_path / "items" / f"{item.id}.flsub").is_file()
    key_file.write_bytes(kept)
    key_file.chmod(0o600)
    with opened(tmp_path) as spool:
        assert spool.load(item.id)


def test_with_nothing_kept_a_new_key_is_fine(tmp_path):
    with opened(tmp_path) as spool:
        spool.put(submission())
        spool.purge()
    (tmp_path / KEY_FILE).unlink()
    with opened(tmp_path) as spool:
        assert spool.load(spool.put(submission()).id)


@pytest.mark.parametrize("item_id", ["", "../../etc/passwd", "x' OR 1=1 --", "\x1b[2J", "é" * 500])
def test_hostile_ids_find_nothing(spool, item_id):
    spool.put(submission())
    for call in (spool.item, spool.load, lambda i: spool.rearm([i]), lambda i: spool.purge([i])):
        problem = error_of(partial(call, item_id))
        assert isinstance(problem, ItemError)
        assert str(problem).isprintable()
    assert len(files(spool)) == 1


def test_what_is_gone_cannot_be_sent_again(spool):
    item = spool.put(submission())
    spool.finish(item, GOOD, ItemState.DELIVERED)
    with pytest.raises(ItemError, match="gone"):
        spool.rearm([item.id])


def test_a_pause_outlives_the_process(tmp_path, clock):
    with opened(tmp_path, clock=clock) as spool:
        spool.set_pause(172_800.0, named=True)
    clock.reboot(3600.0)
    with opened(tmp_path, clock=clock) as spool:
        left_s, named = spool.pause()
        assert named
        assert left_s == pytest.approx(169_200.0, abs=1)


def test_a_place_that_is_no_directory_is_named(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(DiskError, match="file"), opened(tmp_path / "file" / "spool"):
        pass
