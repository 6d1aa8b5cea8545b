"""Time as this package needs it: seconds to wait by, and a date for the records."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Protocol

_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")


class DeliveryClock(Protocol):
    """A monotonic time for deadlines and a wall time for dates; the two never mix."""

    def monotonic_s(self) -> float:
        """Return seconds that never go back."""
        ...

    def utc(self) -> datetime:
        """Return the wall clock as an aware datetime; it may jump."""
        ...

    def boot(self) -> tuple[str, float] | None:
        """Return an id of this boot of the machine and the seconds since; None where unknown."""
        ...

    def sleep(self, seconds: float) -> None:
        """Return after ``seconds``."""
        ...


class SystemDeliveryClock:
    """The machine's own clocks."""

    def monotonic_s(self) -> float:
        """Return ``CLOCK_MONOTONIC`` in seconds."""
        return time.monotonic()

    def utc(self) -> datetime:
        """Return the wall clock in UTC."""
        return datetime.now(UTC)

    def boot(self) -> tuple[str, float] | None:
        """Return Linux's boot id and ``CLOCK_BOOTTIME``; other systems have no such pair."""
        try:
            boot_id = _BOOT_ID.read_text(encoding="ascii").strip()
        except OSError:
            return None
        return (boot_id, time.clock_gettime(time.CLOCK_BOOTTIME)) if boot_id else None

    def sleep(self, seconds: float) -> None:
        """Block for ``seconds``."""
        time.sleep(max(0.0, seconds))


def rfc3339(moment: datetime) -> str:
    """Return ``moment`` as RFC 3339 in UTC with milliseconds."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
