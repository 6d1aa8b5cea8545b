"""The thread of a camera reader."""

from __future__ import annotations

import logging
import threading

from capture.clock import Clock
from capture.errors import CameraError
from capture.live.options import LiveOptions
from capture.live.reading.arrivals import Arrivals
from capture.live.reading.connection import Continuity
from capture.live.reading.feed import FeedFacts, OpenFeed, RawFrame
from capture.live.reading.read_loop import Reader

_LOG = logging.getLogger(__name__)


class Worker:
    """Runs a `Reader` until stopped; what it finds after that is thrown away.

    A driver can block for ever, and may not be released meanwhile (opencv/opencv#7275): then the
    thread is left behind, and releases the camera should the driver ever come back.
    """

    def __init__(
        self,
        open_feed: OpenFeed,
        arrivals: Arrivals,
        options: LiveOptions,
        clock: Clock,
        continuity: Continuity,
    ) -> None:
        self._arrivals = arrivals
        self._clock = clock
        self._reader = Reader(open_feed, self, options, clock, continuity)
        self._stopped = threading.Event()
        self._step_ns = clock.now_ns()
        self._thread = threading.Thread(target=self._run, name="facelight-camera", daemon=True)

    @property
    def stuck_s(self) -> float:
        """How long the current step has taken."""
        return (self._clock.now_ns() - self._step_ns) / 1e9

    def open_here(self) -> None:
        """Open the camera in the calling thread, before the own one has started."""
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
            self._arrivals.opened(facts, size_wh)

    def came(self, raw: RawFrame, t_frame_ns: int) -> None:
        """Pass on a new frame."""
        if not self._stopped.is_set():
            self._arrivals.came(raw, t_frame_ns)

    def lost(self, problem: CameraError) -> None:
        """Pass on that the camera is lost."""
        if not self._stopped.is_set():
            self._arrivals.lost(problem)

    def _run(self) -> None:
        try:
            while not self._stopped.is_set():
                self._step_ns = self._clock.now_ns()
                wait_s = self._reader.step()
                if wait_s > 0:
                    self._stopped.wait(wait_s)
        except Exception as error:  # noqa: BLE001 - logged, and told to whoever reads
            _LOG.exception("the camera reader has a fault of its own")
            self._arrivals.lost(error)
        finally:
            self._reader.close()
