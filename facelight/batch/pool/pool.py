"""Spawned workers on this machine: one that crashes, hangs or eats the memory loses one input.

Each worker has a pipe of its own and nothing in common with the others. Pools that share a queue
share its lock, too, and stand still when a worker is killed while it holds it: pebble 5.2 for
262 s, the standard library's for ever (measured).
"""

from __future__ import annotations

import os
import signal
import threading
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import connection
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import psutil

from facelight.batch.inputs.storage import remove_copy
from facelight.batch.inputs.urls import without_secrets
from facelight.batch.job import Finished, Job, WorkerLost
from facelight.batch.outputs import remove_parts
from facelight.batch.pool.job_attempt import attempt, failed_safely
from facelight.batch.pool.slot import Work, WorkerSlot
from facelight.batch.pool.worker_limits import WorkerLimits
from facelight.batch.pool.worker_process import MEMORY_EXIT
from facelight.config.settings import Settings
from facelight.errors import SettingsError
from facelight.result import RESULT_FILE

CHECK_S: Final = 0.2
"""A worker that grows by 2 GB a second is 0.4 GB over its limit when that is noticed."""

START_S: Final = 120.0
"""A worker imports for two seconds; on a machine that is overloaded for much longer."""

FALSE_STARTS: Final = 3
"""So often a worker, on average, may end before it begins."""

LEAST_MEMORY_MB: Final = 512


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

    ``spare_cores``: the cores that fewer inputs than workers leave are used as well, to decode
    ahead and to encode.

    Raises
    ------
    SettingsError
        for a value out of range; names the flag.
    """

    workers: int = 1
    timeout_s: float = 600.0
    memory_mb: int = 2048
    retries: int = 1
    spare_cores: bool = False

    def cores_each(self, inputs: int) -> int:
        """Return how many cores each of so many inputs may use."""
        if not self.spare_cores:
            return 1
        return max(1, usable_cores() // max(1, min(self.workers, inputs)))

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
    """A job under way, how often it has been lost, when its directory was written before."""

    job: Job
    before_ns: int | None
    lost: int = 0


class WorkerPool:
    """Workers that start with the first job and end with the context; used by one thread.

    A lost input is tried again ``retries`` times, then it is a result of status ``error``.

    Parameters
    ----------
    options : how many, and their limits.
    scratch : a private directory for copies of inputs.
    work : what a worker does with a job; importable by it.
    """

    def __init__(self, options: WorkerOptions, scratch: Path, work: Work = attempt) -> None:
        self._options = options
        self._scratch = scratch
        limits = WorkerLimits.of(options.memory_mb, options.timeout_s)
        self._slots = [WorkerSlot(work, scratch, limits) for _ in range(options.workers)]
        self._flying: dict[WorkerSlot, _Flight] = {}
        self._again: deque[_Flight] = deque()
        self._arrived: deque[Finished] = deque()
        self._false_starts = 0
        self._memory = _MemoryWatch(self._slots, options.memory_mb)

    def run(self, jobs: Iterable[Job], settings: Settings) -> Generator[Finished, None, None]:
        """Yield every job as it is finished; ``jobs`` is taken from as workers become free.

        Raises
        ------
        WorkerLost
            the workers end again and again before they begin.
        """
        self._memory.start()
        for slot in self._flying:
            slot.end()  # of a run that was given up
        self._flying.clear()
        self._again.clear()
        self._arrived.clear()
        stream = iter(jobs)
        while True:
            for slot in self._slots:
                if slot not in self._flying and (flight := self._next(stream)) is not None:
                    self._flying[slot] = flight
                    slot.begin(flight.job, settings)
            while self._arrived:  # the workers have their next job meanwhile
                yield self._arrived[0]
                self._arrived.popleft()
            if not self._flying:
                return
            connection.wait([slot.pipe for slot in self._flying if slot.pipe], CHECK_S)
            landed = (self._landed(slot, settings) for slot in [*self._flying])
            self._arrived.extend(finished for finished in landed if finished is not None)

    def interrupted(self) -> list[Finished]:
        """End the workers and return what they finished from the last that ``run`` yielded on."""
        answers = {slot: slot.answer() for slot in self._flying}
        self.close()
        finished = [*self._arrived]
        for slot, flight in self._flying.items():
            job, answer = flight.job, answers[slot]
            remove_parts(job.out, job.name)
            if answer is not None:
                finished.append(Finished(job, answer.result))
            elif written_at(job) != flight.before_ns:
                finished.append(Finished(job, None))
        return finished

    def close(self) -> None:
        """End the workers, also in the middle of their inputs; idempotent."""
        self._memory.stop()
        for slot in self._slots:
            slot.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _next(self, stream: Iterator[Job]) -> _Flight | None:
        """Return what is to be tried again, else a new job, else None."""
        if self._again:
            return self._again.popleft()
        job = next(stream, None)
        return None if job is None else _Flight(job, written_at(job))

    def _landed(self, slot: WorkerSlot, settings: Settings) -> Finished | None:
        """Return what has become of a slot's job; None if it is under way or tried again."""
        code = slot.exit_code  # first: what it answered before its end is in the pipe then
        answer = slot.answer()
        if answer is not None:
            self._false_starts = 0
            return Finished(self._flying.pop(slot).job, answer.result)
        limit_s = self._options.timeout_s if slot.ready else START_S
        if code is None and slot.busy_s < limit_s:
            return None
        told = self._cause(slot, code)
        slot.end()
        if slot.ready:
            return self._lost(self._flying.pop(slot), told, settings)
        self._unbegun(slot)
        return None

    def _lost(self, flight: _Flight, told: str, settings: Settings) -> Finished | None:
        job = flight.job
        remove_parts(job.out, job.name)
        remove_copy(job, self._scratch)
        flight.lost += 1
        if flight.lost <= self._options.retries:
            self._again.append(flight)
            return None
        error = WorkerLost(f"{without_secrets(job.input)}: {told}, {flight.lost} times")
        return Finished(job, failed_safely(job, settings, error))

    def _unbegun(self, slot: WorkerSlot) -> None:
        """Try a job again whose worker ended before it began with it: not the job's fault."""
        self._again.append(self._flying.pop(slot))
        self._false_starts += 1
        if self._false_starts >= FALSE_STARTS * len(self._slots):
            raise WorkerLost(
                f"workers ended {self._false_starts} times before they began: is there memory for"
                f" {len(self._slots)} of them (--workers)?"
            )

    def _cause(self, slot: WorkerSlot, code: int | None) -> str:
        if slot.pid in self._memory.ended or code == MEMORY_EXIT:
            return f"its worker needed over {self._options.memory_mb} MB (--worker-memory-mb)"
        if code is None:
            return f"not finished within {self._options.timeout_s:g} s (--timeout-s)"
        if code < 0:
            return f"its worker was ended by {signal.Signals(-code).name}"
        return f"its worker ended with exit code {code}"


def written_at(job: Job) -> int | None:
    """Return when the directory of a job was written, in ns; None where there is none."""
    try:
        return (job.target / RESULT_FILE).stat().st_mtime_ns
    except OSError:
        return None


class _MemoryWatch:
    """Ends a worker before it takes the machine's memory away from the others."""

    def __init__(self, slots: Sequence[WorkerSlot], limit_mb: int) -> None:
        self._slots = slots
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
        while not self._stopped.wait(CHECK_S):
            for pid in [slot.pid for slot in self._slots]:
                with suppress(psutil.Error):  # it has just ended by itself
                    self._check(pid)

    def _check(self, pid: int | None) -> None:
        worker = None if pid is None else psutil.Process(pid)
        if worker is not None and worker.memory_info().rss > self._limit:
            self.ended.add(worker.pid)
            worker.kill()
