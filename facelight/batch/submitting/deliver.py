"""From a finished output directory to an outcome: direct attempts first, then the spool."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Self, cast

from facelight.batch.job import Job
from facelight.batch.outputs import PRIVATE, write_file
from facelight.batch.submitting.delivery_gate import DeliveryGate
from facelight.batch.submitting.spool_keeper import SpoolKeeper
from facelight.config.settings import Settings, output_umask
from facelight.delivery.client import open_client
from facelight.errors import OutputError
from facelight.report.session_page import with_outcome
from facelight.result import RESULT_FILE, ResultRecord, json_bytes, read_result
from uploader.api.submission import (
    Failure,
    Origin,
    Outcome,
    Provenance,
    Submission,
    build_submission,
)
from uploader.api.wire import Metadata
from uploader.clock import DeliveryClock, SystemDeliveryClock, rfc3339
from uploader.errors import SpoolError, UploaderError
from uploader.retry import DIRECT, deliver_or_raise


class Deliverer:
    """Delivers finished output directories, in order, and writes each outcome beside its clip.

    A few attempts within three minutes; a submission that only needs time, a network or a valid
    key goes to the spool then, from where ``facelight spool flush`` delivers it. What an answer
    says of the service holds for all: see `DeliveryGate`.
    """

    def __init__(
        self,
        settings: Settings,
        clock: DeliveryClock | None = None,
        gate: DeliveryGate | None = None,
        keeper: SpoolKeeper | None = None,
    ) -> None:
        self._settings = settings
        self._clock = clock or SystemDeliveryClock()
        self._gate = gate or DeliveryGate(self._clock.monotonic_s)
        self._keeper = keeper or SpoolKeeper(settings, self._clock)
        self.client = open_client(settings)

    def deliver(self, job: Job, result: ResultRecord) -> ResultRecord:
        """Send the session of ``job`` and return its result with the outcome.

        Raises
        ------
        DeliveryStopped
            the batch ends; nothing was sent.
        OutputError, ResultError, OSError, ValueError, UploaderError
            the directory cannot be read as a submission, or the outcome cannot be written.
        """
        submission = read_submission(job.target, result)
        changes = self._changes(submission)
        return update_result(job.target, changes, output_umask(self._settings))

    def _changes(self, submission: Submission) -> dict[str, Any]:
        """Return what becomes of a result."""
        if (known := self._keeper.delivered(submission)) is not None:
            return {"outcome": known.to_json()}
        barred = self._gate.enter()
        if barred is not None:
            return self._kept(submission, barred, attempted=False)
        try:
            outcome = deliver_or_raise(self.client, submission, DIRECT, self._clock)
        except UploaderError as error:
            self._gate.leave(error)
            if error.final and error.status != 415:
                return {"outcome": Outcome.of_error(submission, error).to_json()}
            return self._kept(submission, error, attempted=True)
        except BaseException:
            self._gate.give_up()
            raise
        self._gate.leave()
        try:
            self._keeper.settle(submission, outcome)
        except SpoolError as error:
            problem = f"delivered, but still in the spool: {error}"
            return {"outcome": outcome.to_json(), "spool_problem": problem}
        return {"outcome": outcome.to_json(), "spooled": None}

    def _kept(
        self, submission: Submission, error: UploaderError, *, attempted: bool
    ) -> dict[str, Any]:
        """Keep what may still succeed; say so beside the advice, also when it cannot be kept."""
        outcome = Outcome.of_error(submission, error)
        try:
            item = self._keeper.keep(submission, error, attempted=attempted)
        except SpoolError as unkept:
            cure = f"not spooled: {unkept}; process again with --resume --submit"
            return {"outcome": _advised(outcome, cure)}
        when = ""
        if error.retry_after_s is not None:
            after = self._clock.utc() + timedelta(seconds=error.retry_after_s)
            when = f" after {rfc3339(after)}"
        cure = f"kept; deliver it{when} with: facelight spool flush"
        return {"spooled": item.id, "outcome": _advised(outcome, cure)}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.client.close()


def read_submission(folder: Path, result: ResultRecord) -> Submission:
    """Return the request of an output directory: byte for byte the one whose digest it holds.

    Its client request id follows from session and digest: the same at every attempt, after a kill,
    with ``--resume`` and from the spool.

    Raises
    ------
    OutputError
        the session was not accepted: there is nothing to send.
    PayloadError, OSError
        its files are not those that it was accepted with.
    """
    if result.status != "accepted":
        raise OutputError(f"{folder}: holds nothing to send: the session was {result.status}")
    metadata = Metadata.parse((folder / "metadata.json").read_bytes())
    images = folder / "images"
    where = images if images.is_dir() else folder
    files = {name: (where / name).read_bytes() for name in metadata.file_names()}
    plain = build_submission(metadata, files, Origin(provenance=_provenance(result)))
    name = f"{result.session_id} {plain.digest}"
    return replace(plain, client_request_id=str(uuid.uuid5(uuid.NAMESPACE_OID, name)))


def undelivered(result: ResultRecord, error: Exception) -> ResultRecord:
    """Return a result whose directory cannot be delivered: a fault of that one alone."""
    problem = f"{type(error).__name__}: {error}"
    failure = Failure("undeliverable", problem, "process this input again, without --resume")
    outcome = Outcome(status=None, client_request_id="", error=failure)
    return result.with_fields(outcome=outcome.to_json())


def update_result(folder: Path, changes: Mapping[str, Any], umask: int = PRIVATE) -> ResultRecord:
    """Put ``changes`` into ``result.json`` and the page, each in one step; return the result."""
    result = read_result(folder).with_fields(**changes)
    page = folder / "report.html"
    text = with_outcome(page.read_text(encoding="utf-8"), result)
    write_file(page, text.encode("utf-8", "backslashreplace"), umask)
    write_file(folder / RESULT_FILE, json_bytes(result), umask)
    return result


def _advised(outcome: Outcome, more: str) -> dict[str, Any]:
    if outcome.error is None:
        return outcome.to_json()
    advice = "; ".join(part for part in (outcome.error.advice, more) if part)
    return replace(outcome, error=replace(outcome.error, advice=advice)).to_json()


def _provenance(result: ResultRecord) -> Provenance:
    """Return where the pixels come from; `build_submission` refuses what is none of the three."""
    return cast("Provenance", result.provenance)
