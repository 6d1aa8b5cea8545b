"""The events' version, and their lines on stdout."""

from __future__ import annotations

import json
import logging
import sys
import threading
from typing import Any, TextIO

from capture.clock import Clock

EVENTS_VERSION = 1

_LOG = logging.getLogger(__name__)


class EventWriter:
    """Writes each event as one JSON line on stdout; for any thread.

    Who reads them may go away: the kiosk serves on, and says so once in the log.
    """

    def __init__(self, clock: Clock, stream: TextIO | None = None) -> None:
        self._clock = clock
        self._stream = sys.stdout if stream is None else stream
        self._lock = threading.Lock()
        self._broken = False

    def __call__(self, name: str, values: dict[str, Any]) -> None:
        """Write ``{"t_ms": ..., "event": name, ...}``."""
        line = json.dumps({"t_ms": self._clock.now_ns() // 1_000_000, "event": name} | values)
        with self._lock:
            if self._broken:
                return
            try:
                self._stream.write(line + "\n")
                self._stream.flush()
            except (OSError, ValueError) as error:  # a closed stream raises ValueError
                self._broken = True
                _LOG.warning("events are no longer written: %s", error)
