"""A time that only the spool counts: it goes on across restarts and ignores clocks that jump.

Within a process it follows the monotonic clock. Between two processes the wall clock tells how
long nothing ran, when the answer is plausible: a kiosk without a clock battery wakes in 1970 and
is then set right, and no waiting submission may be taken for 56 years old and destroyed.
"""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Final

from uploader.clock import DeliveryClock
from uploader.spool.ledger import Ledger

MAX_PAUSE_S: Final = 30 * 86_400.0
"""A longer pause is not believed: it counts as none, so that content is rather kept too long."""
EARLIEST: Final = datetime(2024, 1, 1, tzinfo=UTC)
"""A wall clock before this software existed was not set."""

_FACT: Final = "time"
_LOG = logging.getLogger(__name__)


class SpoolTime:
    """Seconds since the spool was made."""

    def __init__(self, ledger: Ledger, clock: DeliveryClock) -> None:
        self._ledger = ledger
        self._clock = clock
        self._base_s = _spool_s_at_start(ledger.fact(_FACT), clock.utc())
        self._mono_s = clock.monotonic_s()

    def now_s(self) -> float:
        """Return spool time."""
        return self._base_s + max(0.0, self._clock.monotonic_s() - self._mono_s)

    def anchor(self) -> None:
        """Note both clocks, for the process that comes next; call within a transaction."""
        noted = {"spool_s": round(self.now_s(), 3), "wall": self._clock.utc().isoformat()}
        self._ledger.set_fact(_FACT, json.dumps(noted))


def _spool_s_at_start(noted: str | None, wall: datetime) -> float:
    if noted is None:
        return 0.0
    anchor = json.loads(noted)
    before = datetime.fromisoformat(anchor["wall"])
    pause_s = (wall - before).total_seconds()
    if before < EARLIEST or not 0.0 <= pause_s <= MAX_PAUSE_S:
        _LOG.warning("the clock jumped while the spool was closed; the pause is not counted")
        pause_s = 0.0
    return float(anchor["spool_s"]) + pause_s
