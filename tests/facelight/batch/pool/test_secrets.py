"""A worker opens other people's videos: it has no secret and leaves no core dump."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

import pytest

from facelight.batch.job import Job
from facelight.batch.pool.slot import WorkerSlot
from facelight.batch.pool.worker_limits import WorkerLimits
from facelight.config.settings import Settings
from facelight.result import ResultRecord
from tests.facelight.records import record
from uploader.secret_environment import SECRET_VARIABLES, surroundings

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def look_around(_job: Job, _settings: Settings, _scratch: Path) -> ResultRecord:
    environment = Path("/proc/self/environ").read_bytes().split(b"\0")
    names = [entry.partition(b"=")[0].decode() for entry in environment]
    return record(notes=names, detail=str(resource.getrlimit(resource.RLIMIT_CORE)[0]))


@pytest.mark.slow
def test_a_worker_has_no_secret_and_leaves_no_core_dump(tmp_path, monkeypatch):
    for name in SECRET_VARIABLES:
        monkeypatch.setenv(name, "CANARY")
    slot = WorkerSlot(look_around, tmp_path, WorkerLimits.of(2048, 60.0))
    try:
        slot.begin(Job("a.mp4", "a", tmp_path), Settings())
        reply = None
        while reply is None:
            assert slot.pipe is not None
            assert slot.pipe.poll(60)
            reply = slot.answer()
    finally:
        slot.end()
    found = reply.result
    assert found is not None
    assert not set(found.notes) & set(SECRET_VARIABLES)
    assert found.detail == "0"
    assert surroundings()["FACELIGHT_KEY"] == "CANARY"
