"""A time that only the spool counts: it goes on across restarts and ignores clocks that jump.

Within a process it follows the monotonic clock; from one process to the next of the same boot the
clock of the boot. Between two boots only the wall clock says how long nothing ran: it is believed
as far as it is plausible, so that what was to wait for an hour does not wait for a day. But it is
one reading of one clock, which a dead battery or a person sets wrong: the seconds it added are
*doubted*, and nothing undelivered is destroyed for them. They are no longer doubted once the
service's own date has agreed with the wall clock before and after, or the operator says so.
"""

from __future__ import annotations

import json
import logging
import math
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final

from uploader.clock import DeliveryClock
from uploader.spool.ledger import Ledger

MAX_PAUSE_S: Final = 30 * 86_400.0
"""A longer pause is not believed: it counts as none, so that content is rather kept too long."""
EARLIEST: Final = datetime(2024, 1, 1, tzinfo=UTC)
"""A wall clock before this software existed was not set."""
AGREE_S: Final = 3600.0
"""The service's date and the wall clock agree when they are no further apart."""
MAX_DOUBTS: Final = 64
"""More doubted pauses than so many are summed up, at the time of the latest of them."""

_FACT: Final = "time"
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Anchor:
    """What one process notes for the next."""

    spool_s: float = 0.0
    wall: datetime | None = None
    boot: tuple[str, float] | None = None
    """Id of the boot, seconds since it began."""
    doubts: tuple[tuple[float, float], ...] = field(default=())
    """Spool time at which a pause ended, its seconds."""
    dated: tuple[float, datetime] | None = None
    """Spool time and the service's date, when the wall clock last agreed with it."""


class SpoolTime:
    """Seconds since the spool was made."""

    def __init__(self, ledger: Ledger, clock: DeliveryClock) -> None:
        self._ledger = ledger
        self._clock = clock
        noted = ledger.fact(_FACT)
        anchor = _parsed(noted) if noted is not None else Anchor()
        self.sound = anchor is not None and (noted is not None or not ledger.any_row())
        """False when what the times of the rows refer to is lost."""
        self._anchor: Anchor = _resumed(anchor or Anchor(), clock)
        self._mono_s: float = clock.monotonic_s()

    def now_s(self) -> float:
        """Return spool time."""
        return self._anchor.spool_s + max(0.0, self._clock.monotonic_s() - self._mono_s)

    def doubted_s(self, since_s: float) -> float:
        """Return how many of the seconds since then only the wall clock vouches for."""
        return sum(pause_s for end_s, pause_s in self._anchor.doubts if end_s > since_s)

    def attest(self, date: datetime) -> None:
        """Take the service's date as a second reading, if the wall clock agrees with it."""
        if abs((date - self._clock.utc()).total_seconds()) > AGREE_S:
            return
        now_s = self.now_s()
        if self._anchor.dated is not None:
            self._compare(now_s, date, *self._anchor.dated)
        self._anchor = replace(self._anchor, dated=(self.now_s(), date))

    def trust_clock(self) -> None:
        """Doubt nothing of the past: the operator says that the clock was and is right."""
        self._anchor = replace(self._anchor, doubts=())

    def anchor(self, *, restarted: bool = False) -> None:
        """Note all clocks, for the process that comes next; call within a transaction."""
        if restarted:
            self._set(Anchor())
            self.sound = True
        if not self.sound:
            return  # whoever holds the lock mends it first
        wall, boot = self._clock.utc(), self._clock.boot()
        noted = {
            "spool_s": round(self.now_s(), 3),
            "wall": wall.isoformat(),
            "boot": None if boot is None else [boot[0], round(boot[1], 3)],
            "doubts": self._anchor.doubts,
            "dated": self._anchor.dated and [self._anchor.dated[0], str(self._anchor.dated[1])],
        }
        self._ledger.set_fact(_FACT, json.dumps(noted))

    def _set(self, anchor: Anchor) -> None:
        self._anchor = anchor
        self._mono_s = self._clock.monotonic_s()

    def _compare(self, now_s: float, date: datetime, then_s: float, before: datetime) -> None:
        """Weigh the seconds counted between two dates of the service against these dates."""
        true_s, counted_s = (date - before).total_seconds(), now_s - then_s
        doubts = self._anchor.doubts
        earlier = tuple(doubt for doubt in doubts if doubt[0] <= then_s)
        later = [doubt for doubt in doubts if doubt[0] > then_s]
        left_s = min(sum(pause_s for _, pause_s in later), max(0.0, counted_s - true_s))
        rest = ((later[-1][0], left_s),) if later and left_s > AGREE_S else ()
        self._anchor = replace(self._anchor, doubts=earlier + rest)
        if true_s > counted_s + AGREE_S:  # a pause that was not believed
            self._set(replace(self._anchor, spool_s=then_s + true_s))


def _resumed(anchor: Anchor, clock: DeliveryClock) -> Anchor:
    """Return the anchor of this process: what passed since the last one, and what is doubted."""
    boot = clock.boot()
    if boot is not None and anchor.boot is not None and boot[0] == anchor.boot[0]:
        return replace(anchor, spool_s=anchor.spool_s + max(0.0, boot[1] - anchor.boot[1]))
    if anchor.wall is None:
        return anchor
    pause_s = (clock.utc() - anchor.wall).total_seconds()
    if anchor.wall < EARLIEST or not 0.0 <= pause_s <= MAX_PAUSE_S:
        _LOG.warning("the clock jumped while the spool was closed; the pause is not counted")
        return anchor
    now_s = anchor.spool_s + pause_s
    doubts = (*anchor.doubts, (now_s, pause_s))
    if len(doubts) > MAX_DOUBTS:
        first, second, *others = doubts
        doubts = ((second[0], first[1] + second[1]), *others)
    return replace(anchor, spool_s=now_s, doubts=doubts)


def _parsed(noted: str) -> Anchor | None:
    """Read what was noted; None when its spool time is lost, the rest is dropped where damaged."""
    try:
        values = json.loads(noted)
        spool_s = _seconds(values["spool_s"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    anchor = Anchor(spool_s, _moment(values.get("wall")))
    try:
        boot, dated = values.get("boot"), values.get("dated")
        return replace(
            anchor,
            boot=None if boot is None else (str(boot[0]), _seconds(boot[1])),
            doubts=tuple((_seconds(a), _seconds(b)) for a, b in values.get("doubts", ())),
            dated=_dated(dated),
        )
    except (ValueError, TypeError, KeyError, IndexError):
        # Without its doubts every second would count: let all of them be doubted.
        return replace(anchor, doubts=((spool_s, spool_s),))


def _dated(value: Any) -> tuple[float, datetime] | None:
    moment = None if value is None else _moment(value[1])
    return None if moment is None else (_seconds(value[0]), moment)


def _seconds(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number) or number < 0.0:
        raise ValueError("no number of seconds")
    return number


def _moment(value: Any) -> datetime | None:
    """Return an aware moment, None for anything else."""
    try:
        moment = datetime.fromisoformat(value)
    except (ValueError, TypeError):
        return None
    return moment if moment.tzinfo is not None else None
