"""The endless life of a live camera, a step at a time: open, read, judge, lose, open again.

No thread and no waiting of its own, so that every fault is a test without time; `LiveCamera` gives
it a thread.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Protocol

from capture.clock import Clock
from capture.errors import CameraError
from capture.live.desk import LockDesk
from capture.live.feed import DamagedFrameError, Feed, FeedFacts, OpenFeed, RawFrame
from capture.live.freshness import Freshness, digest, textured
from capture.live.jpeg import JpegDecoder, jpeg_size
from capture.live.options import LiveOptions
from capture.live.stamps import Stamper
from capture.live.stats import StatsCounter

_LOG = logging.getLogger(__name__)


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


@dataclass(slots=True)
class Continuity:
    """What outlives a connection, and a reader that had to be given up."""

    desk: LockDesk = field(default_factory=LockDesk)
    stats: StatsCounter = field(default_factory=StatsCounter)
    last_t_ns: int = 0
    times_opened: int = 0


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
        self._connection: _Connection | None = None
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
                self._connection = _Connection(feed, self._options, self._clock, self._kept)
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
        self._kept.desk.drop()
        if self._connection is not None:
            self._connection.feed.close()
            self._connection = None

    def _read(self, connection: _Connection) -> None:
        if self._complaint:
            raise CameraError(self._complaint)
        raw = connection.next_new()
        if raw is None:
            return
        t_ns = connection.stamped(raw)
        if connection.warming():
            return
        if not connection.announced:
            self._sink.opened(connection.feed.facts, connection.announce(raw))
            self._failures = 0
        self._kept.stats.came(t_ns, connection.stamper.source)
        self._sink.came(raw, t_ns)
        self._kept.desk.serve(connection.feed.controls, lambda: connection.level(raw))

    def _lose(self, problem: CameraError) -> None:
        self._kept.desk.drop()
        if self._connection is not None:
            self._connection.feed.close()
            self._connection = None
        options = self._options
        delay_s = min(options.backoff_s * 2.0 ** min(self._failures, 16), options.backoff_max_s)
        self._failures += 1
        self._next_try_ns = self._clock.now_ns() + round(delay_s * 1e9)
        self._sink.lost(problem)


class _Connection:
    """A feed and what is known of its frames."""

    def __init__(
        self, feed: Feed, options: LiveOptions, clock: Clock, continuity: Continuity
    ) -> None:
        self.feed = feed
        self.stamper = Stamper(feed.stamp_limit_ns, feed.stamp_source, continuity.last_t_ns)
        self.announced = False
        self._options = options
        self._clock = clock
        self._kept = continuity
        self._freshness = Freshness(
            round(options.stall_s * 1e9) if feed.stamp_source == "driver" else None
        )
        self._decoder = JpegDecoder()
        self._size_wh: tuple[int, int] | None = None
        self._warm = 0
        self._new_ns = clock.now_ns()

    def next_new(self) -> RawFrame | None:
        """Return a new frame of the right size, None when there was none this time.

        Raises
        ------
        CameraError
            the feed is broken, has had no new frame for too long, or another size than before.
        """
        try:
            raw = self.feed.next()
            if raw is not None:
                size_wh = _size_of(raw)
                if self._is_new(raw):
                    self._check_size(size_wh)
                    self._new_ns = self._clock.now_ns()
                    return raw
                self._kept.stats.add(repeated=1)
        except DamagedFrameError as problem:
            self._kept.stats.add(damaged=1)
            _LOG.debug("camera frame left out: %s", problem)
        silent_s = (self._clock.now_ns() - self._new_ns) / 1e9
        if silent_s >= self._options.stall_s:
            raise CameraError(f"no new frame for {silent_s:.1f} s")
        return None

    def stamped(self, raw: RawFrame) -> int:
        """Return the frame's time."""
        t_ns = self.stamper.stamp(raw.t_source_ns, raw.t_received_ns)
        self._kept.last_t_ns = t_ns
        return t_ns

    def warming(self) -> bool:
        """Return whether the frame is one of those that are thrown away after opening."""
        self._warm += 1
        return self._warm <= self._options.warmup_frames

    def announce(self, raw: RawFrame) -> tuple[int, int]:
        """Return the true size, of the upright pixels: of all claims only they count."""
        pixels = self._decoder.decode(raw.jpeg) if raw.jpeg is not None else raw.pixels
        shown = _size_of(raw) if pixels is None else (pixels.shape[1], pixels.shape[0])
        self.announced = True
        self._kept.stats.opened(again=self._kept.times_opened > 0)
        self._kept.times_opened += 1
        return shown

    def level(self, raw: RawFrame) -> float:
        """Return the mean level of a frame, 0 to 255."""
        if raw.jpeg is not None:
            return self._decoder.level(raw.jpeg)
        return 0.0 if raw.pixels is None else float(raw.pixels[::8, ::8].mean())

    def _check_size(self, size_wh: tuple[int, int]) -> None:
        if self._size_wh is None:
            self._size_wh = size_wh
        if size_wh != self._size_wh:
            was, now = ("{}x{}".format(*wh) for wh in (self._size_wh, size_wh))
            raise CameraError(f"the size of its frames changed from {was} to {now}")

    def _is_new(self, raw: RawFrame) -> bool:
        return self._freshness.is_new(
            digest(raw),
            self.stamper.advanced(raw.t_source_ns, raw.t_received_ns),
            self._clock.now_ns(),
            lambda: textured(raw, self.level),
        )


def _size_of(raw: RawFrame) -> tuple[int, int]:
    if raw.jpeg is not None:
        return jpeg_size(raw.jpeg)
    if raw.pixels is None:
        raise DamagedFrameError("a frame without data")
    return raw.pixels.shape[1], raw.pixels.shape[0]
