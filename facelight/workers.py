"""Spawned workers on this machine: one that crashes, hangs or eats the memory loses one input."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, TimeoutError, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeAlias

import psutil
from pebble import ProcessExpired, ProcessPool

from facelight.attempt import attempt, failed_safely
from facelight.errors import SettingsError
from facelight.job import Finished, Job, WorkerLost
from facelight.outputs import remove_parts
from facelight.remote import remove_copy
from facelight.settings import Settings
from facelight.worker import start_worker

WORKER_NAME = "pebble_pool_worker"
MEMORY_CHECK_S = 0.2
POLL_S = 1.0
IN_FLIGHT = 3
"""Jobs a worker that are handed out: enough to work on while the coordinator delivers."""

FALSE_STARTS = 3
LEAST_MEMORY_MB = 512

Result: TypeAlias = "Future[dict[str, Any] | None]"
Work: TypeAlias = Callable[[Job, Settings, Path], dict[str, Any] | None]


def usable_cores() -> int:
    """Return how many cores this process may use, by affinity and by the container's quota."""
    cores = os.cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").split()
        cores = min(cores, max(1, round(int(quota) / int(period))))
    except (OSError, ValueError):
        pass  # no quota: "max", or another system
    return cores


@dataclass(frozen=True, slots=True)
class WorkerOptions:
    """How many workers, each on one core, and what one input may cost.

    Raises
    ------
    SettingsError
        for a value out of range; names the flag.
    """

    workers: int = 1
    timeout_s: float = 600.0
    memory_mb: int = 2048
    retries: int = 1

    def __post_init__(self) -> None:
        if self.workers < 1:
            raise SettingsError(f"--workers: expected at least 1, got {self.workers}")
        if not self.timeout_s > 0:
            raise SettingsError(f"--timeout-s: expected more than 0, got {self.timeout_s:g}")
        if self.memory_mb < LEAST_MEMORY_MB:
            told = f"expected at least {LEAST_MEMORY_MB}, got {self.memory_mb}"
            raise SettingsError(f"--worker-memory-mb: {told}")


@dataclass(slots=True)
class _Flight:
    job: Job
    pool: ProcessPool
    lost: int = 0


class Workers:
    """A pool whose workers start with the first job and end with the context.

    A lost input is tried again ``retries`` times, then it is a result of status ``error``.

    Parameters
    ----------
    options : how many, and their limits.
    scratch : a private directory for copies of inputs.
    work : what a worker does with a job; importable by it.
    """

    def __init__(self, options: WorkerOptions, scratch: Path, work: Work = attempt) -> None:
        self._options = options
        self._work = work
        self._scratch = scratch
        self._lock = threading.Lock()
        self._pool: ProcessPool | None = None
        self._false_starts = 0
        self._flying: dict[Result, _Flight] = {}
        self._memory = _MemoryWatch(options.memory_mb)

    def run(self, jobs: Iterable[Job], settings: Settings) -> Generator[Finished, None, None]:
        """Yield every job as it is finished; a few are under way at a time, ``jobs`` is streamed.

        Raises
        ------
        WorkerLost
            the workers end again and again before they begin.
        """
        stream, flying = iter(jobs), dict[Result, _Flight]()
        self._flying = flying
        room = IN_FLIGHT * self._options.workers
        while True:
            for job in islice(stream, max(0, room - len(flying))):
                self._start(flying, _Flight(job, self._opened()), settings)
            if not flying:
                return
            done, _ = wait(flying, timeout=POLL_S, return_when=FIRST_COMPLETED)
            for future in done:
                flight = flying.pop(future)
                finished = self._landed(future, flight, settings)
                if finished is None:
                    self._start(flying, flight, settings)
                else:
                    self._false_starts = 0
                    yield finished

    def finished_meanwhile(self) -> list[Finished]:
        """Return what has been finished, but not yielded because ``run`` was interrupted."""
        return [
            Finished(flight.job, future.result())
            for future, flight in self._flying.items()
            if future.done() and future.exception() is None
        ]

    def close(self) -> None:
        """End the workers, also in the middle of their inputs; idempotent."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.stop()
            pool.join()
        self._memory.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _opened(self) -> ProcessPool:
        with self._lock:
            if self._pool is None:
                self._memory.start()
                self._pool = ProcessPool(
                    max_workers=self._options.workers,
                    context=multiprocessing.get_context("spawn"),
                    initializer=start_worker,
                )
            return self._pool

    def _start(self, flying: dict[Result, _Flight], flight: _Flight, settings: Settings) -> None:
        """Hand the job out; a pool that broke meanwhile is replaced."""
        while True:
            flight.pool = self._opened()
            try:
                with _undisturbed():
                    future: Result = flight.pool.schedule(
                        self._work,
                        args=[flight.job, settings, self._scratch],
                        timeout=self._options.timeout_s,
                    )
            except RuntimeError:  # what pebble says of a broken pool
                self._discard(flight.pool)
            else:
                flying[future] = flight
                return

    def _landed(self, future: Result, flight: _Flight, settings: Settings) -> Finished | None:
        """Return what became of a job; None if it is to be tried again."""
        try:
            return Finished(flight.job, future.result())
        except BrokenProcessPool:  # a worker ended between two jobs: nobody's fault
            self._discard(flight.pool)
            return None
        except TimeoutError:
            told = f"not finished within {self._options.timeout_s:g} s (--timeout-s)"
        except ProcessExpired as expired:
            told = self._cause(expired)
        remove_parts(flight.job.out, flight.job.name)
        remove_copy(flight.job, self._scratch)
        flight.lost += 1
        if flight.lost <= self._options.retries:
            return None
        error = WorkerLost(f"{flight.job.input}: {told}, {flight.lost} times")
        return Finished(flight.job, failed_safely(flight.job, settings, error))

    def _cause(self, expired: ProcessExpired) -> str:
        if expired.pid in self._memory.ended:
            return f"its worker needed over {self._options.memory_mb} MB (--worker-memory-mb)"
        code = expired.exitcode
        if code is not None and code < 0:
            return f"its worker was ended by {signal.Signals(-code).name}"
        return f"its worker ended with exit code {code}"

    def _discard(self, pool: ProcessPool) -> None:
        with self._lock:
            if self._pool is not pool:
                return  # another job has seen to it
            self._pool = None
            self._false_starts += 1
        pool.stop()
        pool.join()
        if self._false_starts >= FALSE_STARTS:
            raise WorkerLost(
                f"the workers ended {FALSE_STARTS} times before they began: is there memory for"
                f" {self._options.workers} of them (--workers)?"
            )


class _MemoryWatch:
    """Ends a worker before it takes the machine's memory away from the others."""

    def __init__(self, limit_mb: int) -> None:
        self._limit = limit_mb * 1_000_000
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self.ended: set[int] = set()

    def start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._watch, daemon=True, name="memory-watch")
            self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()

    def _watch(self) -> None:
        while not self._stopped.wait(MEMORY_CHECK_S):
            for child in multiprocessing.active_children():
                if child.name == WORKER_NAME and child.pid is not None:
                    self._check(child.pid)

    def _check(self, pid: int) -> None:
        try:
            worker = psutil.Process(pid)
            if worker.memory_info().rss > self._limit:
                self.ended.add(pid)
                worker.kill()
        except psutil.Error:
            return  # it has just ended by itself


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Start threads and processes that Ctrl-C does not reach: the coordinator ends them."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
