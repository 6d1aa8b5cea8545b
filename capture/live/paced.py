"""A file or a recording as if it were live: its own pace, on the session's clock."""

from __future__ import annotations

from dataclasses import replace
from types import TracebackType
from typing import Self

from capture.camera import Camera, CameraInfo, Provenance
from capture.clock import Clock, SystemClock
from capture.errors import CameraError
from capture.frame import Frame
from capture.live.reading.stats import CameraStats, StatsCounter

_MAX_SKIPS = 30
"""A machine that cannot decode in time still gets a frame a second."""


class PacedCamera:
    """Plays a `Camera` of stored frames in real time, from the first ``read`` on.

    Each frame comes when it is due; the newest one that is due wins, and those before it are
    dropped and counted, as with a live camera. The stamps are the clock's. After the last frame
    comes None.

    Frames of a recording are IMPORTED here, even if a camera took them: they are not live.
    Simulated ones stay SIMULATED.

    Parameters
    ----------
    stored : closed with this camera.

    Raises
    ------
    CameraError
        from ``read``: closed, or the next frame is due after ``timeout_s``.
    SourceError
        from ``read``: the file is damaged from here on.
    """

    def __init__(self, stored: Camera, clock: Clock | None = None) -> None:
        self._stored = stored
        self._clock = clock or SystemClock()
        self._stats = StatsCounter()
        self._start_ns: int | None = None
        self._next: Frame | None = None
        self._ended = False
        self._closed = False
        info = stored.info
        simulated = info.provenance is Provenance.SIMULATED
        self._info = replace(info, provenance=info.provenance if simulated else Provenance.IMPORTED)

    @property
    def info(self) -> CameraInfo:
        """What is known of the stored frames."""
        return self._info

    @property
    def stats(self) -> CameraStats:
        """Counts and the measured rate."""
        return self._stats.snapshot()

    def read(self, timeout_s: float = 2.0) -> Frame | None:
        """Return the newest frame that is due, or None after the last."""
        if self._closed:
            raise CameraError(f"{self._info.id}: the file is closed")
        if self._start_ns is None:
            self._next = self._stored.read()
            self._start_ns = self._clock.now_ns() - (self._next.t_frame_ns if self._next else 0)
        asked_ns = self._clock.now_ns()
        current = self._next
        if current is None:
            return None
        due_ns = self._due_ns(current)
        if due_ns - asked_ns > timeout_s * 1e9:
            self._clock.sleep_until(asked_ns + round(timeout_s * 1e9))
            raise CameraError(f"{self._info.id}: no frame is due within {timeout_s:g} s")
        self._clock.sleep_until(due_ns)
        current = self._newest(current)
        self._stats.add(delivered=1)
        t_ns = self._due_ns(current)
        return replace(current, t_frame_ns=t_ns, t_received_ns=max(t_ns, self._clock.now_ns()))

    def close(self) -> None:
        """Close the file; idempotent."""
        self._closed = True
        self._next = None
        self._stored.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _newest(self, current: Frame) -> Frame:
        """Go on to the last frame that is due, decoding one more than is returned."""
        self._stats.came(self._due_ns(current), "file")
        for _ in range(_MAX_SKIPS):
            self._next = self._stored.read()
            if self._next is None or self._due_ns(self._next) > self._clock.now_ns():
                break
            current = self._next
            self._stats.add(dropped=1)
            self._stats.came(self._due_ns(current), "file")
        else:
            self._next = self._stored.read()
        return current

    def _due_ns(self, frame: Frame) -> int:
        return (self._start_ns or 0) + frame.t_frame_ns
