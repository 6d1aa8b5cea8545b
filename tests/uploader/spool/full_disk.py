"""Fills the disk it is given, then delivers from a spool on it; run by the tests of a full disk."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))

from tests.uploader.samples import KEY, submission
from uploader.api.detect import DetectClient
from uploader.errors import SpoolFullError
from uploader.http.endpoint import Endpoint
from uploader.spool.delivery import DeliveryWorker
from uploader.spool.item import ItemState
from uploader.spool.limits import SpoolLimits
from uploader.spool.opening import open_spool
from uploader.spool.spool import Spool
from uploader.testing import FakeTransport

LIMITS = SpoolLimits(min_free_bytes=0)


def fill(disk: Path, free_bytes: int) -> None:
    with (disk / "log").open("ab", buffering=0) as file:
        while (room := shutil.disk_usage(disk).free - free_bytes) > 0:
            file.write(os.urandom(min(room, 4096)))


def refused(spool: Spool) -> bool:
    try:
        spool.put(submission(b"x" * 500_000))
    except SpoolFullError:
        return True
    return False


def deliver(spool: Spool) -> dict[str, object]:
    transport = FakeTransport()
    client = DetectClient(Endpoint("https://a.example"), KEY, transport=transport)
    DeliveryWorker(spool, client).drain()
    return {
        "delivered": len(transport.requests),
        "files": len(list((spool.directory / "items").iterdir())),
        "states": spool.ledger.counts().get(ItemState.DELIVERED, 0),
    }


def main(disk: Path, free_bytes: int, start: str) -> None:
    with open_spool(disk / "spool", LIMITS, environment={}) as spool:
        for number in range(5):
            spool.put(submission(bytes([number]) * 100_000))
        if start == "same process":
            fill(disk, free_bytes)
            told = {"refused": refused(spool)} | deliver(spool)
    if start == "new process":
        fill(disk, free_bytes)
        with open_spool(disk / "spool", LIMITS, environment={}) as spool:
            told = {"refused": refused(spool)} | deliver(spool)
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main(Path(sys.argv[1]), 1024 * int(sys.argv[2]), sys.argv[3])
