"""A camera that sends its frames as MJPEG over HTTP: in the local network, or another process.

Each part may carry ``X-Timestamp``: the frame's time in whole ns of CLOCK_MONOTONIC of *this*
machine, for senders that run on it. Anything else in that header (some cameras send seconds of
their own clock) is no such time, and the arrival of the part's first bytes counts. The answer's
header may carry ``X-Provenance: simulated`` or ``imported`` for frames that no camera has made.
"""

from __future__ import annotations

import re
import socket
from collections import deque
from dataclasses import dataclass
from urllib.parse import urlsplit

from capture.camera import Provenance
from capture.clock import Clock
from capture.errors import CameraError
from capture.live.options import LiveOptions
from capture.live.reading.feed import FeedFacts, RawFrame
from capture.live.reading.jpeg import whole_jpeg
from capture.live.stream.mjpeg_parts import StreamParser, StreamPart

STAMP_LIMIT_NS = 1_000_000_000
"""A sender that renders its frames may be late, but not by more than two slots of light."""

CONNECT_S = 1.5
SLICE_S = 0.25
"""How long a read waits: the reader looks after each whether it is to stop."""

_URL = re.compile(r"http://[\x21-\x7e]+")
_RECEIVE_BYTES = 1 << 18


@dataclass(frozen=True, slots=True)
class Address:
    """Where a stream is."""

    host: str
    port: int
    target: str

    @property
    def authority(self) -> str:
        """Host and port as HTTP writes them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == 80 else f"{host}:{self.port}"


def parse_url(url: str) -> Address:
    """Return the address of a stream.

    Raises
    ------
    CameraError
        another scheme, no host, a password, or characters that no URL has.
    """
    problem = f"camera {url}: expected http://HOST[:PORT]/PATH"
    if not _URL.fullmatch(url):
        raise CameraError(problem)
    try:
        parts = urlsplit(url)
        port = parts.port or 80
    except ValueError as error:
        raise CameraError(f"{problem}: {error}") from error
    if not parts.hostname:
        raise CameraError(problem)
    if parts.username is not None:
        raise CameraError("camera http://...: expected an address without user and password")
    target = parts.path or "/"
    return Address(parts.hostname, port, f"{target}?{parts.query}" if parts.query else target)


def open_http(url: str, options: LiveOptions, clock: Clock) -> HttpFeed:
    """Connect to a stream and ask for it.

    Raises
    ------
    CameraError
        no connection within 1.5 s.
    """
    address = parse_url(url)
    request = (
        f"GET {address.target} HTTP/1.0\r\nHost: {address.authority}\r\n"
        "Accept: multipart/x-mixed-replace\r\nUser-Agent: facelight\r\nConnection: close\r\n\r\n"
    )
    try:
        connection = socket.create_connection((address.host, address.port), CONNECT_S)
    except OSError as error:
        raise CameraError(f"cannot be reached: {error.strerror or error}") from error
    try:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(request.encode("ascii"))
    except OSError as error:
        connection.close()
        raise CameraError(f"cannot be reached: {error.strerror or error}") from error
    return HttpFeed(connection, options, clock)


class HttpFeed:
    """The frames of one connection."""

    def __init__(self, connection: socket.socket, options: LiveOptions, clock: Clock) -> None:
        self._socket = connection
        self._socket.settimeout(SLICE_S)
        self._clock = clock
        self._parser = StreamParser(round(options.max_frame_mb * 1e6))
        self._waiting: deque[tuple[int, StreamPart]] = deque()
        self._part_ns: int | None = None

    @property
    def facts(self) -> FeedFacts:
        """What the sender says in its header."""
        headers = self._parser.headers
        details = {"backend": "MJPEG over HTTP"}
        if "server" in headers:
            details["server"] = headers["server"][:80]
        declared = headers.get("x-provenance", "").lower()
        honest = declared in {Provenance.SIMULATED, Provenance.IMPORTED}
        provenance = Provenance(declared) if honest else Provenance.CAMERA
        return FeedFacts(provenance=provenance, details=details)

    @property
    def stamp_limit_ns(self) -> int:
        """See `STAMP_LIMIT_NS`."""
        return STAMP_LIMIT_NS

    @property
    def stamp_source(self) -> str:
        """The sender."""
        return "sender"

    @property
    def controls(self) -> None:
        """A stream has none."""
        return

    def next(self) -> RawFrame | None:
        """Return the next frame, None when none was complete after a while."""
        deadline_ns = self._clock.now_ns() + round(SLICE_S * 1e9)
        while not self._waiting:
            if not self._receive() or self._clock.now_ns() >= deadline_ns:
                break
        if not self._waiting:
            return None
        first_ns, part = self._waiting.popleft()
        sent_ns = _sent_ns(part.headers.get("x-timestamp", ""))
        # the first bytes say more about the frame's time than the last: bright frames are longer
        return RawFrame(first_ns, sent_ns, whole_jpeg(part.body))

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def _receive(self) -> bool:
        """Take in what has come; False when there was nothing."""
        try:
            data = self._socket.recv(_RECEIVE_BYTES)
        except TimeoutError:
            return False
        except OSError as error:
            raise CameraError(f"the connection broke: {error.strerror or error}") from error
        if not data:
            raise CameraError("the sender closed the connection")
        now_ns = self._clock.now_ns()
        self._parser.feed(data)
        for part in self._parser.parts():
            self._waiting.append((self._part_ns or now_ns, part))
            self._part_ns = None
        if self._parser.inside and self._part_ns is None:
            self._part_ns = now_ns
        return True


def _sent_ns(text: str) -> int | None:
    """Return a sender's stamp; None for anything but a whole number of ns."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 19 else None
