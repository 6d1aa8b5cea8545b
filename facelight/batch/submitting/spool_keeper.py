"""What a batch could not deliver goes to the spool, once, with the cause, and may come back."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from facelight.config.settings import Settings, spool_dir
from uploader.api.decision import LivenessDecision
from uploader.api.submission import Outcome, Submission
from uploader.clock import DeliveryClock
from uploader.errors import SpoolBusyError, UploaderError
from uploader.spool.item import KEPT, Item, ItemState
from uploader.spool.opening import observe_spool, open_spool
from uploader.spool.spool import DATABASE, Spool

BUSY_S: Final = 60.0
"""Another batch holds the spool for a moment for each item; a flush for as long as it sends."""

BUSY_PAUSE_S: Final = 0.2


class SpoolKeeper:
    """Opens the spool for each item and closes it again: other batches keep theirs in between.

    An item is known by its client request id, which is the session's own: it is never there twice.
    """

    def __init__(self, settings: Settings, clock: DeliveryClock) -> None:
        self._settings = settings
        self._directory: Path = spool_dir(settings)
        self._clock = clock
        self._lock = threading.Lock()  # the spool's own lock refuses; threads of a batch wait

    def delivered(self, submission: Submission) -> Outcome | None:
        """Return the outcome of a submission that the spool has delivered since, else None."""
        if not (self._directory / DATABASE).is_file():
            return None
        with self._lock, observe_spool(self._directory) as spool:
            item = spool.find(submission.client_request_id)
        return _outcome_of(item) if item and item.state is ItemState.DELIVERED else None

    def keep(self, submission: Submission, error: UploaderError, *, attempted: bool) -> Item:
        """Put a submission into the spool unless it is there, and note why it waits.

        Raises
        ------
        SpoolError
            it cannot be kept: full, no key, or another process holds the spool for too long.
        """
        with self._opened() as spool:
            item = spool.find(submission.client_request_id)
            if item is None or item.state not in KEPT:
                item = spool.put(submission)
            outcome = Outcome.of_error(submission, error)
            state = ItemState.HELD if error.final else ItemState.QUEUED
            if attempted:
                spool.attempted(item, outcome, state)
            else:
                spool.note(item, outcome, state)
            if error.retry_after_s is not None:
                spool.set_pause(error.retry_after_s, named=True)
            return item

    def settle(self, submission: Submission, outcome: Outcome) -> None:
        """Note a delivery that was made past the spool, where it still holds the submission.

        Raises
        ------
        SpoolError
            it cannot be noted; a flush would send the same bytes under the same id once more.
        """
        if not (self._directory / DATABASE).is_file():
            return
        with self._lock, observe_spool(self._directory) as spool:
            item = spool.find(submission.client_request_id)
        if item is not None and item.state in KEPT:
            with self._opened() as spool:
                spool.finish(item, outcome, ItemState.DELIVERED)

    @contextmanager
    def _opened(self) -> Iterator[Spool]:
        with self._lock:
            until_s = self._clock.monotonic_s() + BUSY_S
            while True:
                opened = open_spool(
                    self._directory,
                    self._settings.spool,
                    key_file=self._settings.device_key_file,
                )
                try:
                    spool = opened.__enter__()
                    break
                except SpoolBusyError:
                    if self._clock.monotonic_s() >= until_s:
                        raise
                    self._clock.sleep(BUSY_PAUSE_S)
            try:
                yield spool
            finally:
                opened.__exit__(None, None, None)


def _outcome_of(item: Item) -> Outcome:
    known = {str(decision): decision for decision in LivenessDecision}
    return Outcome(
        status=item.status,
        client_request_id=item.client_request_id,
        request_id=item.request_id,
        decision=known.get(item.decision or ""),
        raw_decision=item.decision,
        model_version=item.model_version,
        latency_ms=item.latency_ms,
    )
