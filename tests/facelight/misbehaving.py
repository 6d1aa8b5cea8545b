"""What workers may meet: work that crashes, hangs, eats memory or dies quietly, on demand.

The name of a job says what happens to it; ``once`` in it means at the first try only. ``detail`` of
the result is the number of the process.
"""

from __future__ import annotations

import ctypes
import os
import signal
import time
from pathlib import Path

from facelight.batch.job import Job
from facelight.config.settings import Settings
from facelight.result import ResultRecord
from tests.facelight.records import record


def work(job: Job, settings: Settings, scratch: Path) -> ResultRecord:
    marker = scratch / f"seen-{job.place}"
    again = marker.exists()
    marker.touch()
    with (scratch / "tries").open("a") as file:
        file.write(f"{job.place}\n")
    if not (again and "once" in job.name):
        misbehave(job.name)
    return record(job.name, detail=str(os.getpid()))


def misbehave(name: str) -> None:
    if "segfault" in name:
        ctypes.string_at(0)
    if "killed" in name:
        os.kill(os.getpid(), signal.SIGKILL)
    if "exit" in name:
        os._exit(3)
    if "hang" in name:
        time.sleep(600)
    if "stubborn" in name:  # no Python signal handler runs in here
        ctypes.CDLL(None).sleep(600)
    if "greedy" in name:
        hoard = [bytearray(b"x" * 10_000_000) for _ in range(100)]
        time.sleep(600)
        hoard.clear()
    if "slow" in name:
        time.sleep(1.0)
