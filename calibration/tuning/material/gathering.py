"""All inputs to tables: from the cache where it has them, from several workers where not."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import TimeoutError
from dataclasses import dataclass
from typing import TypeAlias

from pebble import ProcessExpired, ProcessPool

from calibration.errors import MaterialError, TuningError
from calibration.tuning.material.cache import MeasureCache
from calibration.tuning.material.labels import LabelledItem
from calibration.tuning.material.measuring import Task, input_sha256, measure, method_of
from calibration.tuning.material.table import FrameTable
from capture.errors import CaptureError
from preprocess.errors import PreprocessError
from preprocess.tracking.tracker_options import TrackerOptions

Progress: TypeAlias = Callable[[int, int], None]
"""Called with inputs done and all inputs."""


@dataclass(frozen=True, slots=True)
class GatherOptions:
    """How inputs are measured.

    Attributes
    ----------
    workers : processes; 1 measures in this one.
    alone_below : so few inputs are not worth starting processes for.
    timeout_s : longest time for one input.
    """

    tracker: TrackerOptions
    workers: int = max(1, (os.cpu_count() or 2) // 2)
    alone_below: int = 24
    timeout_s: float = 1800.0

    def __post_init__(self) -> None:
        if self.workers < 1:
            raise TuningError(f"--workers: expected at least 1, got {self.workers}")


@dataclass(frozen=True, slots=True, eq=False)
class Gathered:
    """Content hash and table of each item, in the order of the items; ``fresh`` were not cached."""

    hashes: tuple[str, ...]
    tables: tuple[FrameTable, ...]
    fresh: int


def gather(
    items: Sequence[LabelledItem], cache: MeasureCache, options: GatherOptions, progress: Progress
) -> Gathered:
    """Measure every item; what is measured stays in the cache, even when another one fails.

    Raises
    ------
    MaterialError
        inputs that cannot be read, naming file and line of the first and how many there are.
    """
    problems: list[str] = []
    hashes = [_hashed(item, problems) for item in items]
    method = method_of(options.tracker)
    tables = cache.find(sorted(set(hashes) - {""}), method)
    wanted = {content: item for content, item in zip(hashes, items, strict=True) if content}
    missing = {c: item for c, item in wanted.items() if c not in tables}
    done, total = len(wanted) - len(missing), len(wanted)
    progress(done, total)
    for content, found in _measured(missing, options):
        done += 1
        progress(done, total)
        if isinstance(found, str):
            problems.append(f"{missing[content].where}: {found}")
        else:
            cache.put(content, method, found)
            tables[content] = found
    if problems:
        more = f" (and {len(problems) - 1} more inputs)" if len(problems) > 1 else ""
        raise MaterialError(f"{problems[0]}{more}")
    return Gathered(tuple(hashes), tuple(tables[c] for c in hashes), len(missing))


def _hashed(item: LabelledItem, problems: list[str]) -> str:
    try:
        return input_sha256(item.path)
    except CaptureError as error:
        problems.append(f"{item.where}: {error}")
        return ""


def _measured(
    missing: dict[str, LabelledItem], options: GatherOptions
) -> Iterator[tuple[str, FrameTable | str]]:
    """Yield content hash and table, or what is wrong with the input."""
    tasks = [Task(item.path, options.tracker) for item in missing.values()]
    if options.workers == 1 or len(tasks) < options.alone_below:
        yield from zip(missing, map(measured_or_told, tasks), strict=True)
        return
    pool = ProcessPool(
        max_workers=options.workers,
        context=multiprocessing.get_context("spawn"),
        initializer=_leave_ctrl_c,
    )
    try:
        futures = [
            pool.schedule(measured_or_told, args=[task], timeout=options.timeout_s)
            for task in tasks
        ]
        for content, task, future in zip(missing, tasks, futures, strict=True):
            try:
                yield content, future.result()
            except TimeoutError:
                yield content, f"{task.path}: not measured within {options.timeout_s:g} s"
            except ProcessExpired as expired:
                yield content, f"{task.path}: its worker crashed (exit code {expired.exitcode})"
        pool.close()
    finally:
        pool.stop()
        pool.join()


def measured_or_told(task: Task) -> FrameTable | str:
    """Return the table, or in words why there is none."""
    try:
        return measure(task)
    except (CaptureError, PreprocessError) as error:
        return str(error) if str(task.path) in str(error) else f"{task.path}: {error}"


def _leave_ctrl_c() -> None:
    """Leave Ctrl-C to the process that the user talks to."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
