"""The same work on a Dask cluster; its results travel back and are written here, bytes equal."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import uuid
from collections import Counter, deque
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from facelight.batch.dask.cluster_versions import PACKAGES, decisive, difference, here
from facelight.batch.inputs.urls import is_url, without_secrets
from facelight.batch.job import Finished, Job, WorkerLost, failed
from facelight.batch.outputs import whole_directory
from facelight.batch.pool.job_attempt import attempt, failed_safely
from facelight.batch.pool.pool import WorkerOptions
from facelight.batch.pool.slot import Work
from facelight.config.settings import Settings, output_umask
from facelight.errors import FacelightError, OutputError, SettingsError
from facelight.result import ResultRecord

_LOG = logging.getLogger(__name__)
_ADDRESS: Final = re.compile(r"(tcp|tls|wss?)://[^\s/]+:\d+/?")
CONNECT_S: Final = 5.0
WORKERS_S: Final = 30.0
KEEP_S: Final = 10.0
"""After Ctrl-C, so long for what a worker has finished to travel here; it may have just ended."""

IN_FLIGHT: Final = 2
"""Jobs a thread of the cluster: one to work on, one to follow."""


class ClusterError(FacelightError):
    """The cluster cannot be reached, does not fit, or was lost."""


class Cluster:
    """A client of a running scheduler; entering checks all that can be checked beforehand.

    An input that crashes, hangs or eats the memory is contained on its worker as it is on one
    machine (`facelight.batch.pool`); a worker that vanishes as a whole loses nothing, its jobs
    start anew on another one until the scheduler's ``allowed-failures`` are used up. Which of
    them took the worker along is not known then: at the end of the batch each has the cluster to
    itself.

    Parameters
    ----------
    address : of the scheduler, ``tcp://host:port``.
    options : limits of one input; ``workers`` does not count, each thread of the cluster is one.
    work : what a worker does with a job; importable by it.
    """

    def __init__(self, address: str, options: WorkerOptions, work: Work = attempt) -> None:
        self._address = address
        self._options = options
        self._work = work
        self._plugin = f"facelight-{uuid.uuid4().hex}"
        self._flying: dict[Any, Job] = {}
        self._suspects: deque[Job] = deque()
        self._alone: Job | None = None
        self._refused: deque[Job] = deque()
        self._unfit: dict[str, str] = {}
        self._tries: Counter[int] = Counter()
        self._last: Finished | None = None
        self._settings = Settings()

    def __enter__(self) -> Self:
        """Connect, compare versions, and prepare the workers, also those that join later.

        Raises
        ------
        ClusterError
            ``distributed`` is missing, no scheduler answers, no workers come, versions differ.
        """
        try:
            import distributed  # noqa: PLC0415

            from facelight.batch.dask.cluster_worker import Isolation  # noqa: PLC0415
        except ImportError as error:
            cure = "pip install 'facelight[cluster]'"
            raise ClusterError(f"--scheduler needs the package distributed: {cure}") from error
        _quiet("distributed")  # we tell in one line
        # Ctrl-C within one of distributed's calls: its clean-up meets a name not yet bound, and
        # tornado tells that with a traceback (distributed.utils.sync, 2026.8).
        logging.getLogger("tornado.application").setLevel(logging.CRITICAL)
        with ExitStack() as stack:
            self._client = stack.enter_context(self._connected(distributed))
            self._wait_for_workers()
            check_versions(self._client.get_versions(packages=list(PACKAGES)))
            isolation = Isolation(self._options, self._work, versions=here())
            self._client.register_plugin(isolation, name=self._plugin)
            stack.callback(self._leave)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def run(self, jobs: Iterable[Job], settings: Settings) -> Generator[Finished, None, None]:
        """Yield every job as it is finished; a few a worker are under way, ``jobs`` is streamed.

        Raises
        ------
        ClusterError
            the scheduler is lost, or an input is not visible to a worker.
        """
        from distributed import as_completed  # noqa: PLC0415

        self._settings = settings
        landing: Any = as_completed(loop=self._client.loop)  # type: ignore[no-untyped-call]
        stream = self._visible(jobs)
        while True:
            for job in islice(chain(self._taken_back(), stream), self._room()):
                landing.add(self._submit(job))
            if not self._flying and self._suspects:
                self._alone = self._suspects.popleft()
                landing.add(self._submit(self._alone))
            if not self._flying:
                return
            for future in landing.next_batch():
                finished = self._landed(future, self._flying[future])
                self._last = finished or self._last
                del self._flying[future]
                if finished is not None:
                    yield finished
                future.release()

    def interrupted(self) -> list[Finished]:
        """Return what the cluster has finished, from the last that ``run`` yielded on."""
        finished = [] if self._last is None else [self._last]
        for future, job in self._flying.items():
            if future.status in {"finished", "error"}:
                with suppress(ClusterError):  # its worker has ended since: it is not finished
                    landed = self._landed(future, job, KEEP_S)
                    finished += [] if landed is None else [landed]
        return finished

    def _connected(self, distributed: Any) -> Any:
        if not _ADDRESS.fullmatch(self._address):
            raise SettingsError(f"--scheduler: expected tcp://host:port, got {self._address!r}")
        try:
            asyncio.run(_greet(self._address))
            return distributed.Client(self._address, timeout=CONNECT_S, set_as_default=False)
        except (OSError, TimeoutError, ValueError, TypeError, ImportError) as error:
            told = f"no Dask scheduler answers ({_root(error)})"
            raise ClusterError(f"--scheduler {self._address}: {told}") from error

    def _wait_for_workers(self) -> None:
        try:
            self._client.wait_for_workers(1, timeout=WORKERS_S)
        except TimeoutError as error:
            told = f"the scheduler has no workers, waited {WORKERS_S:g} s"
            raise ClusterError(f"--scheduler {self._address}: {told}") from error

    def _room(self) -> int:
        """Return how many jobs more may be under way; workers come and go."""
        if self._alone is not None:
            return 0
        return max(0, IN_FLIGHT * max(1, sum(self._threads().values())) - len(self._flying))

    def _threads(self) -> dict[str, int]:
        """Return the threads of each worker that has not turned a job away."""
        with self._connection():
            threads: dict[str, int] = self._client.nthreads()
        return {worker: count for worker, count in threads.items() if worker not in self._unfit}

    def _taken_back(self) -> Iterator[Job]:
        """Give out again what workers have turned away."""
        while self._refused:
            yield self._refused.popleft()

    def _submit(self, job: Job) -> Any:
        from facelight.batch.dask.cluster_worker import process_isolated  # noqa: PLC0415

        attempt_key = f"{self._tries[job.place]}" + ("-alone" if job is self._alone else "")
        key = f"{self._plugin}-{job.place}-{attempt_key}"
        fit = (list(self._threads()) or None) if self._unfit else None
        present = job.local is not None and job.local.exists()
        with self._connection():
            future = self._client.submit(
                process_isolated, job, self._settings, self._plugin, present=present,
                key=key, pure=False, retries=self._options.retries, workers=fit,
                allow_other_workers=fit is not None,
            )  # fmt: skip
        self._flying[future] = job
        return future

    def _visible(self, jobs: Iterable[Job]) -> Iterator[Job]:
        """Give workers absolute paths, and check with the first that they see what is here."""
        checked = False
        for job in jobs:
            if is_url(job.input) and job.local is None:
                yield job
                continue
            path = job.path.absolute()
            if not checked and path.exists():
                checked = True
                self._check_visible(job, path)
            yield replace(job, local=path)

    def _check_visible(self, job: Job, path: Path) -> None:
        with self._connection():
            seen = self._client.run(os.path.exists, str(path), on_error="ignore")
        blind = sorted(worker for worker, found in seen.items() if not found)
        if blind:
            told = f"worker {blind[0]} does not see it ({len(blind)} of {len(seen)} do not)"
            cure = "expected inputs on a file system that all share, or URLs"
            raise ClusterError(f"{without_secrets(job.input)}: {told}: {cure}")

    def _landed(self, future: Any, job: Job, timeout_s: float | None = None) -> Finished | None:
        """Return what has become of a job, None where another try will tell."""
        from distributed import KilledWorker  # noqa: PLC0415

        from facelight.batch.dask.cluster_worker import UnfitWorkerError  # noqa: PLC0415

        try:
            result, files = future.result(timeout_s)
        except UnfitWorkerError as unfit:
            self._turn_away(job, *unfit.args)
            return None
        except KilledWorker as killed:
            if job is not self._alone:
                self._suspects.append(job)
                return None
            told = f"its Dask worker was lost, {killed.allowed_failures + 1} times"
            error = WorkerLost(f"{without_secrets(job.input)}: {told}")
            return Finished(job, failed_safely(job, self._settings, error))
        except Exception as error:
            if future.status != "error" or self._client.status != "running":
                raise self._lost() from error
            told = f"{type(error).__name__}: {error}"
            lost = WorkerLost(f"{without_secrets(job.input)}: on its worker: {told}")
            return Finished(job, failed_safely(job, self._settings, lost))
        try:
            return Finished(job, _written(job, self._settings, result, files))
        except OutputError as error:
            return Finished(job, failed(job, self._settings, error))

    def _turn_away(self, job: Job, worker: str, told: str) -> None:
        """Give a job to others; the worker joined later, and would make other bytes or none."""
        if worker not in self._unfit:
            self._unfit[worker] = told
            _LOG.warning("worker %s is not used: %s", worker, told)
        if not self._threads():
            raise ClusterError(f"worker {worker}: {told}, and there is no other")
        self._tries[job.place] += 1
        (self._suspects if job is self._alone else self._refused).append(job)

    @contextmanager
    def _connection(self) -> Iterator[None]:
        """Tell in our own words that the scheduler does not answer any more."""
        try:
            yield
        except (OSError, RuntimeError) as error:
            raise self._lost() from error

    def _lost(self) -> ClusterError:
        return ClusterError(f"--scheduler {self._address}: was lost")

    def _leave(self) -> None:
        """Give up what is under way and end the workers' own workers."""
        if self._client.status == "running":
            self._client.cancel(list(self._flying), force=True)
            with suppress(OSError, TimeoutError, ValueError):  # ValueError: no worker had it
                self._client.unregister_worker_plugin(self._plugin)
        self._flying.clear()


def _quiet(package: str) -> None:
    """Silence a package's loggers, also those that its own configuration gave a level."""
    for name in [package, *logging.Logger.manager.loggerDict]:
        if name == package or name.startswith(f"{package}."):
            logging.getLogger(name).setLevel(logging.CRITICAL)


async def _greet(address: str) -> None:
    """Ask what listens: a client waits for ever for a port that says nothing at all."""
    from distributed.comm.core import connect  # noqa: PLC0415

    async with asyncio.timeout(2 * CONNECT_S):  # after it, connect has told the reason
        comm = await connect(address, timeout=CONNECT_S)  # type: ignore[no-untyped-call]
        try:
            await comm.write({"op": "identity", "reply": True})
            kind = (await comm.read()).get("type")
        finally:
            comm.abort()
    if kind != "Scheduler":
        raise ClusterError(f"--scheduler {address}: is a Dask {kind}, expected a scheduler")


def _root(error: BaseException) -> str:
    """Return what an error was caused by: Dask wraps the system's own words three times."""
    while isinstance(error.__cause__, Exception):
        error = error.__cause__
    return str(error) or type(error).__name__


def check_versions(found: Mapping[str, Any]) -> None:
    """Compare what decides on the bytes of a result; ``found`` as of ``Client.get_versions``.

    Raises
    ------
    ClusterError
        a worker has another Python, or another version of one of `PACKAGES`; names both.
    """
    ours = decisive(found["client"])
    for worker, versions in sorted(found["workers"].items()):
        if told := difference(ours, decisive(versions)):
            raise ClusterError(f"worker {worker}: {told}")


def _written(
    job: Job, settings: Settings, result: ResultRecord | None, files: Mapping[str, bytes]
) -> ResultRecord | None:
    """Write a directory that was made elsewhere and return its result.

    Raises
    ------
    OutputError
        it cannot be written.
    """
    if files:
        with whole_directory(job.target, output_umask(settings)) as folder:
            for name, content in files.items():
                path = folder / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
    return result
