"""Where results of a batch arrive: delivered if asked, shown, put into the summary, counted."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from facelight.batch.job import Finished, failed
from facelight.batch.progress import Progress
from facelight.batch.summary import Summary
from facelight.config.settings import Settings, output_umask
from facelight.errors import Exit, OutputError
from facelight.result import OutcomeRecord, ResultError, ResultRecord, read_result
from facelight.terminal import one_line

if TYPE_CHECKING:
    from facelight.batch.storage_out import StorageOut
    from facelight.batch.submitting.deliveries import Deliveries

FINAL = {400, 413}
"""Statuses after which the same bytes cannot succeed."""

WORST_FIRST = (Exit.FAILED, Exit.NOT_DELIVERED, Exit.REJECTED)


@dataclass(frozen=True, slots=True)
class Request:
    """What the command line asked for.

    Attributes
    ----------
    out : directory of this machine; with ``storage`` it is not used.
    storage : URL that the results go to instead.
    """

    inputs: tuple[str, ...]
    out: Path
    submit: bool = False
    resume: bool = False
    fail_on_reject: bool = False
    scheduler: str | None = None
    storage: str | None = None


class Results:
    """Takes what is finished; leaving the context writes the summary of it, also on Ctrl-C."""

    def __init__(
        self,
        request: Request,
        settings: Settings,
        total: int,
        storage: StorageOut | None = None,
    ) -> None:
        self._request = request
        self._storage = storage
        self._unchanged = set[int]()
        self._settings = settings
        self._total = total
        self._codes = set[Exit]()
        self._deliveries: Deliveries | None = None

    @property
    def exit_code(self) -> Exit:
        """The worst that has happened."""
        return next((code for code in WORST_FIRST if code in self._codes), Exit.DONE)

    def take(self, finished: Finished) -> None:
        """Deliver the result if that is asked and not done yet, then keep it."""
        done = self._known(finished)
        if self._deliveries is None or done.result is None or not _to_deliver(done.result):
            if finished.result is None:
                self._unchanged.add(finished.job.place)
            self.keep(done)
            return
        if self._storage is not None and finished.result is None:
            self._storage.bring(finished.job.name, whole=True)
        self._deliveries.put(done)
        for delivered in self._deliveries.landed():
            self.keep(delivered)

    def complete(self) -> None:
        """Wait for the deliveries."""
        if self._deliveries is not None:
            for delivered in self._deliveries.landed(leave=0):
                self.keep(delivered)
        self._stored(leave=0)

    def keep(self, finished: Finished) -> None:
        """Show a result and put it into the summary, once."""
        done = self._known(finished)
        if done.result is None or self._summary.has(done.job.place):
            return
        try:
            self._codes.add(_exit_of(done.result, self._request))
            self._summary.add(done.job.place, done.result)
            self._progress.show(done.result)
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            # a result of another version, or a text that nothing can write: one input's fault
            self._codes.add(Exit.FAILED)
            kind = type(error).__name__
            problem = f"error: {done.job.shown_input}: its result cannot be shown: {kind}: {error}"
            sys.stderr.write(one_line(problem) + "\n")
        if self._storage is not None:
            if done.job.place in self._unchanged:
                self._storage.forget(done.job.name)
            else:
                self._storage.send(done.job.name)
            self._stored()

    def _stored(self, **leave: int) -> None:
        """Tell of sessions that could not be written to the storage: --resume does them again."""
        if self._storage is None:
            return
        for name, error in self._storage.failed(**leave):
            self._codes.add(Exit.FAILED)
            problem = f"error: {name}: is not in the storage, --resume does it again: {error}"
            sys.stderr.write(one_line(problem) + "\n")

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._summary = stack.enter_context(
                Summary(self._request.out, output_umask(self._settings))
            )
            self._progress = stack.enter_context(Progress(self._total))
            if self._request.submit:
                from facelight.batch.submitting.deliveries import Deliveries  # noqa: PLC0415  (loads the client)

                self._deliveries = stack.enter_context(Deliveries(self._settings))
            stack.callback(self._interrupted)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def _known(self, finished: Finished) -> Finished:
        """Read the result that stands, where the job found its input unchanged."""
        job, result = finished.job, finished.result
        if result is None:
            gone = OutputError(f"{job.target}: its result.json is gone")
            result = standing_result(job.target) or failed(job, self._settings, gone)
        return Finished(job, result)

    def _interrupted(self) -> None:
        """Let deliveries end that have begun; those that have not stay undelivered."""
        if self._deliveries is not None:
            self._deliveries.stop()
        self.complete()


def standing_result(folder: Path) -> ResultRecord | None:
    """Return the result that stands in an output directory, None without a valid one."""
    try:
        return read_result(folder)
    except ResultError:
        return None


def _to_deliver(result: ResultRecord) -> bool:
    return result.status == "accepted" and not result.delivered


def _exit_of(result: ResultRecord, request: Request) -> Exit:
    if result.status == "error":
        return Exit.FAILED
    if result.status == "rejected":
        return Exit.REJECTED if request.fail_on_reject else Exit.DONE
    if request.submit and not result.delivered:
        return Exit.NOT_DELIVERED if _may_succeed(result.outcome) else Exit.FAILED
    return Exit.DONE


def _may_succeed(outcome: OutcomeRecord | None) -> bool:
    return outcome is None or outcome.status not in FINAL
