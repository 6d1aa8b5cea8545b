"""``facelight process``: every input to its directory, delivered if asked, then the summary."""

from __future__ import annotations

import os
import re
import signal
import sys
import tempfile
import threading
from collections.abc import Generator, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from facelight.batch.collector import Request, Results, standing_result
from facelight.batch.inputs.left_out import LeftOutFiles
from facelight.batch.inputs.listing import Listing
from facelight.batch.inputs.storage import RemoteError, fetch, remove_copy
from facelight.batch.inputs.urls import is_process_local
from facelight.batch.job import SOFTWARE, Finished, Job
from facelight.batch.outputs import remove_parts, write_parts
from facelight.batch.pool.pool import WorkerOptions, WorkerPool
from facelight.batch.storage_out import StorageOut
from facelight.config.settings import Settings, output_umask, settings_hash
from facelight.errors import Exit, OutputError, SettingsError
from facelight.terminal import one_line

__all__ = ["Engine", "Request", "process_all"]


_FOLDED_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]+:[/\\]")
"""A URL that has become a `Path`: ``s3:/bucket``."""


class Engine(Protocol):
    """Something that works through jobs: the workers of this machine, or a cluster."""

    def run(self, jobs: Iterable[Job], settings: Settings) -> Generator[Finished, None, None]:
        """Yield every job as it is finished, in any order."""
        ...

    def interrupted(self) -> list[Finished]:
        """End the work and return what is finished, from the last that ``run`` yielded on."""
        ...


def process_all(request: Request, settings: Settings, options: WorkerOptions) -> Exit:
    """Process every input and return the exit code; one bad input never stops the others.

    Interrupted (Ctrl-C, SIGTERM) it ends the workers, keeps what is finished and writes the
    summary of that; ``KeyboardInterrupt`` goes on to the caller.

    Raises
    ------
    OutputError
        the output directory cannot be made or written at all.
    InputError, RemoteError
        the inputs cannot be listed, or the storage of the results cannot be read or written.
    ClusterError
        the cluster cannot be used, or is lost.
    WorkerLost
        workers cannot be started.
    """
    if request.storage is None:
        _prepare(request.out, options, output_umask(settings))
    with ExitStack() as stack:
        stack.enter_context(_terminated_as_interrupted())
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="facelight-")))
        storage = None
        if request.storage is not None:
            storage = stack.enter_context(StorageOut(request.storage, scratch / "results"))
            stack.callback(storage.send_tables)  # after the summary is written
            request = replace(request, out=storage.folder)
        listing = stack.enter_context(Listing(request.inputs, request.out))
        _tell_left_out(listing.left, request.out, output_umask(settings))
        engine = stack.enter_context(_engine(request, options, scratch))
        results = stack.enter_context(Results(request, settings, listing.total, storage))
        cores = 1 if request.scheduler else options.cores_each(listing.total)
        listed = (replace(job, cores=cores) for job in listing.jobs())
        jobs = _brought(_resumed(listed, request, settings, storage), scratch)
        with closing(engine.run(jobs, settings)) as stream:
            try:
                for finished in stream:
                    results.take(finished)
                    remove_copy(finished.job, scratch)
            except KeyboardInterrupt:
                for finished in engine.interrupted():
                    results.keep(finished)
                raise
        results.complete()
        return results.exit_code


def _tell_left_out(left: LeftOutFiles, out: Path, umask: int) -> None:
    """Say what of the folders is no session, by reason; each file is in ``left-out.csv``."""
    table = out / "left-out.csv"
    if not left.total:
        table.unlink(missing_ok=True)  # of an earlier run
        return
    write_parts(table, left.csv(), umask)
    for line in left.lines():
        sys.stderr.write(one_line(line) + "\n")


def _engine(
    request: Request, options: WorkerOptions, scratch: Path
) -> AbstractContextManager[Engine]:
    if request.scheduler is None:
        return WorkerPool(options, scratch)
    from facelight.batch.dask.cluster import Cluster  # noqa: PLC0415  (distributed is an extra)

    return Cluster(request.scheduler, options)


def _resumed(
    jobs: Iterator[Job], request: Request, settings: Settings, storage: StorageOut | None
) -> Iterator[Job]:
    """Give each job the input hash of the result that stands, where one does."""
    if not request.resume:
        yield from jobs
        return
    wanted = (settings_hash(settings), SOFTWARE)
    for job in jobs:
        if storage is not None:
            storage.bring(job.name, whole=False)
        result = standing_result(job.target)
        if result is None or result.status == "error":
            yield job
        elif (result.settings_hash, result.software) == wanted:
            yield replace(job, standing=result.input_sha256)
        else:
            yield job


def _brought(jobs: Iterator[Job], scratch: Path) -> Iterator[Job]:
    """Copy inputs that only this process sees; one that cannot be read fails at its worker."""
    for job in jobs:
        if is_process_local(job.input):
            with suppress(RemoteError):
                job = replace(job, local=fetch(job, scratch))  # noqa: PLW2901
        yield job


def _prepare(out: Path, options: WorkerOptions, umask: int) -> None:
    """Make the directory and clear what an earlier run that was killed left half-written."""
    if _FOLDED_URL.match(str(out)):
        raise SettingsError("--out: expected a directory; a URL is Request.storage")
    try:
        out.mkdir(parents=True, exist_ok=True, mode=0o777 & ~umask)
    except OSError as error:
        raise OutputError(f"--out {out}: cannot be made: {error.strerror}") from error
    if not os.access(out, os.W_OK):
        raise OutputError(f"--out {out}: is not writable")
    remove_parts(out, older_than_s=options.timeout_s)


@contextmanager
def _terminated_as_interrupted() -> Iterator[None]:
    """Treat SIGTERM (systemd, Kubernetes) as Ctrl-C: the summary is still written."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
