"""What the kernel refuses a worker, proven in a real one."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from facelight.batch.job import Job
from facelight.batch.pool.slot import WorkerSlot
from facelight.batch.pool.worker_limits import WorkerLimits
from facelight.batch.pool.worker_process import MEMORY_EXIT
from facelight.config.settings import Settings

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="limits are those of Linux"),
    pytest.mark.slow,
]

LIMITS = WorkerLimits(memory_bytes=400_000_000, cpu_s=1.0, file_bytes=1_000_000)


def hoards(_job: Job, _settings: Settings, _scratch: Path) -> dict[str, Any]:
    return {"size": len(bytearray(1_000_000_000))}


def writes(_job: Job, _settings: Settings, scratch: Path) -> dict[str, Any]:
    try:
        (scratch / "endless").write_bytes(bytes(3_000_000))
    except OSError as error:
        return {"error": error.strerror, "size": (scratch / "endless").stat().st_size}
    return {"error": None}


def spins(_job: Job, _settings: Settings, _scratch: Path) -> dict[str, Any]:
    while True:
        pass


def outcome(work: Any, scratch: Path) -> tuple[Any, int | None]:
    """Return what a worker answers to its first job, and its exit code."""
    slot = WorkerSlot(work, scratch, LIMITS)
    try:
        slot.begin(Job("a.mp4", "a", scratch), Settings())
        while (reply := slot.answer()) is None and slot.exit_code is None:
            assert slot.pipe is not None
            assert slot.pipe.poll(60)
        return (None if reply is None else reply.result), slot.exit_code
    finally:
        slot.end()


def test_more_memory_than_it_may_have_ends_it_with_a_code_of_its_own(tmp_path: Path) -> None:
    assert outcome(hoards, tmp_path) == (None, MEMORY_EXIT)


def test_a_file_larger_than_it_may_be_is_an_error_of_writing(tmp_path: Path) -> None:
    assert outcome(writes, tmp_path)[0] == {"error": "File too large", "size": 1_000_000}


def test_more_time_than_it_may_use_ends_it(tmp_path: Path) -> None:
    assert outcome(spins, tmp_path) == (None, -signal.SIGXCPU)
