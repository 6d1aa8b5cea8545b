"""One connection to a camera: which of its frames are new, and when each was taken."""

from __future__ import annotations

from dataclasses import dataclass, field

from capture.camera import Provenance
from capture.clock import Clock
from capture.errors import CameraError
from capture.live.options import LiveOptions
from capture.live.reading.feed import DamagedFrameError, Feed, RawFrame
from capture.live.reading.freshness import Freshness, Repetition, digest, textured
from capture.live.reading.jpeg import JpegDecoder, jpeg_size
from capture.live.reading.lock_requests import LockRequests
from capture.live.reading.stamps import Stamper
from capture.live.reading.stats import StatsCounter


@dataclass(slots=True)
class Continuity:
    """What outlives a connection, and a reader that had to be given up."""

    locks: LockRequests = field(default_factory=LockRequests)
    stats: StatsCounter = field(default_factory=StatsCounter)
    last_t_ns: int = 0
    times_opened: int = 0
    repetition: Repetition = field(default_factory=Repetition)


class Connection:
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
        DamagedFrameError
            the frame is of no use.
        CameraError
            the feed is broken, or its frames have another size than before.
        """
        raw = self.feed.next()
        if raw is None:
            return None
        size_wh = _size_of(raw)
        if not self._is_new(raw):
            self._kept.stats.add(repeated=1)
            return None
        self._check_size(size_wh)
        self._new_ns = self._clock.now_ns()
        return raw

    def check_silence(self, reason: str = "") -> None:
        """Raise `CameraError` when there has been no new frame for too long."""
        silent_s = (self._clock.now_ns() - self._new_ns) / 1e9
        started = self._size_wh is not None
        if silent_s >= (self._options.stall_s if started else self._options.first_frame_s):
            why = f": {reason}" if reason else ""
            raise CameraError(f"no new frame for {silent_s:.1f} s{why}")

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
        number, now_ns = digest(raw), self._clock.now_ns()
        new = self._freshness.is_new(
            number,
            self.stamper.advanced(raw.t_source_ns, raw.t_received_ns),
            now_ns,
            lambda: textured(raw, self.level),
        )
        if new and self.feed.facts.provenance is Provenance.CAMERA:
            looped = self._kept.repetition.looped(number, now_ns, lambda: textured(raw, self.level))
            if looped:
                raise CameraError("it sends again what it sent before: frozen, or a recording")
        return new


def _size_of(raw: RawFrame) -> tuple[int, int]:
    if raw.jpeg is not None:
        return jpeg_size(raw.jpeg)
    if raw.pixels is None:
        raise DamagedFrameError("a frame without data")
    return raw.pixels.shape[1], raw.pixels.shape[0]
