"""What a worker process does first; imports nothing heavy, so that it can act before numpy does."""

from __future__ import annotations

import multiprocessing
import os
import threading

THREAD_LIMITS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
ORPHANED_EXIT = 76


def start_worker() -> None:
    """Take one core, and end with the coordinator, however that ends.

    numpy's BLAS would start a thread a core in every worker: 4096 on a machine with 64 cores.
    """
    for name in THREAD_LIMITS:
        os.environ.setdefault(name, "1")
    threading.Thread(target=_end_with_parent, daemon=True, name="parent-watch").start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(ORPHANED_EXIT)
