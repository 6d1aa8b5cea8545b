"""What a reader thread has to tell, kept for the threads that ask."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass

from capture.camera import CameraInfo
from capture.errors import CameraError
from capture.live.reading.feed import FeedFacts, RawFrame
from capture.live.reading.mailbox import Mailbox
from capture.live.reading.stats import StatsCounter

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CameraIdentity:
    """Who a camera is, before it has been opened.

    Attributes
    ----------
    id : stable over replugging where the system has such a name.
    name : for people.
    """

    id: str
    name: str


@dataclass(frozen=True, slots=True, eq=False)
class Captured:
    """A new frame with its number and time, not decoded yet."""

    seq: int
    t_frame_ns: int
    raw: RawFrame


class Arrivals:
    """The newest frame, who the camera is, and what is wrong with it."""

    def __init__(self, identity: CameraIdentity, stats: StatsCounter) -> None:
        self._identity = identity
        self._stats = stats
        self._seq = 0
        self._info: CameraInfo | None = None
        self._problem: Exception | None = None
        self._changed = threading.Condition()
        self.frames: Mailbox[Captured] = Mailbox()

    @property
    def info(self) -> CameraInfo | None:
        """None until the first frame has come."""
        with self._changed:
            return self._info

    @property
    def problem(self) -> Exception | None:
        """Why no frames come at present."""
        with self._changed:
            return self._problem

    def wait(self, timeout_s: float) -> bool:
        """Wait for a frame or a problem; returns whether there was one of them in time."""
        with self._changed:
            return self._changed.wait_for(
                lambda: self._info is not None or self._problem is not None, timeout_s
            )

    def error(self, problem: Exception) -> CameraError:
        """Return a problem as an error that names the camera."""
        text, name = str(problem) or type(problem).__name__, self._identity.id
        return CameraError(text if name in text else f"camera {name}: {text}")

    def opened(self, facts: FeedFacts, size_wh: tuple[int, int]) -> None:
        """Take in that the camera delivers."""
        who = self._identity
        info = CameraInfo(who.id, who.name, size_wh, facts.fps, facts.provenance, facts.details)
        with self._changed:
            if self._problem is not None:
                _LOG.info("camera %s is back", who.id)
            self._info = info
            self._problem = None
            self._changed.notify_all()

    def came(self, raw: RawFrame, t_frame_ns: int) -> None:
        """Take in a new frame."""
        seq, self._seq = self._seq, self._seq + 1
        if self.frames.put(Captured(seq, t_frame_ns, raw)):
            self._stats.add(dropped=1)

    def lost(self, problem: Exception) -> None:
        """Take in that no frames come; an unread one is not shown any more."""
        if self.frames.empty():
            self._stats.add(dropped=1)
        with self._changed:
            if self._problem is None and self._info is not None:
                _LOG.warning("%s", self.error(problem))
            self._problem = problem
            self._changed.notify_all()
