"""What a live camera really did: counts and the measured frame rate."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

_INTERVALS = 30


@dataclass(frozen=True, slots=True)
class CameraStats:
    """Counts since the camera was opened.

    Attributes
    ----------
    received : new frames that reached us after the warm-up.
    delivered : of them, returned by ``read``.
    dropped : of them, replaced by a newer one before ``read`` came for them.
    damaged : frames that could not be used.
    repeated : frames that were the one before once more.
    reopened : how often the connection was made anew.
    fps : measured over the last 30 intervals of new frames; None until there are two.
    stamp_source : ``driver``, ``sender`` or ``arrival``.
    """

    received: int = 0
    delivered: int = 0
    dropped: int = 0
    damaged: int = 0
    repeated: int = 0
    reopened: int = 0
    fps: float | None = None
    stamp_source: str = "arrival"


class StatsCounter:
    """Counts from several threads."""

    def __init__(self) -> None:
        self._stats = CameraStats()
        self._times_ns: deque[int] = deque(maxlen=_INTERVALS + 1)
        self._lock = threading.Lock()

    def add(self, **counts: int) -> None:
        """Add to the counts of these names."""
        with self._lock:
            now = {name: getattr(self._stats, name) + count for name, count in counts.items()}
            self._stats = replace(self._stats, **now)

    def came(self, t_frame_ns: int, stamp_source: str) -> None:
        """Count a new frame."""
        with self._lock:
            self._times_ns.append(t_frame_ns)
            received = self._stats.received + 1
            self._stats = replace(self._stats, received=received, stamp_source=stamp_source)

    def opened(self, *, again: bool) -> None:
        """Start measuring anew after the connection was made."""
        with self._lock:
            self._times_ns.clear()
            self._stats = replace(self._stats, reopened=self._stats.reopened + again)

    def snapshot(self) -> CameraStats:
        """Return the counts of this moment."""
        with self._lock:
            times = self._times_ns
            span_ns = times[-1] - times[0] if len(times) > 1 else 0
            fps = (len(times) - 1) * 1e9 / span_ns if span_ns > 0 else None
            return replace(self._stats, fps=fps)


@runtime_checkable
class KeepsStats(Protocol):
    """A camera that counts its frames and says where their stamps come from."""

    @property
    def stats(self) -> CameraStats:
        """Counts since it was opened, and the source of the stamps."""
        ...
