"""Many inputs on this machine: a worker that crashes, hangs or eats the memory loses one input."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, TimeoutError
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from pebble import ProcessExpired, ProcessPool

from facelight.errors import FacelightError, OutputError, SettingsError
from facelight.process import Job, failed, process_job, write_failed
from facelight.settings import Settings

MEMORY_CHECK_S = 0.5
OUT_OF_MEMORY_EXIT = 77


@dataclass(frozen=True, slots=True)
class BatchOptions:
    """How many workers, and what one input may cost."""

    workers: int = max(1, (os.cpu_count() or 2) // 2)
    timeout_s: float = 600.0
    memory_mb: int = 2048
    retries: int = 1

    def __post_init__(self) -> None:
        if self.workers < 1:
            raise SettingsError(f"--workers: expected at least 1, got {self.workers}")


class WorkerLost(FacelightError):
    """A worker process ended in the middle of an input."""


def run_batch(
    jobs: Iterable[Job], settings: Settings, options: BatchOptions
) -> Iterator[dict[str, Any]]:
    """Yield the result of each job in the order given; at most a few are under way at a time.

    Everything runs in spawned workers, so that a crash of a decoder costs one input. Closing the
    iterator (Ctrl-C) stops the workers; what was finished stays.
    """
    waiting: deque[tuple[Job, int, Future[dict[str, Any]]]] = deque()
    pool = ProcessPool(
        max_workers=options.workers,
        context=multiprocessing.get_context("spawn"),
        initializer=_start_worker,
        initargs=[options.memory_mb],
    )

    def submit(job: Job, tries: int) -> tuple[Job, int, Future[dict[str, Any]]]:
        future = pool.schedule(process_safely, args=[job, settings], timeout=options.timeout_s)
        return job, tries, future

    try:
        for job in jobs:
            waiting.append(submit(job, 0))
            if len(waiting) >= 4 * options.workers:
                yield _result(waiting.popleft(), submit, settings, options)
        while waiting:
            yield _result(waiting.popleft(), submit, settings, options)
        pool.close()
    finally:
        pool.stop()
        pool.join()


def process_safely(job: Job, settings: Settings) -> dict[str, Any]:
    """Process one job; a directory that cannot be written is a result, too."""
    try:
        return process_job(job, settings)
    except OutputError as error:
        return failed(job, settings, error)


def _result(
    item: tuple[Job, int, Future[dict[str, Any]]], submit: Any, settings: Settings, o: BatchOptions
) -> dict[str, Any]:
    job, tries, future = item
    while True:
        try:
            return future.result()
        except TimeoutError:
            error = WorkerLost(f"{job.input}: not finished within {o.timeout_s:g} s")
        except ProcessExpired as expired:
            error = WorkerLost(f"{job.input}: {_cause(expired.exitcode, o)}")
        if tries >= o.retries:
            return write_failed(job, settings, error)
        tries += 1
        _, _, future = submit(job, tries)


def _cause(exitcode: int | None, options: BatchOptions) -> str:
    if exitcode == OUT_OF_MEMORY_EXIT:
        return f"its worker needed more than {options.memory_mb} MB (--worker-memory-mb)"
    return f"its worker crashed (exit code {exitcode})"


def _start_worker(memory_mb: int) -> None:
    """Leave Ctrl-C to the coordinator, and watch this process's memory."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    watch = threading.Thread(target=_watch_memory, args=(memory_mb,), daemon=True, name="memory")
    watch.start()


def _watch_memory(memory_mb: int) -> None:
    """End the process before it takes the machine's memory away from the others."""
    me, pause = psutil.Process(), threading.Event()
    while not pause.wait(MEMORY_CHECK_S):
        if me.memory_info().rss > memory_mb * 1_000_000:
            os._exit(OUT_OF_MEMORY_EXIT)


def output_names(inputs: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield ``(input, name)``: the input without its ending; a second of one name gets a suffix.

    The suffix comes from the input's path, so a resumed batch finds the same names again.
    """
    seen: set[str] = set()
    for given in inputs:
        path = Path(given)
        known = {".flrec", ".mp4", ".mkv", ".webm", ".avi", ".mov"}
        name = path.stem if path.suffix.lower() in known or path.is_file() else path.name
        name = name or "session"
        if name in seen:
            name = f"{name}-{hashlib.sha256(given.encode()).hexdigest()[:8]}"
        seen.add(name)
        yield given, name
