"""Tells systemd that the kiosk works: not that it runs, but that it looks at new frames.

The protocol of sd_notify(3): a datagram of lines to the socket that ``NOTIFY_SOCKET`` names.
Without that variable nothing is sent.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Mapping

from capture.clock import Clock, SystemClock

_LOG = logging.getLogger(__name__)

PINGS_PER_PERIOD = 3


class ServiceManager:
    """To be told at every turn of the main loop how many frames have been judged so far.

    READY goes out with the first judged frame; WATCHDOG only when there were new ones since the
    last, three times a period. A camera that repeats itself, a tracker that hangs and a main loop
    that stands still are all noticed.

    Parameters
    ----------
    environment : instead of ``os.environ``: ``NOTIFY_SOCKET``, ``WATCHDOG_USEC``.
    """

    def __init__(
        self, environment: Mapping[str, str] | None = None, clock: Clock | None = None
    ) -> None:
        env = os.environ if environment is None else environment
        self._address = env.get("NOTIFY_SOCKET", "")
        period_us = env.get("WATCHDOG_USEC", "")
        self._gap_ns = int(period_us) * 1000 // PINGS_PER_PERIOD if period_us.isdigit() else 0
        self._clock = clock or SystemClock()
        self._looked = 0
        self._pinged_ns = 0

    def turn(self, looked: int) -> None:
        """Say what is due; ``looked`` counts judged frames since the start."""
        if not self._address or looked <= self._looked:
            return
        now_ns = self._clock.now_ns()
        if self._looked == 0:
            self._send("READY=1\nSTATUS=serving")
        elif not self._gap_ns or now_ns - self._pinged_ns < self._gap_ns:
            return
        else:
            self._send("WATCHDOG=1")
        self._looked, self._pinged_ns = looked, now_ns

    def stopping(self) -> None:
        """Say that the kiosk ends on request."""
        if self._address:
            self._send("STOPPING=1")

    def _send(self, text: str) -> None:
        # a leading @ stands for the null byte of Linux' abstract names
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
                channel.sendto(text.encode("ascii"), address)
        except (OSError, AttributeError) as error:
            _LOG.warning("NOTIFY_SOCKET %s cannot be reached: %s", self._address, error)
