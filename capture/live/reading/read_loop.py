"""The endless life of a live camera, a step at a time: open, read, judge, lose, open again.

No thread and no waiting of its own, so that every fault is a test without time; `LiveCamera` gives
it a thread.
"""

from __future__ import annotations

from typing import Protocol

from capture.clock import Clock
from capture.errors import CameraError
from capture.live.options import LiveOptions
from capture.live.reading.connection import Connection, Continuity
from capture.live.reading.feed import DamagedFrameError, FeedFacts, OpenFeed, RawFrame


class Sink(Protocol):
    """Where the reader leaves what it finds; called from its thread."""

    def opened(self, facts: FeedFacts, size_wh: tuple[int, int]) -> None:
        """Say that the camera delivers, for the first time or again."""
        ...

    def came(self, raw: RawFrame, t_frame_ns: int) -> None:
        """Hand over a new frame."""
        ...

    def lost(self, problem: CameraError) -> None:
        """Say that it could not be opened, or has stopped to deliver."""
        ...


class Reader:
    """A camera's life, one `step` after the other; for one thread."""

    def __init__(
        self,
        open_feed: OpenFeed,
        sink: Sink,
        options: LiveOptions,
        clock: Clock,
        continuity: Continuity,
    ) -> None:
        self._open_feed = open_feed
        self._sink = sink
        self._options = options
        self._clock = clock
        self._kept = continuity
        self._connection: Connection | None = None
        self._failures = 0
        self._next_try_ns = clock.now_ns()
        self._complaint = ""

    def step(self) -> float:
        """Do one thing; returns for how many seconds there is nothing to do."""
        if self._connection is None:
            wait_ns = self._next_try_ns - self._clock.now_ns()
            if wait_ns > 0:
                return wait_ns / 1e9
        try:
            if self._connection is None:
                self._complaint = ""
                feed = self._open_feed()
                self._connection = Connection(feed, self._options, self._clock, self._kept)
            else:
                self._read(self._connection)
        except CameraError as problem:
            self._lose(problem)
        return 0.0

    def complain(self, problem: str) -> None:
        """Ask, from any thread, for a new connection: this one delivers nothing of use."""
        self._complaint = problem

    def close(self) -> None:
        """Release the camera."""
        self._kept.locks.drop()
        if self._connection is not None:
            self._connection.feed.close()
            self._connection = None

    def _read(self, connection: Connection) -> None:
        if self._complaint:
            raise CameraError(self._complaint)
        try:
            self._take_next(connection)
        except DamagedFrameError as problem:
            self._kept.stats.add(damaged=1)
            connection.check_silence(str(problem))

    def _take_next(self, connection: Connection) -> None:
        raw = connection.next_new()
        if raw is None:
            connection.check_silence()
            return
        t_ns = connection.stamped(raw)
        if connection.warming():
            return
        if not connection.announced:
            self._sink.opened(connection.feed.facts, connection.announce(raw))
            self._failures = 0
        self._kept.stats.came(t_ns, connection.stamper.source)
        self._sink.came(raw, t_ns)
        self._kept.locks.serve(connection.feed.controls, lambda: connection.level(raw))

    def _lose(self, problem: CameraError) -> None:
        self._kept.locks.drop()
        if self._connection is not None:
            self._connection.feed.close()
            self._connection = None
        options = self._options
        delay_s = min(options.backoff_s * 2.0 ** min(self._failures, 16), options.backoff_max_s)
        self._failures += 1
        self._next_try_ns = self._clock.now_ns() + round(delay_s * 1e9)
        self._sink.lost(problem)
