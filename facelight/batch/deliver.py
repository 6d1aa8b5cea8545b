"""From a finished output directory to an outcome: direct attempts first, then the spool."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from facelight.batch.job import Job, json_bytes
from facelight.batch.outputs import PRIVATE, write_file
from facelight.config.settings import Settings, output_umask, spool_dir
from facelight.delivery.client import open_client
from facelight.report.session_page import with_outcome
from uploader.api.submission import Origin, Outcome, Submission, build_submission
from uploader.api.wire import Metadata
from uploader.clock import DeliveryClock, SystemDeliveryClock
from uploader.errors import SpoolError
from uploader.retry import DIRECT, deliver
from uploader.spool.opening import open_spool

_SPOOL = threading.Lock()
"""The spool's lock keeps threads of one process apart no better than processes: it refuses."""


class Deliverer:
    """Delivers finished output directories, in order, and writes each outcome beside its clip.

    A few attempts within three minutes; a submission that only needs time, a network or a valid
    key goes to the spool then, from where ``facelight spool flush`` delivers it.
    """

    def __init__(self, settings: Settings, clock: DeliveryClock | None = None) -> None:
        self._settings = settings
        self._clock = clock or SystemDeliveryClock()
        self._client = open_client(settings)

    def deliver(self, job: Job, result: Mapping[str, Any]) -> dict[str, Any]:
        """Send the session of ``job`` and return its result with the outcome.

        Raises
        ------
        OutputError
            the outcome cannot be written.
        """
        submission = read_submission(job.target, result)
        outcome = deliver(self._client, submission, DIRECT, self._clock)
        changes: dict[str, Any] = {"outcome": outcome.to_json()}
        if outcome.error is not None and not outcome.error.final:
            changes |= self._spooled(submission, outcome)
        return update_result(job.target, changes, output_umask(self._settings))

    def _spooled(self, submission: Submission, outcome: Outcome) -> dict[str, Any]:
        """Keep what may still succeed; say so in the advice, and also when it cannot be kept."""
        try:
            with (
                _SPOOL,
                open_spool(
                    spool_dir(self._settings),
                    self._settings.spool,
                    key_file=self._settings.device_key_file,
                ) as spool,
            ):
                item = spool.put(submission)
        except SpoolError as error:
            told = f"not spooled: {error}; process again with --resume --submit"
            return {"outcome": _advised(outcome, told)}
        return {
            "spooled": item.id,
            "outcome": _advised(outcome, "kept; deliver it with: facelight spool flush"),
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._client.close()


def read_submission(folder: Path, result: Mapping[str, Any]) -> Submission:
    """Return the request of an output directory: byte for byte the one whose digest it holds."""
    metadata = Metadata.parse((folder / "metadata.json").read_bytes())
    images = folder / "images"
    where = images if images.is_dir() else folder
    files = {name: (where / name).read_bytes() for name in metadata.file_names()}
    submission = build_submission(metadata, files, Origin(provenance=result["provenance"]))
    # The same bytes have the same id, however often a killed or resumed run begins anew: whoever
    # receives them twice can tell.
    own_id = uuid.uuid5(uuid.NAMESPACE_OID, submission.digest)
    return replace(submission, client_request_id=str(own_id))


def update_result(folder: Path, changes: Mapping[str, Any], umask: int = PRIVATE) -> dict[str, Any]:
    """Put ``changes`` into ``result.json`` and the page, each in one step; return the result."""
    path = folder / "result.json"
    result: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    result |= changes
    page = folder / "report.html"
    told = with_outcome(page.read_text(encoding="utf-8"), result)
    write_file(page, told.encode("utf-8", "backslashreplace"), umask)
    write_file(path, json_bytes(result), umask)
    return result


def _advised(outcome: Outcome, advice: str) -> dict[str, Any]:
    if outcome.error is None:
        return outcome.to_json()
    return replace(outcome, error=replace(outcome.error, advice=advice)).to_json()
