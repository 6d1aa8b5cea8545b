"""Submissions on disk until they are delivered: sealed, in order, and there whole or not at all.

``put`` returns when the submission would survive a power cut: sealed file written, synced,
renamed, directory synced, row committed. Whatever a crash leaves is put right at the next start:
a file without a row is adopted, a row without a file is told as lost, a temporary file is
removed, content of a finished item is destroyed. At worst a submission is delivered twice, with
the same bytes, digest and client request id; never half, never not at all.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from uploader.api.submission import Outcome, Submission
from uploader.clock import DeliveryClock, SystemDeliveryClock, rfc3339
from uploader.errors import DiskError, ItemError, SpoolError, SpoolFullError, SpoolKeyError
from uploader.plain_text import shown
from uploader.spool.disk import Disk, RealDisk, Reserve
from uploader.spool.item import KEPT, Item, ItemState, Listed, new_row
from uploader.spool.keys import DeviceKey
from uploader.spool.ledger import Ledger, Totals
from uploader.spool.limits import SpoolLimits
from uploader.spool.spooltime import SpoolTime
from uploader.spool.store import DAMAGED, Store
from uploader.spool.vault import OVERHEAD_BYTES, seal, unseal

DATABASE: Final = "spool.db"
ITEMS: Final = "items"
RESERVE: Final = "spool.reserve"
PAGE: Final = 500
MAX_DUE_S: Final = 36 * 86_400.0
"""Nothing waits longer: 35 days is the longest pause that is believed, a little is added."""

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Recovery:
    """What a start found and put right."""

    adopted: int = 0
    """Files without a row; queued."""
    damaged: int = 0
    """Files without a row that cannot be unsealed, and strangers among the files; set aside."""
    lost: int = 0
    """Rows without a file."""
    destroyed: int = 0
    """Content of finished items."""
    temporary: int = 0
    """Half-written files of submissions that were never accepted."""
    mended: int = 0
    """Rows and facts that damage had altered."""
    unreadable: int = 0
    """Files without a row that the disk does not give at the moment; left as they are."""


class Spool:
    """One directory of submissions; `uploader.spool.opening` opens one.

    For several threads. Another process may look on and purge; only one may deliver.
    """

    def __init__(
        self,
        directory: Path,
        limits: SpoolLimits | None = None,
        *,
        key: DeviceKey | None = None,
        disk: Disk | None = None,
        clock: DeliveryClock | None = None,
    ) -> None:
        self.directory = directory
        self.limits = limits or SpoolLimits()
        self.clock: DeliveryClock = clock or SystemDeliveryClock()
        self.store = Store(directory / ITEMS, disk or RealDisk())
        self._key = key
        self.reserve = Reserve(directory / RESERVE, self.store.disk)
        self.ledger = self._ledger(directory / DATABASE)
        self.time = SpoolTime(self.ledger, self.clock)
        self.overdue = 0
        """Kept items that are too old by the wall clock alone, as of the last `maintain`."""
        self.recovery = Recovery()
        """What the start put right, for whoever delivers to report."""

    def close(self) -> None:
        """Close the database."""
        self.ledger.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def _ledger(self, database: Path) -> Ledger:
        """Open the database; on a full disk in the room reserved for it."""
        try:
            return Ledger(database)
        except (SpoolFullError, DiskError):
            if not self.reserve.release():
                raise
        return Ledger(database)

    def _record(self, write: Callable[[], object]) -> None:
        """Commit what ``write`` does; on a full disk again, in the room reserved for that."""
        try:
            self._commit(write)
        except SpoolFullError:
            if not self.reserve.release():
                raise
            _LOG.warning("the disk is full; the room reserved for records is used")
            self._commit(write)

    def _commit(self, write: Callable[[], object]) -> None:
        with self.ledger.transaction():
            write()
            self.time.anchor()

    def ensure_room(self, size: int) -> None:
        """Raise `SpoolFullError` when a submission of ``size`` bytes might not find room.

        To be asked before a person is asked to pose.
        """
        totals = self.ledger.totals()
        self._within_limits(totals, size)
        waited_s = 0.0 if totals.oldest_s is None else self.time.now_s() - totals.oldest_s
        if waited_s > self.limits.max_wait_s:
            raise SpoolFullError(
                f"{self.directory}: undelivered for {waited_s / 3600:.1f} h, "
                f"more than {self.limits.max_wait_s / 3600:.1f} h"
            )
        free = self.store.free_bytes()
        if free < self.limits.min_free_bytes + size + OVERHEAD_BYTES:
            raise SpoolFullError(f"{self.directory}: only {free // 1_000_000} MB free on the disk")

    def put(self, submission: Submission) -> Item:
        """Keep ``submission``; when this returns it survives a power cut.

        Raises
        ------
        SpoolFullError
            a limit or the disk; nothing was kept.
        DiskError
            writing, syncing or renaming failed; the submission must be taken as not kept.
        """
        self._within_limits(self.ledger.totals(), submission.size)
        item_id = uuid.uuid4().hex
        self.store.write(item_id, seal(self.key, item_id, submission))
        try:
            with self.ledger.transaction():
                self.ledger.insert(new_row(item_id, submission, self.time.now_s()))
                self.time.anchor()
        except SpoolError:
            self.store.remove(self.store.path(item_id))
            raise
        return self.item(item_id)

    def load(self, item_id: str) -> Submission:
        """Return the submission exactly as it was put.

        Raises
        ------
        ItemError
            it is gone, damaged, or sealed with another key: another try changes nothing.
        ItemUnreadableError
            the disk does not give it at the moment.
        """
        return self._unsealed(self.item(item_id).id)

    def item(self, item_id: str) -> Item:
        """Return a row; raises `ItemError` for an unknown id."""
        found = self.ledger.item(item_id)
        if found is None:
            raise ItemError(f"item {shown(item_id, 60)!r}: not in this spool")
        return found

    def find(self, client_request_id: str) -> Item | None:
        """Return the newest row of a submission, None where it never came here."""
        return self.ledger.newest(client_request_id)

    def note(self, item: Item, outcome: Outcome, state: ItemState) -> None:
        """Note why an item waits although no attempt was made for it."""
        with self.ledger.transaction():
            self.ledger.update(item.id, {"state": state, **_ending(outcome)}, kept_only=True)

    def items(
        self, states: Sequence[ItemState] = tuple(ItemState), session_id: str | None = None
    ) -> Iterator[Item]:
        """Yield rows in order of arrival, a page at a time."""
        after = 0
        while page := self.ledger.page(states, after, PAGE, session_id):
            yield from page
            after = page[-1].seq

    def listing(self, states: Sequence[ItemState] = tuple(ItemState)) -> Iterator[Listed]:
        """Yield rows in brief, in order of arrival, a page at a time."""
        after = 0
        while page := self.ledger.listing(states, after, PAGE):
            yield from page
            after = page[-1].seq

    def first_due(self) -> Item | None:
        """Return the queued item that is due and arrived first."""
        return self.ledger.first_due(self.time.now_s())

    def seconds_to_next(self) -> float | None:
        """Return how long until a queued item is due, None without one."""
        due_s = self.ledger.next_due_s()
        return None if due_s is None else max(0.0, due_s - self.time.now_s())

    def attempted(
        self, item: Item, outcome: Outcome, state: ItemState, due_in_s: float | None = None
    ) -> None:
        """Note a failed attempt; ``due_in_s`` None leaves the item's place as it is."""
        now_s = self._attested(outcome)
        changes = {
            "state": state,
            "attempts": item.attempts + 1,
            "first_attempt_s": now_s if item.first_attempt_s is None else item.first_attempt_s,
            "due_s": item.due_s if due_in_s is None else now_s + due_in_s,
            **_ending(outcome),
        }
        self._record(lambda: self.ledger.update(item.id, changes, kept_only=True))

    def finish(self, item: Item, outcome: Outcome, state: ItemState) -> None:
        """Note how it ended and destroy the content; ids, times, digest and outcome stay."""
        self._attested(outcome)
        changes = {"attempts": item.attempts + 1, **_ending(outcome)}
        self._record(lambda: self._finished_row(item.id, state, changes))
        self.store.destroy(item.id)

    def mark_lost(self, item: Item, problem: str) -> None:
        """Note that the content cannot be read; a damaged file is set aside."""
        problems = {"error_code": ItemError.code, "error_text": shown(problem)}
        self._record(lambda: self._finished_row(item.id, ItemState.LOST, problems))
        if self.store.path(item.id).exists():
            self.store.set_aside(item.id)

    def rearm(self, item_ids: Sequence[str] | None = None) -> int:
        """Make held and waiting items due now, and end any pause; return how many are queued."""
        for item_id in item_ids or ():
            if self.item(item_id).state not in KEPT:
                raise ItemError(f"item {item_id}: its content is gone, it cannot be sent")
        self.set_pause(0.0, named=False)
        now_s = self.time.now_s()
        self._record(lambda: self.ledger.rearm(item_ids, now_s))
        return self.ledger.counts().get(ItemState.QUEUED, 0)

    def purge(self, item_ids: Sequence[str] | None = None) -> int:
        """Destroy undelivered content, all of it by default; needs no key. Return how many."""
        chosen = [i.id for i in self.items(KEPT)] if item_ids is None else list(item_ids)
        purged = 0
        for item_id in chosen:
            if self.item(item_id).state in KEPT:
                self._end(item_id, ItemState.PURGED)
                purged += 1
        if item_ids is None:
            self.store.remove_all(DAMAGED)
        return purged

    def maintain(self) -> int:
        """Destroy what is older than the retention, forget old rows; return how many expired.

        What is older only by the word of the wall clock is kept and counted in ``overdue``.
        """
        now_s, limit_s = self.time.now_s(), self.limits.retention_s
        overdue = self.ledger.created_before(now_s - limit_s)
        expired = [i for i, at_s in overdue if now_s - at_s - self.time.doubted_s(at_s) > limit_s]
        self.overdue = len(overdue) - len(expired)
        for item_id in expired:
            self._end(item_id, ItemState.EXPIRED)
        record_s = self.limits.record_s + self.time.doubted_s(0.0)
        self._record(lambda: self.ledger.forget_finished_before(now_s - record_s))
        self.store.destroy_rest()
        self.reserve.fill()
        return len(expired)

    def damaged_rows(self) -> int:
        """Return how many records damage has altered; the owner mends them at its start."""
        return len(self.ledger.unsound(self.time.now_s(), MAX_DUE_S)) if self.time.sound else 1

    def totals(self) -> Totals:
        """Return count, bytes and oldest arrival (spool time) of what is kept."""
        return self.ledger.totals()

    def oldest_age_s(self) -> float:
        """Return how long the oldest kept item has waited."""
        oldest_s = self.totals().oldest_s
        return 0.0 if oldest_s is None else max(0.0, self.time.now_s() - oldest_s)

    def pause(self) -> tuple[float, bool]:
        """Return for how many seconds nothing is to be sent, and whether the service named it."""
        left_s = (self.ledger.seconds("pause_until_s") or 0.0) - self.time.now_s()
        # No longer pause is ever set: the fact is damaged.
        left_s = left_s if left_s <= MAX_DUE_S else 0.0
        return max(0.0, left_s), self.ledger.fact("pause_named") == "1"

    def set_pause(self, seconds: float, *, named: bool) -> None:
        """Send nothing for ``seconds``; survives a restart."""
        until_s = repr(self.time.now_s() + seconds)

        def write() -> None:
            self.ledger.set_fact("pause_until_s", until_s)
            self.ledger.set_fact("pause_named", "1" if named else "0")

        self._record(write)

    def postpone(self, item: Item, error: SpoolError, due_in_s: float) -> None:
        """Note that an item's file cannot be read for now; it is tried again."""
        changes = {
            "attempts": item.attempts + 1,
            "due_s": self.time.now_s() + due_in_s,
            "error_code": error.code,
            "error_text": shown(error.message),
        }
        self._record(lambda: self.ledger.update(item.id, changes, kept_only=True))

    def adopt(self, item_id: str) -> bool:
        """Give a file without a row its row; a damaged file is set aside. Tell which it was.

        Raises `ItemUnreadableError` when the disk does not give it; it stays as it is.
        """
        try:
            submission = self._unsealed(item_id)
        except ItemError as error:
            _LOG.warning("%s", error)
            self.store.set_aside(item_id)
            return False
        with self.ledger.transaction():
            self.ledger.insert(new_row(item_id, submission, self.time.now_s()))
        return True

    def _unsealed(self, item_id: str) -> Submission:
        key = self.key
        try:
            return unseal(key, item_id, self.store.read(item_id))
        except SpoolKeyError as error:
            # The spool is this key's: one file of another is a foreign or a damaged one.
            raise ItemError(error.message) from error

    def trust_clock(self) -> None:
        """Believe the wall clock's pauses: the operator vouches for it."""
        self._record(self.time.trust_clock)

    def _attested(self, outcome: Outcome) -> float:
        """Take in the service's date, if it came with the outcome; return spool time."""
        if outcome.date is not None:
            self.time.attest(outcome.date)
        return self.time.now_s()

    def _end(self, item_id: str, state: ItemState) -> None:
        self._record(lambda: self._finished_row(item_id, state, {}))
        _LOG.info("item %s: %s", item_id, state)
        self.store.destroy(item_id)

    def _finished_row(self, item_id: str, state: ItemState, changes: dict[str, Any]) -> None:
        ended = {"finished": rfc3339(self.clock.utc()), "finished_s": self.time.now_s()}
        self.ledger.update(item_id, {"state": state, **ended, **changes})

    def _within_limits(self, totals: Totals, size: int) -> None:
        if totals.items + 1 > self.limits.max_items:
            raise SpoolFullError(f"{self.directory}: {totals.items} submissions wait, the limit")
        if totals.bytes + size > self.limits.max_bytes:
            raise SpoolFullError(
                f"{self.directory}: {totals.bytes} bytes wait, {size} more exceed the limit of "
                f"{self.limits.max_bytes}"
            )

    @property
    def key(self) -> DeviceKey:
        """The device key; raises `SpoolKeyError` for whoever only looks on."""
        if self._key is None:
            raise SpoolKeyError(f"{self.directory}: opened without its device key")
        return self._key


def _ending(outcome: Outcome) -> dict[str, Any]:
    error = outcome.error
    return {
        "error_code": None if error is None else error.code,
        "error_text": None if error is None else shown(error.message),
        "status": outcome.status,
        "request_id": outcome.request_id,
        "decision": None if outcome.decision is None else str(outcome.decision),
        "model_version": outcome.model_version,
        "latency_ms": outcome.latency_ms,
    }
