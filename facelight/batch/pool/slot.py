"""A place for one worker process: started when there is work, replaced when it has ended."""

from __future__ import annotations

import multiprocessing
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any, Final, TypeAlias

from facelight.batch.job import Job
from facelight.batch.pool.worker_limits import WorkerLimits
from facelight.batch.pool.worker_process import READY, serve
from facelight.config.settings import Settings
from facelight.result import ResultRecord
from uploader.secret_environment import withdraw_secrets

JOIN_S: Final = 1.0
Work: TypeAlias = Callable[[Job, Settings, Path], ResultRecord | None]


@dataclass(frozen=True, slots=True)
class WorkerReply:
    """What ``work`` returned."""

    result: ResultRecord | None


class WorkerSlot:
    """One worker at most, with a pipe of its own; works on one job at a time.

    Attributes
    ----------
    ready : the worker has begun with a job; before that, its end is not the job's fault.
    """

    def __init__(self, work: Work, scratch: Path, limits: WorkerLimits) -> None:
        self._task = (work, scratch, limits)
        self._process: SpawnProcess | None = None
        self._pipe: Connection | None = None
        self._since_s = 0.0
        self.ready = False

    @property
    def pid(self) -> int | None:
        """Process id of the worker, None where there is none."""
        return None if self._process is None else self._process.pid

    @property
    def busy_s(self) -> float:
        """Seconds since the worker began with its job, or since it was started."""
        return time.monotonic() - self._since_s

    @property
    def pipe(self) -> Connection | None:
        """Readable when the worker has answered or ended, for ``connection.wait``."""
        return self._pipe

    @property
    def exit_code(self) -> int | None:
        """Exit code of a worker that has ended, negative for a signal; None while it lives."""
        return None if self._process is None else self._process.exitcode

    def begin(self, job: Job, settings: Settings) -> None:
        """Hand a job to the worker; one that has ended since its last job is replaced."""
        if self._process is None or self.exit_code is not None or not self._sent(job, settings):
            self._start()
            self._sent(job, settings)  # if it has ended already, the next wait tells
        self._since_s = time.monotonic()

    def answer(self) -> WorkerReply | None:
        """Return what the worker has answered, None where nothing has come."""
        try:
            while self._pipe is not None and self._pipe.poll():
                message = self._pipe.recv()
                if message != READY:
                    return WorkerReply(message)
                self.ready, self._since_s = True, time.monotonic()
        except (EOFError, OSError):  # it has ended, perhaps in the middle of its answer
            if self._process is not None:
                self._process.join(JOIN_S)
        return None

    def end(self) -> None:
        """End the worker at once; idempotent."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._process.close()
        if self._pipe is not None:
            self._pipe.close()
        self._process = self._pipe = None

    def _start(self) -> None:
        self.end()
        withdraw_secrets()  # the worker opens other people's videos
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(
            target=serve, args=(theirs,), daemon=True, name="facelight-worker"
        )
        with _undisturbed():
            self._process.start()
        theirs.close()
        self.ready = False
        self._send(self._task)

    def _sent(self, job: Job, settings: Settings) -> bool:
        return self._send((job, settings))

    def _send(self, message: Any) -> bool:
        try:
            if self._pipe is not None:
                self._pipe.send(message)
        except OSError:
            return False
        return True


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Start a process that Ctrl-C does not reach: the coordinator ends it."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
