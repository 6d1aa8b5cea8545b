"""`LiveCamera`: a camera that runs by itself, whose newest frame is there when it is asked for."""

from __future__ import annotations

import atexit
import logging
import sys
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Self

from capture.camera import CameraInfo
from capture.clock import Clock, SystemClock
from capture.errors import CameraError
from capture.frame import Frame, ImageU8
from capture.live.options import LiveOptions
from capture.live.reading.arrivals import Arrivals, CameraIdentity
from capture.live.reading.connection import Continuity
from capture.live.reading.feed import DamagedFrameError, OpenFeed, RawFrame
from capture.live.reading.jpeg import JpegDecoder
from capture.live.reading.lock_requests import is_locked
from capture.live.reading.reader_thread import Worker
from capture.live.reading.stats import CameraStats

if TYPE_CHECKING:
    from pydantic import JsonValue

_LOG = logging.getLogger(__name__)

CLOSE_S = 1.5
LOCK_S = 2.0
UNLOCK_S = 0.5
STUCK_S = 20.0
"""A driver that has not come back for this long never will: twice OpenCV's own 10 s."""

MAX_STUCK = 3
"""Threads left behind in blocked drivers; more would be a leak."""


class LiveCamera:
    """A `Camera` with one reader thread: the newest frame wins, drops and repeats are counted.

    When it is lost, ``read`` raises and ``lost`` is True while the thread goes on trying to open it
    again; then frames come as before, with later stamps and numbers. ``info.size_wh`` may have
    changed by that.

    ``read`` is for one thread at a time; everything else for any thread.

    Parameters
    ----------
    open_feed : opens the camera by its stable address; called in the reader thread.
    clock : the session's; frames carry its time.

    Raises
    ------
    CameraError
        at construction: the first attempt to open it failed, or no frame came in time.
    """

    def __init__(
        self,
        open_feed: OpenFeed,
        identity: CameraIdentity,
        options: LiveOptions | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._open_feed = open_feed
        self._id = identity.id
        self._options = options or LiveOptions()
        self._clock = clock or SystemClock()
        self._kept = Continuity()
        self._arrivals = Arrivals(identity, self._kept.stats)
        self._decoder = JpegDecoder()
        self._damaged_since_ns: int | None = None
        self._last_jpeg: bytes | None = None
        self._reading = threading.Lock()
        self._closed = False
        self._stuck = 0
        self._worker = self._new_worker()
        if sys.platform == "darwin":
            self._worker.open_here()  # AVFoundation hangs when another thread opens it
        self._worker.start()
        atexit.register(self.close)
        try:
            self._info = self._first_info()
        except BaseException:
            self.close()
            raise

    @property
    def info(self) -> CameraInfo:
        """Id, name, true size, claimed rate."""
        return self._arrivals.info or self._info

    @property
    def stats(self) -> CameraStats:
        """Counts and the measured rate."""
        return self._kept.stats.snapshot()

    @property
    def lost(self) -> bool:
        """Whether no new frames come at present."""
        return self._arrivals.problem is not None

    @property
    def last_jpeg(self) -> bytes | None:
        """The camera's own bytes of the frame that ``read`` returned last; None without any."""
        return self._last_jpeg

    @property
    def controls(self) -> Mapping[str, JsonValue]:
        """What `lock` achieved; empty while nothing is locked."""
        return self._kept.locks.report

    def read(self, timeout_s: float = 2.0) -> Frame | None:
        """Return the newest frame that has not been returned yet; never None.

        Raises
        ------
        CameraError
            closed, lost, or no new frame within ``timeout_s``; may be called again.
        """
        deadline_ns = self._clock.now_ns() + round(timeout_s * 1e9)
        with self._reading:
            while True:
                left_s = max(0.0, (deadline_ns - self._clock.now_ns()) / 1e9)
                captured = self._arrivals.frames.take(left_s)
                if captured is None:
                    raise self._silence(timeout_s)
                raw = captured.raw
                pixels = self._developed(raw)
                if pixels is not None:
                    self._last_jpeg = raw.jpeg
                    self._kept.stats.add(delivered=1)
                    t_ns = captured.t_frame_ns
                    return Frame(captured.seq, t_ns, max(t_ns, raw.t_received_ns), pixels)
                if left_s == 0:
                    raise self._silence(timeout_s)

    def lock(self) -> bool:
        """Freeze exposure, white balance and focus; False where one of the first two goes on.

        Blocks for some 10 frames, 2 s at most, while frames still come to another thread: the
        picture must turn out as bright as it was.
        """
        if self._closed or self.lost:
            return False
        done = self._kept.locks.ask(locked=True, timeout_s=LOCK_S)
        return done and is_locked(self._kept.locks.report)

    def unlock(self) -> None:
        """Give the controls back to the camera."""
        if not self._closed and not self.lost:
            self._kept.locks.ask(locked=False, timeout_s=UNLOCK_S)

    def close(self) -> None:
        """Restore the controls and release the camera, within 2 s.

        A driver that is blocked cannot be released from here: its thread does that as soon as it
        comes back, and ends.
        """
        if self._closed:
            return
        self._closed = True
        atexit.unregister(self.close)
        self._arrivals.frames.close()
        if not self._worker.stop(CLOSE_S):
            _LOG.warning("camera %s: the driver is blocked, it is released later", self._id)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _new_worker(self) -> Worker:
        return Worker(self._open_feed, self._arrivals, self._options, self._clock, self._kept)

    def _first_info(self) -> CameraInfo:
        """Wait for the first frame, or the reason why there is none."""
        timeout_s = self._options.open_timeout_s
        self._arrivals.wait(timeout_s)
        info, problem = self._arrivals.info, self._arrivals.problem
        if info is not None:
            return info
        if problem is None:
            raise CameraError(f"camera {self._id}: no frame within {timeout_s:g} s of opening")
        raise self._arrivals.error(problem) from problem

    def _developed(self, raw: RawFrame) -> ImageU8 | None:
        """Return the frame's pixels, None if they cannot be had."""
        if raw.jpeg is None:
            return raw.pixels
        try:
            pixels = self._decoder.decode(raw.jpeg)
        except DamagedFrameError:
            self._note_damage()
            return None
        self._damaged_since_ns = None
        return pixels

    def _note_damage(self) -> None:
        """Count a damaged frame; nothing but such frames is a lost camera."""
        self._kept.stats.add(damaged=1)
        now_ns = self._clock.now_ns()
        if self._damaged_since_ns is None:
            self._damaged_since_ns = now_ns
        if now_ns - self._damaged_since_ns > self._options.stall_s * 1e9:
            self._damaged_since_ns = None
            self._worker.complain(f"only damaged frames for {self._options.stall_s:g} s")

    def _silence(self, timeout_s: float) -> CameraError:
        """Return why there was no frame; replaces a reader whose driver does not come back."""
        if self._closed:
            return CameraError(f"camera {self._id}: the camera is closed")
        if self._worker.stuck_s > STUCK_S and self._stuck < MAX_STUCK:
            self._stuck += 1
            self._worker.stop(0)
            self._worker = self._new_worker()
            self._worker.start()
        problem = self._arrivals.problem
        if problem is None:
            return CameraError(f"camera {self._id}: no new frame within {timeout_s:g} s")
        return self._arrivals.error(problem)
