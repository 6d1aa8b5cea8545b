"""A full disk gets emptier: what is delivered is noted and destroyed, so that the next one goes."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.uploader.samples import submission
from tests.uploader.spool.test_spool import GOOD, opened
from uploader.errors import SpoolFullError
from uploader.spool.item import ItemState
from uploader.spool.spool import RESERVE

SCRIPT = Path(__file__).with_name("full_disk.py")


def test_a_record_that_finds_no_room_uses_the_reserve(tmp_path, monkeypatch):
    with opened(tmp_path) as spool:
        item = spool.put(submission())
        reserve, update = tmp_path / RESERVE, spool.ledger.update

        def full(*args, **more):
            if reserve.exists():
                raise SpoolFullError("database or disk is full")
            update(*args, **more)

        assert reserve.stat().st_size > 100_000
        monkeypatch.setattr(spool.ledger, "update", full)
        spool.finish(item, GOOD, ItemState.DELIVERED)
        assert spool.item(item.id).state is ItemState.DELIVERED
        assert list((tmp_path / "items").iterdir()) == []
        assert not reserve.exists()
        spool.maintain()
        assert reserve.exists()  # taken again once there is room


def test_without_any_room_it_stays_an_error(tmp_path, monkeypatch):
    def full(*_args, **_more):
        raise SpoolFullError("database or disk is full")

    with opened(tmp_path) as spool:
        item = spool.put(submission())
        monkeypatch.setattr(spool.ledger, "update", full)
        with pytest.raises(SpoolFullError):
            spool.finish(item, GOOD, ItemState.DELIVERED)


@pytest.mark.slow
@pytest.mark.parametrize("free_kb", [16, 0])
@pytest.mark.parametrize("start", ["new process", "same process"])
def test_on_a_real_full_disk_everything_is_delivered(tmp_path, free_kb, start):
    """The disk is a small tmpfs in a namespace of its own; a real file fills it."""
    if shutil.which("unshare") is None:
        pytest.skip("a small disk of one's own needs unshare")
    place = tmp_path / "disk"
    place.mkdir()
    inside = 'mount -t tmpfs -o size=4m none "$1" && exec "$2" "$3" "$1" "$4" "$5"'
    argv = ["unshare", "-rm", "sh", "-c", inside, "sh", place, sys.executable, SCRIPT]
    done = subprocess.run(
        [*map(str, argv), str(free_kb), start],
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
    )
    if done.returncode and "unshare" in done.stderr + done.stdout:
        pytest.skip("this machine gives no namespaces")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"refused": True, "delivered": 5, "files": 0, "states": 5}
