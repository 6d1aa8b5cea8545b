"""What runs on the workers of a Dask cluster: a small pool of our own inside each of them."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import tempfile
import threading
from dataclasses import replace
from pathlib import Path
from typing import Final

from distributed import Worker, WorkerPlugin, get_worker

from facelight.batch.dask.cluster_versions import Versions, difference, here
from facelight.batch.job import Finished, Job, WorkerLost
from facelight.batch.pool.job_attempt import attempt
from facelight.batch.pool.pool import WorkerOptions, WorkerPool
from facelight.batch.pool.slot import Work, WorkerSlot
from facelight.config.settings import Settings
from facelight.result import ResultRecord

IDLE_S: Final = 120.0
"""Processes that have had no work for so long end, should the coordinator have been killed."""


class _Endable(WorkerPool):
    """Workers whose ``run`` ends, with an error, soon after another thread asks for it."""

    asked = False

    def _landed(self, slot: WorkerSlot, settings: Settings) -> Finished | None:
        if self.asked:
            raise WorkerLost("the batch was given up")
        return super()._landed(slot, settings)


class Isolation(WorkerPlugin):
    """Keeps one process a thread of the Dask worker, in which inputs may crash or hang.

    Workers that are there at the start have been compared before; one that joins later with other
    ``versions`` than the coordinator's is ``unfit``, and says so to every job.
    """

    def __init__(
        self, options: WorkerOptions, work: Work = attempt, versions: Versions | None = None
    ) -> None:
        self._options = options
        self._work = work
        self._versions = versions
        self.unfit = ""

    def setup(self, worker: Worker) -> None:
        """Prepare; processes start with the first job."""
        if self._versions is not None:
            self.unfit = difference(self._versions, here())
        # Dask runs its workers as daemons, which may not have children; ours end with their
        # parent by themselves (pool.worker_process), which is all that the ban is for.
        multiprocessing.current_process()._config["daemon"] = False  # type: ignore[attr-defined]
        # Dask's nanny has glibc give pages back at once; for frames that costs 13 % (measured).
        os.environ.pop("MALLOC_TRIM_THRESHOLD_", None)
        self._options = replace(self._options, workers=1)
        self._folder = Path(tempfile.mkdtemp(prefix="facelight-", dir=worker.local_directory))
        self._lock = threading.Lock()
        self._idle: list[_Endable] = []
        self._lent: list[_Endable] = []
        self._over = False
        self._timer: threading.Timer | None = None

    def teardown(self, worker: Worker) -> None:
        """End the processes, also in the middle of their inputs, and remove the folder."""
        del worker
        with self._lock:
            self._over = True
            for workers in self._lent:
                workers.asked = True  # their threads do the rest: Dask's loop is not to wait here
        self._rest()

    def process(self, job: Job, settings: Settings) -> tuple[ResultRecord | None, dict[str, bytes]]:
        """Return what ``result.json`` holds and the files of the directory."""
        out = Path(tempfile.mkdtemp(prefix="out-", dir=self._folder))
        workers = self._borrowed()
        try:
            here = replace(job, out=out)
            (finished,) = workers.run([here], settings)
            folder = here.target
            files = [path for path in folder.rglob("*") if path.is_file()]
            content = {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}
            return finished.result, content
        finally:
            shutil.rmtree(out, ignore_errors=True)
            self._give_back(workers)

    def _borrowed(self) -> _Endable:
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
            workers = self._idle.pop() if self._idle else self._new()
            workers.asked = self._over
            self._lent.append(workers)
            return workers

    def _new(self) -> _Endable:
        return _Endable(self._options, self._folder, self._work)

    def _give_back(self, workers: _Endable) -> None:
        with self._lock:
            self._lent.remove(workers)
            self._idle.append(workers)
            if self._timer is not None:
                self._timer.cancel()
            over = self._over
            if not over:
                self._timer = threading.Timer(IDLE_S, self._rest)
                self._timer.daemon = True
                self._timer.start()
        if over:
            self._rest()

    def _rest(self) -> None:
        """End the processes that have no work; at the very end, remove the folder."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
            idle, self._idle = self._idle, []
            last = self._over and not self._lent
        for workers in idle:
            workers.close()
        if last:
            shutil.rmtree(self._folder, ignore_errors=True)


class UnfitWorkerError(Exception):
    """Says that a worker cannot do what the others do; ``args`` are its address and the reason."""


def process_isolated(
    job: Job, settings: Settings, plugin: str, *, present: bool = False
) -> tuple[ResultRecord | None, dict[str, bytes]]:
    """Process a job on the Dask worker that this runs on.

    Parameters
    ----------
    present : the coordinator sees ``job.local``.

    Raises
    ------
    UnfitWorkerError
        this worker has other versions, or does not see what the coordinator sees.
    """
    worker = get_worker()
    isolation = worker.plugins.get(plugin)
    if not isinstance(isolation, Isolation):
        raise UnfitWorkerError(worker.address, "could not take over the work, see its log")
    told = isolation.unfit
    if present and job.local is not None and not job.local.exists():
        told = told or f"does not see {job.local}"
    if told:
        raise UnfitWorkerError(worker.address, told)
    return isolation.process(job, settings)
