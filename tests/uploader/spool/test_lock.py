"""The lock of a spool holds also where the owner cannot be noted in it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from uploader.errors import SpoolBusyError
from uploader.spool.lock import OwnerLock


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a disk that is always full")
@pytest.mark.skipif(sys.platform != "linux", reason="locks devices")
def test_a_full_disk_keeps_nobody_from_his_own_spool(tmp_path: Path) -> None:
    path = tmp_path / "spool.lock"
    path.symlink_to("/dev/full")
    first, second = OwnerLock(path), OwnerLock(path)
    first.acquire()
    with pytest.raises(SpoolBusyError, match="process unknown"):
        second.acquire()
    first.release()
    second.acquire()
    second.release()
