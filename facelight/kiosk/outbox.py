"""Delivers an accepted clip: onto the disk first, then to the service, then what came of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Protocol, Self

from facelight.delivery import open_client
from facelight.package import submission_of
from facelight.session_events import Delivered, Event, NotDelivered, Spooled, WorkFailed
from facelight.settings import Settings, spool_dir
from preprocess.clip import Clip
from uploader.client import Detector
from uploader.errors import UploaderError
from uploader.opening import open_spool
from uploader.submission import Origin, Outcome, Submission
from uploader.worker import DeliveryWorker

LARGEST_BODY_BYTES = 26_000_000
WAIT_S = 40.0
"""Below the session's own limit for delivery: its answer is told before the session gives up."""


class Outbox(Protocol):
    """Where accepted clips go."""

    outcome: Outcome | None
    """Of the last clip."""

    def ensure_room(self) -> None:
        """Raise `UploaderError` when the next session might not find room on the disk."""
        ...

    def send(self, job: int, clip: Clip, origin: Origin, tell: Callable[[Event], None]) -> None:
        """Deliver and ``tell`` what happens; blocks, so not for the main thread."""
        ...

    def close(self) -> None:
        """End; what is on the disk stays. Idempotent."""
        ...


class SpoolOutbox:
    """The spool and its delivery thread; the network may come and go."""

    def __init__(self, settings: Settings) -> None:
        self.outcome: Outcome | None = None
        self._stack = ExitStack()
        client = self._stack.enter_context(open_client(settings))
        self._spool = self._stack.enter_context(
            open_spool(spool_dir(settings), settings.spool, key_file=settings.device_key_file)
        )
        self._worker = DeliveryWorker(self._spool, client, settings.retry)
        self._stack.enter_context(self._worker)

    def ensure_room(self) -> None:
        """Raise `SpoolError` when the next session might not find room on the disk."""
        self._spool.ensure_room(LARGEST_BODY_BYTES)

    def send(self, job: int, clip: Clip, origin: Origin, tell: Callable[[Event], None]) -> None:
        """Keep the clip, tell so, and wait a while for the service's answer."""
        self.outcome = None
        try:
            ticket = self._worker.submit(submission_of(clip, origin))
        except UploaderError as error:
            tell(WorkFailed(job, str(error)))
            return
        tell(Spooled(job))
        self.outcome = ticket.wait(WAIT_S)
        tell(answer_of(job, self.outcome))

    def close(self) -> None:
        """Stop the delivery thread."""
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()


class DirectOutbox:
    """One attempt without a spool: for the demo, whose session nobody needs to keep."""

    def __init__(self, client: Detector) -> None:
        self.outcome: Outcome | None = None
        self.submission: Submission | None = None
        self._client = client

    def ensure_room(self) -> None:
        """Nothing is kept."""

    def send(self, job: int, clip: Clip, origin: Origin, tell: Callable[[Event], None]) -> None:
        """Make one attempt."""
        self.submission = None
        try:
            self.submission = submission_of(clip, origin)
            self.outcome = self._client.detect(self.submission)
        except UploaderError as error:
            if self.submission is not None:
                self.outcome = Outcome.of_error(self.submission, error)
        tell(answer_of(job, self.outcome))

    def close(self) -> None:
        """Nothing is open."""


def answer_of(job: int, outcome: Outcome | None) -> Event:
    """Return what the session is told of an outcome; None is no answer in time."""
    if outcome is None or outcome.error is not None:
        return NotDelivered(job)
    return Delivered(job, None if outcome.decision is None else str(outcome.decision))


def events_of(*events: Event) -> Sequence[Event]:
    """Return events as a sequence."""
    return events
