"""One bad item is one bad item: whatever is damaged, every good one is delivered and it is told."""

from __future__ import annotations

import errno
import os

import pytest

from tests.uploader.faults import HookedDisk, failing
from tests.uploader.samples import KEY, submission
from tests.uploader.spool.test_spool import LIMITS, opened
from uploader.api.detect import DetectClient
from uploader.errors import ItemError, SpoolBusyError, SpoolDamagedError, SpoolError, SpoolKeyError
from uploader.http.endpoint import Endpoint
from uploader.spool.delivery import DeliveryWorker, Event, EventKind
from uploader.spool.item import ItemState
from uploader.spool.opening import observe_spool
from uploader.spool.repair import purge_sealed, repair_spool
from uploader.testing import FakeTransport

COUNT = 4


@pytest.fixture
def kept(tmp_path):
    """Ids of a spool with a few good submissions."""
    with opened(tmp_path) as spool:
        return [spool.put(submission(bytes([n]))).id for n in range(COUNT)]


def drained(path, disk=None):
    """Deliver everything; return client request ids that arrived, events, and states by id."""
    events: list[Event] = []
    transport = FakeTransport()
    with opened(path, disk=disk) as spool:
        client = DetectClient(Endpoint("https://a.example"), KEY, transport=transport)
        worker = DeliveryWorker(spool, client, listener=events.append)
        spool.rearm()
        worker.drain()
        states = {item.id: item.state for item in spool.items()}
    arrived = [r.headers["client-request-id"] for r in transport.requests]
    assert len(arrived) == len(set(arrived))
    return arrived, events, states


def told(events):
    return sum(event.count for event in events if event.kind is EventKind.LOST)


def flip(path, offset):
    data = bytearray(path.read_bytes())
    data[offset] ^= 1
    path.write_bytes(data)


def as_directory(path):
    path.unlink()
    path.mkdir()


def as_pipe(path):
    path.unlink()
    os.mkfifo(path)


def as_link(path):
    other = path.with_name("elsewhere")
    path.rename(other)
    path.symlink_to(other)


@pytest.mark.slow
@pytest.mark.parametrize(
    "harm",
    [
        pytest.param(lambda p: os.truncate(p, 0), id="empty"),
        pytest.param(lambda p: os.truncate(p, 100), id="cut short"),
        pytest.param(lambda p: flip(p, 2), id="magic"),
        pytest.param(lambda p: flip(p, 8), id="key id"),
        pytest.param(lambda p: flip(p, 40), id="wrapped key"),
        pytest.param(lambda p: flip(p, 500), id="content"),
        pytest.param(lambda p: p.write_bytes(os.urandom(4000)), id="noise"),
        pytest.param(as_directory, id="directory"),
        pytest.param(as_pipe, id="pipe"),
        pytest.param(as_link, id="link"),
        pytest.param(lambda p: os.truncate(p, 200_000_000), id="larger than any submission"),
    ],
)
@pytest.mark.parametrize("row", [True, False], ids=["with row", "without row"])
def test_a_bad_file_is_set_aside_told_and_blocks_nothing(tmp_path, kept, harm, row):
    harm(tmp_path / "items" / f"{kept[0]}.flsub")
    if not row:
        with observe_spool(tmp_path) as spool:
            spool.ledger._db.execute("DELETE FROM item WHERE id = ?", (kept[0],))
    arrived, events, states = drained(tmp_path)
    assert len(arrived) == COUNT - 1
    assert told(events) == 1
    assert os.path.lexists(tmp_path / "items" / f"{kept[0]}.damaged")
    assert states.get(kept[0]) == (ItemState.LOST if row else None)
    assert drained(tmp_path)[0] == []


@pytest.mark.parametrize(
    "name",
    [
        "umlaut-ä.flsub",
        os.fsdecode(b"\xff\xfe.flsub"),
        "AB" * 16 + ".flsub",
        "'; DROP TABLE item; --.flsub",
        ".flsub",
        "x" * 240 + ".flsub",
    ],
    ids=["umlaut", "no text at all", "capitals", "SQL", "nothing", "long"],
)
def test_a_file_of_another_name_is_set_aside(tmp_path, kept, name):
    (tmp_path / "items" / name).write_bytes((tmp_path / "items" / f"{kept[0]}.flsub").read_bytes())
    arrived, events, _ = drained(tmp_path)
    assert (len(arrived), told(events)) == (COUNT, 1)
    assert not os.path.lexists(tmp_path / "items" / name)
    assert drained(tmp_path)[1] != events  # told once


def test_a_file_sealed_with_another_key_is_set_aside(tmp_path, kept):
    with opened(tmp_path / "other") as spool:
        foreign = spool.put(submission(b"foreign")).id
    source = tmp_path / "other" / "items" / f"{foreign}.flsub"
    source.rename(tmp_path / "items" / source.name)
    arrived, events, _ = drained(tmp_path)
    assert (len(arrived), told(events)) == (COUNT, 1)
    assert (tmp_path / "items" / f"{foreign}.damaged").exists()


def test_an_earlier_damaged_file_of_the_same_name_stays(tmp_path, kept):
    before = tmp_path / "items" / f"{kept[0]}.damaged"
    before.write_bytes(b"before")
    os.truncate(tmp_path / "items" / f"{kept[0]}.flsub", 10)
    drained(tmp_path)
    assert before.read_bytes() == b"before"
    assert (tmp_path / "items" / f"{kept[0]}.2.damaged").stat().st_size == 10


def test_a_queued_item_whose_file_is_gone_is_told(tmp_path, kept):
    (tmp_path / "items" / f"{kept[0]}.flsub").unlink()
    arrived, events, states = drained(tmp_path)
    assert (len(arrived), told(events)) == (COUNT - 1, 1)
    assert states[kept[0]] is ItemState.LOST


def test_a_read_that_fails_for_now_steps_back_and_blocks_nothing(tmp_path, kept, error_log):
    disk = HookedDisk(before=failing("read", errno.EIO))
    arrived, events, states = drained(tmp_path, disk)
    assert len(arrived) == COUNT - 1
    assert [e.kind for e in events].count(EventKind.WAITING) == 1
    assert states[kept[0]] is ItemState.QUEUED
    (logged,) = error_log.taken()
    assert logged.startswith(f"item {kept[0]}: cannot be read")
    assert len(drained(tmp_path)[0]) == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE item SET state = 'quexed' WHERE seq = 1",
        "UPDATE item SET state = x'00ff' WHERE seq = 1",
        "UPDATE item SET size = 'abc' WHERE seq = 1",
        "UPDATE item SET due_s = 'soon' WHERE seq = 1",
        "UPDATE item SET due_s = 9e999 WHERE seq = 1",
        "UPDATE item SET created_s = 'x' WHERE seq = 1",
        "UPDATE item SET created_s = -1e12 WHERE seq = 1",
        "UPDATE item SET created_s = 1e15 WHERE seq = 1",
        "UPDATE item SET attempts = 'x', first_attempt_s = 'y' WHERE seq = 1",
        "UPDATE item SET client_request_id = x'00' WHERE seq = 1",
        "UPDATE item SET id = '../../etc/passwd' WHERE seq = 1",
        "UPDATE fact SET value = '{\"spool_s\": 1' WHERE name = 'time'",
        "UPDATE fact SET value = '[1]' WHERE name = 'time'",
        "UPDATE fact SET value = '{\"spool_s\": 1e999, \"wall\": 5}' WHERE name = 'time'",
        'UPDATE fact SET value = \'{"spool_s": 1, "wall": "2026-01-28T10:00:00"}\' '
        "WHERE name = 'time'",
        "DELETE FROM fact",
        "INSERT OR REPLACE INTO fact VALUES ('pause_until_s', 'zz')",
        "INSERT OR REPLACE INTO fact VALUES ('pause_until_s', 'nan')",
        "INSERT OR REPLACE INTO fact VALUES ('pause_until_s', '1e18')",
        "UPDATE fact SET value = x'ff' WHERE name = 'device_key_id'",
        "UPDATE fact SET value = 'no key' WHERE name = 'device_key_id'",
    ],
)
def test_a_damaged_record_is_repaired_and_everything_is_delivered(tmp_path, kept, statement):
    with observe_spool(tmp_path) as spool:
        spool.ledger._db.execute(statement)
    with observe_spool(tmp_path) as spool:  # looking on ends in no traceback either
        list(spool.listing())
        assert spool.pause()[0] >= 0.0
        assert spool.oldest_age_s() >= 0.0
        spool.ledger.counts()
    arrived, _, states = drained(tmp_path)
    assert len(arrived) == COUNT
    assert set(states.values()) <= {ItemState.DELIVERED, ItemState.LOST}


def test_a_damaged_record_is_delivered_without_asking_for_it(tmp_path, kept):
    with observe_spool(tmp_path) as spool:
        spool.ledger._db.execute("UPDATE item SET due_s = 1e15 WHERE seq = 1")
        spool.ledger._db.execute("INSERT OR REPLACE INTO fact VALUES ('pause_until_s', '1e18')")
    transport = FakeTransport()
    with opened(tmp_path) as spool:
        client = DetectClient(Endpoint("https://a.example"), KEY, transport=transport)
        DeliveryWorker(spool, client).drain()
    assert len(transport.requests) == COUNT


def test_the_record_of_a_delivered_item_is_mended_and_not_sent_again(tmp_path, kept):
    drained(tmp_path)
    with observe_spool(tmp_path) as spool:
        spool.ledger._db.execute("UPDATE item SET size = 'x', due_s = 'y' WHERE seq = 2")
    arrived, _, states = drained(tmp_path)
    assert arrived == []
    assert states[kept[1]] is ItemState.DELIVERED


def test_another_device_key_is_refused_and_nothing_is_set_aside(tmp_path, kept):
    (tmp_path / "device.key").write_text("ab" * 32 + "\n")
    for gone in (False, True):
        if gone:
            (tmp_path / "spool.db").unlink()
        with pytest.raises(SpoolKeyError, match="nothing is deleted"), opened(tmp_path):
            pass
        assert len(list((tmp_path / "items").glob("*.flsub"))) == COUNT


def no_table(path):
    with observe_spool(path) as spool:
        spool.ledger._db.execute("DROP TABLE item")


@pytest.mark.parametrize(
    "harm",
    [
        pytest.param(lambda p: (p / "spool.db").write_bytes(os.urandom(50_000)), id="noise"),
        pytest.param(lambda p: os.truncate(p / "spool.db", 100), id="100 bytes"),
        pytest.param(lambda p: os.truncate(p / "spool.db", 20_000), id="half"),
        pytest.param(lambda p: (p / "spool.db").unlink(), id="gone"),
        pytest.param(no_table, id="no table"),
    ],
)
def test_repair_makes_a_new_database_and_adopts_the_sealed_files(tmp_path, kept, harm):
    harm(tmp_path)
    there = (tmp_path / "spool.db").exists()
    if there:
        with pytest.raises(SpoolDamagedError, match="spool repair"), opened(tmp_path):
            pass
    found = repair_spool(tmp_path, LIMITS, environment={})
    assert found.recovery.adopted == COUNT
    assert (found.old_database is not None) == there
    assert found.old_database is None or found.old_database.exists()
    assert len(drained(tmp_path)[0]) == COUNT


def test_repair_leaves_a_sound_spool_alone(tmp_path, kept):
    found = repair_spool(tmp_path, LIMITS, environment={})
    assert found.sound
    assert len(drained(tmp_path)[0]) == COUNT


def test_repair_leaves_the_database_of_a_later_version_alone(tmp_path, kept):
    with observe_spool(tmp_path) as spool:
        spool.ledger._db.execute("PRAGMA user_version = 9")
    with pytest.raises(SpoolError, match="another version"):
        repair_spool(tmp_path, LIMITS, environment={})
    assert not list(tmp_path.glob("spool.db.damaged*"))


def test_repair_brings_back_what_can_be_opened_again(tmp_path, kept):
    flip(tmp_path / "items" / f"{kept[0]}.flsub", 8)  # only the key id: the content is whole
    os.truncate(tmp_path / "items" / f"{kept[1]}.flsub", 500)
    assert len(drained(tmp_path)[0]) == COUNT - 2
    found = repair_spool(tmp_path, LIMITS, environment={})
    assert (found.brought_back, found.still_damaged) == (1, 1)
    arrived, _, states = drained(tmp_path)
    assert len(arrived) == 1
    assert states[kept[0]] is ItemState.DELIVERED


def test_an_unreadable_record_is_a_typed_error(tmp_path, kept):
    with opened(tmp_path) as spool:
        spool.ledger._db.execute("UPDATE item SET state = 'quexed'")
        with pytest.raises(ItemError, match="repair"):
            spool.item(kept[0])


@pytest.mark.parametrize(
    ("number", "kind", "text"),
    [
        pytest.param(errno.EWOULDBLOCK, SpoolBusyError, "already delivers", id="held"),
        pytest.param(errno.ENOLCK, SpoolError, "No locks available", id="no locks"),
        pytest.param(errno.EOPNOTSUPP, SpoolError, "local file system", id="not supported"),
    ],
)
def test_a_lock_that_cannot_be_taken_names_its_cause(
    tmp_path, kept, monkeypatch, number, kind, text
):
    def flock(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("fcntl.flock", flock)
    with pytest.raises(SpoolError, match=text) as refused, opened(tmp_path):
        pass
    assert type(refused.value) is kind


def test_sealed_files_without_key_and_database_can_be_given_up(tmp_path, kept):
    (tmp_path / "spool.db").unlink()
    (tmp_path / "device.key").unlink()
    assert purge_sealed(tmp_path) == COUNT
    assert list((tmp_path / "items").iterdir()) == []


def test_giving_up_without_a_database_leaves_what_a_database_lists(tmp_path, kept):
    assert purge_sealed(tmp_path) == 0
    assert len(drained(tmp_path)[0]) == COUNT
