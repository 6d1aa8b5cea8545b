"""One thread that delivers what the spool holds: in order, each until it is settled.

A new submission goes out from memory at once while the spool already holds its copy. Faults of
the network pause everything and keep the order; a submission that itself seems to be the cause
steps back, so that it never blocks the rest; what only the operator can cure stops the delivery.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Self

from uploader.api.detect import Detector
from uploader.api.submission import Outcome, Submission
from uploader.errors import ItemError, ItemUnreadableError, SpoolError, UploaderError
from uploader.retry import Action, History, RetryPolicy, Step, decide
from uploader.spool.item import KEPT, Item, ItemState
from uploader.spool.spool import Recovery, Spool

MAINTAIN_EVERY_S: Final = 60.0
MAX_SLEEP_S: Final = 60.0
"""Another process may rearm items; they are seen within a minute."""
BREAKER_MAX_S: Final = 60.0
"""Several different submissions failed in a row: probe no more often than this."""
DISK_PAUSE_S: Final = 30.0
MEMORY_BYTES: Final = 64_000_000
"""Submissions kept in memory for their first attempt; two of the largest."""

_LOG = logging.getLogger(__name__)


class EventKind(StrEnum):
    """What the listener hears."""

    DELIVERED = "delivered"
    WAITING = "waiting"
    HELD = "held"
    REFUSED = "refused"
    STOPPED = "stopped"
    EXPIRED = "expired"
    OVERDUE = "overdue"
    """Too old by the wall clock alone, and kept."""
    LOST = "lost"
    MENDED = "mended"
    """Records that damage had altered; nothing is missing."""
    DISK = "disk"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened; holds no content."""

    kind: EventKind
    item: Item | None = None
    outcome: Outcome | None = None
    error: UploaderError | None = None
    wait_s: float = 0.0
    count: int = 1


Listener = Callable[[Event], None]


class Ticket:
    """The hold that whoever submitted has on it."""

    def __init__(self, item: Item) -> None:
        self.item = item
        self._outcome: Outcome | None = None
        self._settled = False
        self._told = threading.Event()

    def wait(self, timeout_s: float) -> Outcome | None:
        """Return the outcome of the first attempt, or None when there was none in time.

        An outcome with an error and `settled` False: it is kept and will be tried again.
        """
        self._told.wait(timeout_s)
        return self._outcome

    @property
    def settled(self) -> bool:
        """Nothing more will happen to it by itself."""
        return self._settled

    def tell(self, outcome: Outcome, *, settled: bool) -> None:
        """Note what an attempt gave."""
        self._outcome, self._settled = outcome, settled
        self._told.set()


class DeliveryWorker:
    """Drives `step` in a thread of its own; tests call `step` themselves."""

    def __init__(
        self,
        spool: Spool,
        detector: Detector,
        policy: RetryPolicy | None = None,
        *,
        listener: Listener | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._spool = spool
        self._detector = detector
        self._policy = policy or RetryPolicy()
        self._listener = listener
        self._chance = chance
        self._condition = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closing = False
        self._woken = False
        self._memory: dict[str, Submission] = {}
        self._tickets: dict[str, Ticket] = {}
        self._unnoted: dict[str, tuple[Outcome, ItemState]] = {}
        self._failing: set[str] = set()
        self._failures = 0
        self._overdue = 0
        self._maintained_s: float | None = None
        self._crash: BaseException | None = None
        self.stopped: UploaderError | None = None
        """What only the operator can cure; None while delivering."""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start the thread."""
        self._thread = threading.Thread(target=self._run, name="uploader", daemon=True)
        self._thread.start()

    def stop(self, timeout_s: float = 10.0) -> bool:
        """Ask the thread to end; tell whether it did. What is undelivered stays in the spool."""
        with self._condition:
            self._closing = True
            self._condition.notify_all()
        if self._thread is not None:
            self._thread.join(timeout_s)
            return not self._thread.is_alive()
        return True

    def submit(self, submission: Submission) -> Ticket:
        """Keep a submission and deliver it as soon as may be.

        Raises `SpoolError` when it cannot be kept: then it was not accepted.
        """
        if self._crash is not None:
            raise SpoolError(
                f"delivery has ended with {type(self._crash).__name__}", advice="restart facelight"
            ) from self._crash
        with self._condition:
            item = self._spool.put(submission)
            ticket = self._tickets[item.id] = Ticket(item)
            held = sum(kept.size for kept in self._memory.values())
            if held + submission.size <= MEMORY_BYTES:
                self._memory[item.id] = submission
            if self.stopped is not None:
                ticket.tell(Outcome.of_error(submission, self.stopped), settled=False)
            _, named = self._spool.pause()
            if not named:
                # A person waits: try the network now, whatever it did a minute ago.
                self._spool.set_pause(0.0, named=False)
            self._woken = True
            self._condition.notify_all()
        return ticket

    def resume(self) -> None:
        """Deliver again after `stopped`."""
        with self._condition:
            self.stopped = None
            self._woken = True
            self._condition.notify_all()

    def drain(self) -> None:
        """Deliver what is due now and return; for `spool flush` and the end of a batch."""
        while self.stopped is None and self.step() == 0.0:
            pass

    def step(self) -> float | None:
        """Do one thing. Return how long there is nothing to do: 0 now, None until woken."""
        self._tell_recovery()
        self._maintain()
        self._note_again()
        if self.stopped is not None:
            return None
        pause_s, _named = self._spool.pause()
        if pause_s > 0.0:
            return pause_s
        with self._condition:  # whoever submits has noted copy and ticket before it is picked
            item = self._spool.first_due()
            submission = None if item is None else self._memory.pop(item.id, None)
        if item is None:
            return self._spool.seconds_to_next()
        submission = submission or self._load(item)
        if submission is not None:
            self._attempt(item, submission)
        return 0.0

    def _run(self) -> None:
        try:
            while not self._closing:
                self._sleep(self._guarded_step())
        except BaseException as crash:  # noqa: BLE001 - told to whoever submits next
            self._crash = crash
            _LOG.critical("the delivery thread ended: %s", type(crash).__name__)

    def _sleep(self, wait_s: float | None) -> None:
        with self._condition:
            awake = self._woken or self._closing or wait_s == 0.0
            if not awake:
                self._condition.wait(min(wait_s or MAX_SLEEP_S, MAX_SLEEP_S))
            self._woken = False

    def _guarded_step(self) -> float | None:
        """Keep the thread alive when the spool's disk fails: it may come back."""
        try:
            return self.step()
        except SpoolError as error:
            if self._closing:  # who asked for the end has closed the spool under a stalled attempt
                _LOG.warning("ended in an attempt, which is made again: %s", error.message)
                return None
            _LOG.error("the spool failed: %s", error)
            self._tell(Event(EventKind.DISK, error=error, wait_s=DISK_PAUSE_S))
            return DISK_PAUSE_S

    def _maintain(self) -> None:
        now_s = self._spool.time.now_s()
        if self._maintained_s is not None and now_s - self._maintained_s < MAINTAIN_EVERY_S:
            return
        self._maintained_s = now_s
        expired = self._spool.maintain()
        if expired:
            _LOG.warning("%d submissions were too old and destroyed undelivered", expired)
            self._tell(Event(EventKind.EXPIRED, count=expired))
        if self._spool.overdue > self._overdue:
            _LOG.warning(
                "%d submissions are too old by the wall clock alone; they are kept until the "
                "service's date or `facelight spool trust-clock` confirms it",
                self._spool.overdue,
            )
            self._tell(Event(EventKind.OVERDUE, count=self._spool.overdue))
        self._overdue = self._spool.overdue

    def _tell_recovery(self) -> None:
        """Tell once what the start of the spool could not save."""
        found, self._spool.recovery = self._spool.recovery, Recovery()
        if found.lost:
            error = ItemError(f"{found.lost} submissions: the file is gone")
            self._tell(Event(EventKind.LOST, error=error, count=found.lost))
        if found.damaged:
            text = f"{found.damaged} damaged or foreign files, set aside as *.damaged"
            error = ItemError(text, advice="facelight spool repair looks at them again")
            self._tell(Event(EventKind.LOST, error=error, count=found.damaged))
        if found.mended:
            self._tell(Event(EventKind.MENDED, count=found.mended))
        if found.unreadable:
            unread = ItemUnreadableError(f"{found.unreadable} files cannot be read for now")
            self._tell(Event(EventKind.DISK, error=unread, count=found.unreadable))

    def _load(self, item: Item) -> Submission | None:
        try:
            return self._spool.load(item.id)
        except ItemUnreadableError as error:
            wait_s = self._policy.backoff_s(item.attempts + 1, self._chance())
            _LOG.error("%s", error)
            self._spool.postpone(item, error, wait_s)
            self._tell(Event(EventKind.WAITING, item, error=error, wait_s=wait_s))
            return None
        except ItemError as error:
            if self._spool.item(item.id).state in KEPT:
                self._spool.mark_lost(item, error.message)
                self._tell(Event(EventKind.LOST, item, error=error))
            return None

    def _attempt(self, item: Item, submission: Submission) -> None:
        try:
            outcome = self._detector.detect(submission)
        except UploaderError as error:
            self._failed(item, submission, error)
            return
        self._answered()
        self._settle(item, outcome, ItemState.DELIVERED)
        _LOG.info(
            "item %s delivered: status %s, request %s", item.id, outcome.status, outcome.request_id
        )
        self._tell(Event(EventKind.DELIVERED, item, outcome))

    def _failed(self, item: Item, submission: Submission, error: UploaderError) -> None:
        now_s = self._spool.time.now_s()
        first_s = now_s if item.first_attempt_s is None else item.first_attempt_s
        history = History(item.attempts + 1, now_s - first_s, submission.token is not None)
        step = decide(self._policy, error, history, self._chance())
        outcome = Outcome.of_error(submission, error)
        _LOG.warning("item %s: %s, attempt %d: %s", item.id, step.action, history.attempts, error)
        if step.action is Action.REFUSE:
            self._answered()
            self._settle(item, outcome, ItemState.REFUSED)
            self._tell(Event(EventKind.REFUSED, item, outcome, error))
        elif step.action is Action.HOLD:
            self._spool.attempted(item, outcome, ItemState.HELD)
            self._ticket(item, outcome, settled=True)
            self._tell(Event(EventKind.HELD, item, outcome, error))
        elif step.action is Action.STOP:
            self.stopped = error
            self._spool.attempted(item, outcome, ItemState.QUEUED)
            self._ticket(item, outcome, settled=False)
            self._tell(Event(EventKind.STOPPED, item, outcome, error))
        else:
            self._wait(item, outcome, step, error)

    def _wait(self, item: Item, outcome: Outcome, step: Step, error: UploaderError) -> None:
        pause_s = step.service_wait_s
        if step.item_wait_s > 0.0:
            self._failing.add(item.id)
            self._failures += 1
            pause_s = max(pause_s, self._breaker_s())
        due_in_s = step.item_wait_s or None
        self._spool.attempted(item, outcome, ItemState.QUEUED, due_in_s)
        if pause_s > 0.0:
            self._spool.set_pause(pause_s, named=error.retry_after_s is not None)
        self._ticket(item, outcome, settled=False)
        wait_s = max(step.item_wait_s, pause_s)
        self._tell(Event(EventKind.WAITING, item, outcome, error, wait_s))

    def _breaker_s(self) -> float:
        """Return the pause when more than one submission fails: then it is not their fault."""
        if len(self._failing) < 2:
            return 0.0
        return min(self._policy.backoff_s(self._failures - 1, self._chance()), BREAKER_MAX_S)

    def _answered(self) -> None:
        """Note that the service works."""
        self._failing.clear()
        self._failures = 0

    def _settle(self, item: Item, outcome: Outcome, state: ItemState) -> None:
        self._ticket(item, outcome, settled=True)
        try:
            self._spool.finish(item, outcome, state)
        except SpoolError:
            # It has arrived: not to be sent again only because the disk could not say so.
            self._unnoted[item.id] = (outcome, state)
            raise

    def _note_again(self) -> None:
        for item_id, (outcome, state) in list(self._unnoted.items()):
            self._spool.finish(self._spool.item(item_id), outcome, state)
            del self._unnoted[item_id]

    def _ticket(self, item: Item, outcome: Outcome, *, settled: bool) -> None:
        ticket = self._tickets.get(item.id)
        if ticket is not None:
            ticket.tell(outcome, settled=settled)
            if settled:
                del self._tickets[item.id]

    def _tell(self, event: Event) -> None:
        if self._listener is not None:
            self._listener(event)
