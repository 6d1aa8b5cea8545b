"""A Dask cluster on this machine: two worker processes of one thread, under their nannies."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
from distributed import LocalCluster


@contextmanager
def local_cluster(
    folder: Path, workers: int = 2, allowed_failures: int = 3
) -> Iterator[LocalCluster]:
    """Start a cluster whose workers write below ``folder`` only; nothing may be left of it."""
    before = set(psutil.Process().children(recursive=True))
    with LocalCluster(
        n_workers=workers, threads_per_worker=1, processes=True, host="127.0.0.1",
        dashboard_address="127.0.0.1:0", memory_limit=0, local_directory=str(folder),
        silence_logs=logging.CRITICAL, scheduler_kwargs={"allowed_failures": allowed_failures},
    ) as cluster:  # fmt: skip
        yield cluster
    started = set(psutil.Process().children(recursive=True)) - before
    _, alive = psutil.wait_procs([p for p in started if not _tracks_resources(p)], timeout=120)
    assert not alive
    assert not list(folder.glob("dask-scratch-space/worker-*"))


def dask_workers(cluster: LocalCluster) -> list[psutil.Process]:
    """Return the processes of the Dask workers that live."""
    pids = [nanny.process.pid for nanny in cluster.workers.values() if nanny.process is not None]
    return [psutil.Process(pid) for pid in pids if pid is not None]


def _tracks_resources(process: psutil.Process) -> bool:
    """Return whether this is the helper of multiprocessing that stays until Python ends."""
    with suppress(psutil.Error):
        return "resource_tracker" in " ".join(process.cmdline())
    return False
