"""How much a spool keeps, and for how long."""

from __future__ import annotations

from uploader.options import option, options


@options
class SpoolLimits:
    """Limits on bytes, items and age."""

    max_bytes: int = option(
        2_000_000_000, unit="bytes", low=2048, high=1e13, why="80 sessions of the largest size"
    )
    max_items: int = option(
        5_000, unit="", low=1, high=1_000_000, why="days of a busy kiosk at real sizes (0.36 MB)"
    )
    max_wait_s: float = option(
        86_400.0,
        unit="s",
        low=60,
        high=1e8,
        why="nothing delivered for a day: nobody is asked to pose for it before someone looks",
    )
    min_free_bytes: int = option(
        200_000_000, unit="bytes", low=0, high=1e13, why="room for logs and the system"
    )
    retention_s: float = option(
        604_800.0, unit="s", low=60, high=1e8, why="biometric data is destroyed after a week"
    )
    record_s: float = option(
        7_776_000.0, unit="s", low=60, high=1e9, why="ids and digests for audits, 90 days"
    )
