"""Delivers an accepted clip: onto the disk first, then to the service, then what came of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from typing import Protocol, Self

from facelight.config.settings import Settings, spool_dir
from facelight.delivery.client import open_client
from facelight.delivery.credentials import token_provider
from facelight.delivery.payload import submission_of
from facelight.kiosk.machine.events import Delivered, Event, NotDelivered, Spooled, WorkFailed
from facelight.kiosk.machine.state import Problem
from preprocess.clip.clip import Clip
from uploader.api.detect import Detector
from uploader.api.submission import Origin, Outcome, Submission
from uploader.errors import UploaderError
from uploader.http.bad_requests import BY_CODE
from uploader.spool.delivery import DeliveryWorker, Ticket
from uploader.spool.delivery import Event as Delivery
from uploader.spool.opening import open_spool

LARGEST_BODY_BYTES = 26_000_000
WAIT_S = 40.0
"""Below the session's own limit for delivery: its answer is told before the session gives up."""
SLICE_S = 0.2
"""How soon a wait for the service notices that the kiosk ends."""
STOP_S = 1.0
"""A request under way may take its time-outs; the kiosk must end now, and the spool keeps it."""


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
    """The spool and its delivery thread; the network may come and go.

    Raises
    ------
    UploaderError
        endpoint, credential or spool of the settings cannot be used.
    """

    def __init__(
        self, settings: Settings, listener: Callable[[Delivery], None] | None = None
    ) -> None:
        self.outcome: Outcome | None = None
        self._closing = threading.Event()
        self._tokens = token_provider(settings)
        with ExitStack() as opening:
            own = self._tokens is not None
            if self._tokens is not None:
                opening.callback(self._tokens.close)
            client = opening.enter_context(open_client(settings, own_tokens=own))
            self._spool = opening.enter_context(
                open_spool(spool_dir(settings), settings.spool, key_file=settings.device_key_file)
            )
            self._worker = DeliveryWorker(self._spool, client, settings.retry, listener=listener)
            self._worker.start()
            opening.callback(self._worker.stop, STOP_S)
            self._stack = opening.pop_all()

    def ensure_room(self) -> None:
        """Raise `SpoolError` when the next session might not find room on the disk."""
        self._spool.ensure_room(LARGEST_BODY_BYTES)

    def send(self, job: int, clip: Clip, origin: Origin, tell: Callable[[Event], None]) -> None:
        """Keep the clip, tell so, and wait a while for the service's answer."""
        self.outcome = None
        try:
            ticket = self._worker.submit(submission_of(clip, self._of_session(origin)))
        except UploaderError as error:
            tell(WorkFailed(job, str(error)))
            return
        tell(Spooled(job))
        self.outcome = self._answer(ticket)
        tell(answer_of(job, self.outcome))

    def depth(self) -> tuple[int, int, float]:
        """Return how many submissions and bytes wait, and the age of the oldest in s."""
        totals = self._spool.totals()
        return totals.items, totals.bytes, self._spool.oldest_age_s()

    def _of_session(self, origin: Origin) -> Origin:
        """Return the origin with the token of a new session of the service, where one is used."""
        if self._tokens is None:
            return origin
        held = self._tokens.next_session()
        return replace(origin, session_id=held.session_id, token=held.token)

    def close(self) -> None:
        """Stop the delivery thread; a request under way is given up and sent again next time."""
        self._closing.set()
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def _answer(self, ticket: Ticket) -> Outcome | None:
        """Return the outcome of the first attempt; None when there is none in time."""
        until_s = time.monotonic() + WAIT_S
        outcome = None
        while outcome is None and time.monotonic() < until_s and not self._closing.is_set():
            outcome = ticket.wait(SLICE_S)
        return outcome


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
        self.submission = self.outcome = None
        try:
            self.submission = submission_of(clip, origin)
        except UploaderError as error:
            tell(WorkFailed(job, str(error)))
            return
        try:
            self.outcome = self._client.detect(self.submission)
        except UploaderError as error:
            self.outcome = Outcome.of_error(self.submission, error)
        tell(answer_of(job, self.outcome))

    def close(self) -> None:
        """Nothing is open."""


def answer_of(job: int, outcome: Outcome | None) -> Event:
    """Return what the session is told of an outcome; None is no answer in time."""
    if outcome is None:
        return NotDelivered(job)
    if outcome.error is None:
        return Delivered(job, None if outcome.decision is None else str(outcome.decision))
    if not outcome.error.final:
        return NotDelivered(job)
    known = BY_CODE.get(outcome.error.code)
    return NotDelivered(job, Problem.QUALITY if known and known.for_person else Problem.NOT_SENT)
