"""What a worker process does; imports nothing heavy, so that it can act before numpy does."""

from __future__ import annotations

import multiprocessing
import os
import threading
from multiprocessing.connection import Connection
from typing import Final

from facelight.memory_guard import forbid_core_dumps

THREAD_LIMITS: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
ORPHANED_EXIT: Final = 76
MEMORY_EXIT: Final = 77
READY: Final = "ready"


def serve(pipe: Connection) -> None:
    """Work through what comes over the pipe until its other end is closed.

    First comes ``(work, scratch, limits)``, answered with ``READY`` once all is imported, then
    pairs of job and settings, each answered with what ``work`` returns. numpy's BLAS would start a
    thread a core in every worker, 4096 on a machine with 64 cores: a worker takes one.
    """
    forbid_core_dumps()
    for name in THREAD_LIMITS:
        os.environ.setdefault(name, "1")
    threading.Thread(target=_end_with_parent, daemon=True, name="parent-watch").start()
    try:
        work, scratch, limits = pipe.recv()
        limits.apply()
        pipe.send(READY)
        while True:
            job, settings = pipe.recv()
            limits.begin()
            pipe.send(work(job, settings, scratch))
    except (EOFError, BrokenPipeError):
        return  # the coordinator has closed its end
    except MemoryError:
        os._exit(MEMORY_EXIT)


def _end_with_parent() -> None:
    """End also in the middle of an input, however the coordinator ended."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(ORPHANED_EXIT)
