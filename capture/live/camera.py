"""`LiveCamera`: a camera that runs by itself, whose newest frame is there when it is asked for."""

from __future__ import annotations

import atexit
import logging
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Self

from capture.camera import CameraInfo, Provenance
from capture.clock import Clock, SystemClock
from capture.errors import CameraError
from capture.frame import Frame, ImageU8
from capture.live.desk import is_locked
from capture.live.feed import DamagedFrameError, FeedFacts, OpenFeed, RawFrame
from capture.live.jpeg import JpegDecoder
from capture.live.mailbox import Mailbox
from capture.live.options import LiveOptions
from capture.live.reader import Continuity, Reader
from capture.live.stats import CameraStats

if TYPE_CHECKING:
    from pydantic import JsonValue

_LOG = logging.getLogger(__name__)

CLOSE_S = 1.5
LOCK_S = 2.0
UNLOCK_S = 0.5
STUCK_S = 20.0
"""A driver that has not come back for this long never will: twice OpenCV's own 10 s."""

MAX_STUCK = 3


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a camera is, before it has been opened.

    Attributes
    ----------
    id : stable over replugging.
    name : for people.
    """

    id: str
    name: str


@dataclass(frozen=True, slots=True, eq=False)
class _Captured:
    seq: int
    t_frame_ns: int
    raw: RawFrame


class LiveCamera:
    """A `Camera` with one reader thread: the newest frame wins, drops and repeats are counted.

    When it is lost, ``read`` raises and ``lost`` is True while the thread goes on trying to open it
    again; then frames come as before, with later stamps and numbers. ``info.size_wh`` may have
    changed by that.

    ``read`` is for one thread at a time; ``lock``, ``unlock``, ``stats`` and ``close`` are for any.

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
        identity: Identity,
        options: LiveOptions | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._open_feed = open_feed
        self._identity = identity
        self._options = options or LiveOptions()
        self._clock = clock or SystemClock()
        self._kept = Continuity()
        self._mailbox: Mailbox[_Captured] = Mailbox()
        self._decoder = JpegDecoder()
        self._known = threading.Condition()
        self._info: CameraInfo | None = None
        self._problem: Exception | None = None
        self._seq = 0
        self._damaged_since_ns: int | None = None
        self._last_jpeg: bytes | None = None
        self._reading = threading.Lock()
        self._closed = False
        self._stuck = 0
        self._worker = self._start()
        atexit.register(self.close)
        self._await_first()

    @property
    def info(self) -> CameraInfo:
        """Id, name, true size, claimed rate."""
        with self._known:
            if self._info is None:
                raise CameraError(f"{self._identity.id}: the camera has not been opened")
            return self._info

    @property
    def stats(self) -> CameraStats:
        """Counts and the measured rate."""
        return self._kept.stats.snapshot()

    @property
    def lost(self) -> bool:
        """Whether no new frames come at present."""
        with self._known:
            return self._problem is not None

    @property
    def last_jpeg(self) -> bytes | None:
        """The camera's own bytes of the frame that ``read`` returned last; None without any."""
        return self._last_jpeg

    @property
    def controls(self) -> Mapping[str, JsonValue]:
        """What `lock` achieved; empty while nothing is locked."""
        return self._kept.desk.report

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
                captured = self._mailbox.take(left_s)
                if captured is None:
                    raise self._silence(timeout_s)
                pixels = self._developed(captured.raw)
                if pixels is not None:
                    raw = captured.raw
                    self._last_jpeg = raw.jpeg
                    self._kept.stats.add(delivered=1)
                    return Frame(captured.seq, captured.t_frame_ns, raw.t_received_ns, pixels)
                if left_s == 0:
                    raise self._silence(timeout_s)

    def lock(self) -> bool:
        """Freeze exposure, white balance and focus; False where one of the first two goes on.

        Takes some 10 frames and 2 s at most: the picture must stay as bright as it was.
        """
        done = not self._closed and self._kept.desk.ask(locked=True, timeout_s=LOCK_S)
        return done and is_locked(self._kept.desk.report)

    def unlock(self) -> None:
        """Give the controls back to the camera."""
        if not self._closed:
            self._kept.desk.ask(locked=False, timeout_s=UNLOCK_S)

    def close(self) -> None:
        """Restore the controls and release the camera, within 2 s.

        A driver that is blocked cannot be released from here: its thread does that as soon as it
        comes back, and ends.
        """
        if self._closed:
            return
        self._closed = True
        atexit.unregister(self.close)
        self._mailbox.close()
        if not self._worker.stop(CLOSE_S):
            _LOG.warning("camera %s: the driver is blocked, closing in the background", self._name)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def _name(self) -> str:
        return self._identity.id

    def _start(self) -> _Worker:
        worker = _Worker(self, self._open_feed, self._options, self._clock, self._kept)
        if sys.platform == "darwin" and self._info is None:
            worker.open_here()  # AVFoundation asks for permission, and hangs in other threads
        worker.start()
        return worker

    def _await_first(self) -> None:
        """Wait for the first frame, or the reason why there is none."""
        timeout_s = self._options.open_timeout_s
        with self._known:
            self._known.wait_for(lambda: self._info or self._problem, timeout_s)
            known, problem = self._info is not None, self._problem
        if known:
            return
        self.close()
        if problem is None:
            raise CameraError(f"{self._name}: no frame within {timeout_s:g} s of opening")
        raise self._told(problem) from problem

    def _told(self, problem: Exception) -> CameraError:
        text = str(problem)
        named = self._name in text
        return CameraError(text if named else f"{self._name}: {text}")

    def _developed(self, raw: RawFrame) -> ImageU8 | None:
        """Return the frame's pixels, None if they cannot be had."""
        if raw.jpeg is None:
            return raw.pixels
        try:
            pixels = self._decoder.decode(raw.jpeg)
        except DamagedFrameError:
            self._kept.stats.add(damaged=1)
            now_ns = self._clock.now_ns()
            since_ns = self._damaged_since_ns = self._damaged_since_ns or now_ns
            if now_ns - since_ns > self._options.stall_s * 1e9:
                self._damaged_since_ns = None
                self._worker.complain(f"only damaged frames for {self._options.stall_s:g} s")
            return None
        self._damaged_since_ns = None
        return pixels

    def _silence(self, timeout_s: float) -> CameraError:
        """Return why there was no frame; replaces a reader whose driver does not come back."""
        if self._closed:
            return CameraError(f"{self._name}: the camera is closed")
        if self._worker.stuck_s > STUCK_S and self._stuck < MAX_STUCK:
            self._stuck += 1
            self._worker.stop(0)
            self._worker = self._start()
        with self._known:
            problem = self._problem
        if problem is None:
            return CameraError(f"{self._name}: no new frame within {timeout_s:g} s")
        return self._told(problem)

    # what the reader thread reports

    def _on_opened(self, facts: FeedFacts, size_wh: tuple[int, int]) -> None:
        provenance = Provenance(facts.provenance)
        info = CameraInfo(
            self._identity.id, self._identity.name, size_wh, facts.fps, provenance, facts.details
        )
        with self._known:
            if self._info is not None:
                _LOG.info("camera %s is back", self._name)
            self._info = info
            self._problem = None
            self._known.notify_all()

    def _on_came(self, raw: RawFrame, t_frame_ns: int) -> None:
        seq, self._seq = self._seq, self._seq + 1
        if self._mailbox.put(_Captured(seq, t_frame_ns, raw)):
            self._kept.stats.add(dropped=1)

    def _on_lost(self, problem: Exception) -> None:
        if self._mailbox.empty():
            self._kept.stats.add(dropped=1)
        with self._known:
            if self._problem is None:
                _LOG.warning("camera %s is lost: %s", self._name, problem)
            self._problem = problem
            self._known.notify_all()


class _Worker:
    """The thread of a reader; what it finds after `stop` is thrown away."""

    def __init__(
        self,
        camera: LiveCamera,
        open_feed: OpenFeed,
        options: LiveOptions,
        clock: Clock,
        continuity: Continuity,
    ) -> None:
        self._camera = camera
        self._clock = clock
        self._reader = Reader(open_feed, self, options, clock, continuity)
        self._stopped = threading.Event()
        self._beat_ns = clock.now_ns()
        self._thread = threading.Thread(target=self._run, name="camera reader", daemon=True)

    @property
    def stuck_s(self) -> float:
        """How long the current step has taken."""
        return (self._clock.now_ns() - self._beat_ns) / 1e9

    def open_here(self) -> None:
        """Open the camera in the calling thread."""
        self._reader.step()

    def start(self) -> None:
        """Start reading."""
        self._thread.start()

    def stop(self, timeout_s: float) -> bool:
        """Stop it; returns whether it has ended within ``timeout_s``."""
        self._stopped.set()
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def complain(self, problem: str) -> None:
        """Ask for a new connection."""
        self._reader.complain(problem)

    def opened(self, facts: FeedFacts, size_wh: tuple[int, int]) -> None:
        """Pass on that the camera delivers."""
        if not self._stopped.is_set():
            self._camera._on_opened(facts, size_wh)

    def came(self, raw: RawFrame, t_frame_ns: int) -> None:
        """Pass on a new frame."""
        if not self._stopped.is_set():
            self._camera._on_came(raw, t_frame_ns)

    def lost(self, problem: CameraError) -> None:
        """Pass on that the camera is lost."""
        if not self._stopped.is_set():
            self._camera._on_lost(problem)

    def _run(self) -> None:
        try:
            while not self._stopped.is_set():
                self._beat_ns = self._clock.now_ns()
                wait_s = self._reader.step()
                if wait_s > 0:
                    self._stopped.wait(wait_s)
        except Exception as error:  # noqa: BLE001 - told to whoever reads, as a fault of ours
            self._camera._on_lost(error)
        finally:
            self._reader.close()
