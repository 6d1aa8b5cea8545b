"""What a start puts right, whatever state a crash left."""

from __future__ import annotations

import errno
import os

import pytest

from tests.uploader.faults import HookedDisk, failing
from tests.uploader.samples import submission
from tests.uploader.spool.test_spool import GOOD, opened
from uploader.errors import SpoolError
from uploader.spool.item import ItemState
from uploader.spool.opening import observe_spool, recover
from uploader.spool.spool import Recovery


def items(path):
    return sorted(p.name for p in (path / "items").iterdir())


def reopened(path):
    with opened(path) as spool:
        rows = {item.id: item.state for item in spool.items()}
    return rows, items(path)


def test_a_file_without_a_row_is_adopted_as_it_was(tmp_path):
    sent = submission()
    with opened(tmp_path) as spool:
        item = spool.put(sent)
        spool.ledger._db.execute("DELETE FROM item")
    with opened(tmp_path) as spool:
        assert spool.load(item.id) == sent
        assert spool.item(item.id).state is ItemState.QUEUED
        assert spool.item(item.id).digest == sent.digest


def test_a_row_without_a_file_is_told_as_lost(tmp_path):
    with opened(tmp_path) as spool:
        item = spool.put(submission())
        spool.store.path(item.id).unlink()
        assert recover(spool) == Recovery(lost=1)
        assert spool.item(item.id).state is ItemState.LOST


def test_half_written_files_are_removed(tmp_path):
    with opened(tmp_path) as spool:
        (spool.directory / "items" / "abc.tmp").write_bytes(b"half")
    assert reopened(tmp_path) == ({}, [])


def test_content_of_a_finished_item_is_destroyed(tmp_path):
    disk = HookedDisk()
    with opened(tmp_path, disk=disk) as spool:
        item = spool.put(submission())
        disk.before = failing("unlink", errno.EIO)
        spool.finish(item, GOOD, ItemState.DELIVERED)
        assert items(tmp_path) == [f"{item.id}.flsub"]
    assert reopened(tmp_path) == ({item.id: ItemState.DELIVERED}, [])


@pytest.mark.parametrize("damage", [b"", b"x" * 300, None], ids=["empty", "foreign", "bit"])
def test_a_damaged_file_is_set_aside_and_harms_no_other(tmp_path, damage):
    with opened(tmp_path) as spool:
        bad, good = spool.put(submission(b"1")), spool.put(submission(b"2"))
        path = spool.store.path(bad.id)
        data = bytearray(path.read_bytes())
        data[-1] ^= 1
        path.write_bytes(bytes(data) if damage is None else damage)
        spool.ledger._db.execute("DELETE FROM item WHERE id = ?", (bad.id,))
    rows, names = reopened(tmp_path)
    assert rows == {good.id: ItemState.QUEUED}
    assert sorted(names) == sorted([f"{bad.id}.damaged", f"{good.id}.flsub"])


def test_purging_everything_takes_damaged_files_along(tmp_path):
    with opened(tmp_path) as spool:
        (spool.directory / "items" / "abc.damaged").write_bytes(b"x")
        spool.purge()
        assert items(tmp_path) == []


def test_other_files_are_left_alone(tmp_path):
    with opened(tmp_path) as spool:
        (spool.directory / "items" / "README").write_text("mine")
    assert reopened(tmp_path)[1] == ["README"]


def test_a_start_with_nothing_to_do_does_nothing(tmp_path):
    with opened(tmp_path) as spool:
        spool.put(submission())
        assert recover(spool) == Recovery()


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps permissions elsewhere")
@pytest.mark.parametrize("folder", [".", "items"])
@pytest.mark.parametrize("mode", [0o755, 0o770, 0o701])
def test_a_directory_that_is_open_to_others_is_refused_with_the_cure(tmp_path, folder, mode):
    with opened(tmp_path) as spool:
        spool.put(submission())
    (tmp_path / folder).chmod(mode)
    for opening in (opened, observe_spool):
        with pytest.raises(SpoolError, match=r"chmod 700 '"), opening(tmp_path):
            pass
    (tmp_path / folder).chmod(0o700)
    with opened(tmp_path) as spool:
        assert spool.totals().items == 1


@pytest.mark.skipif(os.name == "nt", reason="Windows has no user ids")
def test_a_directory_of_another_user_is_refused_with_the_cure(tmp_path, monkeypatch):
    with opened(tmp_path):
        pass
    monkeypatch.setattr("os.geteuid", lambda: 12345)
    with pytest.raises(SpoolError, match="chown -R 12345"), opened(tmp_path):
        pass
