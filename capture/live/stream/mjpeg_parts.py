"""MJPEG over HTTP as bytes come: answer, chunks, parts. No socket, so any split can be tested.

``multipart/x-mixed-replace`` was never standardised; cameras differ in dashes, in line ends and in
whether they say how long a part is (RFC 2046 section 5.1, RFC 9112 section 7.1 for chunks).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message

from capture.errors import CameraError

MAX_HEAD_BYTES = 16_384
MAX_LINES = 64
MAX_JUNK_BYTES = 65_536
"""Between two parts: some cameras send a text, or line ends."""

_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})(?: ([^\r\n]*))?\r?\n")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\n]{0,256})?\r?\n")


@dataclass(frozen=True, slots=True, eq=False)
class StreamPart:
    """One frame: header names in lower case."""

    headers: dict[str, str]
    body: bytes


class StreamParser:
    """Turns the bytes of one HTTP answer into parts.

    Parameters
    ----------
    max_part_bytes : a longer frame is refused.

    Raises
    ------
    CameraError
        from ``feed`` or ``parts``: not a multipart stream, or one that breaks its own rules or our
        limits. Nothing can be read after that.
    """

    def __init__(self, max_part_bytes: int) -> None:
        self._max = max_part_bytes
        self._buffer = bytearray()
        self._dechunker: _Dechunker | None = None
        self._parts: _PartParser | None = None
        self.headers: dict[str, str] = {}

    @property
    def started(self) -> bool:
        """Whether the answer's head has come and is that of a stream."""
        return self._parts is not None

    @property
    def inside(self) -> bool:
        """Whether a frame's header has come and its data have not all."""
        return self._parts is not None and self._parts.inside

    def feed(self, data: bytes) -> None:
        """Take in bytes as they come."""
        if self._parts is None:
            self._buffer += data
            if not self._read_head():
                return
            data = bytes(self._buffer)
            self._buffer.clear()
        if self._parts is not None:
            self._parts.feed(self._dechunker.feed(data) if self._dechunker else data)

    def parts(self) -> Iterator[StreamPart]:
        """Yield the frames that are complete."""
        while self._parts is not None and (part := self._parts.next_part()) is not None:
            yield part

    def _read_head(self) -> bool:
        end = re.search(rb"\r?\n\r?\n", self._buffer[:MAX_HEAD_BYTES])
        if end is None:
            if len(self._buffer) >= MAX_HEAD_BYTES:
                raise CameraError(f"no HTTP answer within {MAX_HEAD_BYTES} bytes")
            return False
        status = _STATUS.match(self._buffer)
        if status is None:
            shown = bytes(self._buffer[:20])
            raise CameraError(f"expected an HTTP answer, got {shown!r}")
        self.headers = _headers(bytes(self._buffer[status.end() : end.start()]))
        _check_status(int(status[1]))
        boundary = _boundary(self.headers.get("content-type", ""))
        if "chunked" in self.headers.get("transfer-encoding", "").lower():
            self._dechunker = _Dechunker()
        self._parts = _PartParser(boundary, self._max)
        del self._buffer[: end.end()]
        return True


class _PartParser:
    """The parts between boundaries."""

    def __init__(self, boundary: bytes, max_part_bytes: int) -> None:
        self._max = max_part_bytes
        self._token = boundary
        self._delimiter = re.compile(rb"\r?\n-{2,4}" + re.escape(boundary))
        self._buffer = bytearray()
        self._headers: dict[str, str] | None = None
        self._length: int | None = None
        self._scanned = 0
        self._junk = 0

    @property
    def inside(self) -> bool:
        return self._headers is not None

    def feed(self, data: bytes) -> None:
        self._buffer += data

    def next_part(self) -> StreamPart | None:
        if self._headers is None and not (self._find_boundary() and self._read_headers()):
            return None
        body = self._counted() if self._length is not None else self._delimited()
        if body is None:
            return None
        part = StreamPart(self._headers or {}, body)
        self._headers = None
        self._junk = 0
        return part

    def _find_boundary(self) -> bool:
        """Skip to the line of the boundary; it stays in the buffer until its headers are there."""
        while (end := self._buffer.find(b"\n", 0, MAX_JUNK_BYTES)) >= 0:
            line = bytes(self._buffer[:end]).strip()
            name = line.lstrip(b"-")
            if name == self._token and line != self._token:
                return True
            if name == self._token + b"--":
                raise CameraError("the sender ended the stream")
            self._junk += end + 1
            del self._buffer[: end + 1]
            if self._junk > MAX_JUNK_BYTES:
                break
        if self._junk + len(self._buffer) > MAX_JUNK_BYTES:
            raise CameraError(f"no boundary {self._token!r} within {MAX_JUNK_BYTES} bytes")
        return False

    def _read_headers(self) -> bool:
        start = self._buffer.find(b"\n") + 1
        end = re.search(rb"(?:^|\r?\n)\r?\n", self._buffer[start : start + MAX_HEAD_BYTES])
        if end is None:
            if len(self._buffer) - start >= MAX_HEAD_BYTES:
                raise CameraError(f"the header of a part is longer than {MAX_HEAD_BYTES} bytes")
            return False
        self._headers = _headers(bytes(self._buffer[start : start + end.start()]))
        del self._buffer[: start + end.end()]
        self._scanned = 0
        self._length = self._content_length(self._headers)
        return True

    def _content_length(self, headers: dict[str, str]) -> int | None:
        text = headers.get("content-length")
        if text is None:
            return None
        if not (text.isascii() and text.isdigit() and len(text) <= 12):
            raise CameraError(f"Content-Length: expected a number, got {text[:40]!r}")
        if int(text) > self._max:
            raise self._too_long(int(text))
        return int(text)

    def _counted(self) -> bytes | None:
        length = self._length or 0
        if len(self._buffer) < length:
            return None
        body = bytes(memoryview(self._buffer)[:length])
        del self._buffer[:length]
        return body

    def _delimited(self) -> bytes | None:
        """Look for the next boundary in what has not been searched yet."""
        found = self._delimiter.search(self._buffer, self._scanned)
        if found is None:
            self._scanned = max(0, len(self._buffer) - len(self._token) - 6)
            if len(self._buffer) > self._max + MAX_HEAD_BYTES:
                raise self._too_long(len(self._buffer))
            return None
        body = bytes(memoryview(self._buffer)[: found.start()])
        if len(body) > self._max:
            raise self._too_long(len(body))
        del self._buffer[: found.start()]
        return body

    def _too_long(self, length: int) -> CameraError:
        return CameraError(f"expected frames of at most {self._max} bytes, got {length}")


class _Dechunker:
    """Takes the chunks' lengths out; some cameras send chunks whatever they were asked for."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._left = 0

    def feed(self, data: bytes) -> bytes:
        self._buffer += data
        content = bytearray()
        while self._buffer:
            if self._left == 0 and not self._next_chunk():
                break
            piece = self._buffer[: self._left]
            content += piece
            del self._buffer[: len(piece)]
            self._left -= len(piece)
        return bytes(content)

    def _next_chunk(self) -> bool:
        start = next((i for i, byte in enumerate(self._buffer[:4]) if byte not in b"\r\n"), 4)
        head = _CHUNK.match(self._buffer, min(start, len(self._buffer)))
        if head is None:
            if len(self._buffer) > 300 or b"\n" in self._buffer[start:]:
                raise CameraError("expected the length of a chunk in the HTTP answer")
            return False
        self._left = int(head[1], 16)
        del self._buffer[: head.end()]
        if self._left == 0:
            raise CameraError("the sender ended the stream")
        return True


def _headers(block: bytes) -> dict[str, str]:
    headers: dict[str, str] = {}
    lines = block.splitlines()
    if len(lines) > MAX_LINES:
        raise CameraError(f"expected at most {MAX_LINES} header lines, got {len(lines)}")
    for line in lines:
        name, colon, value = line.decode("latin-1").partition(":")
        if not colon or not name.strip():
            raise CameraError(f"expected a header line 'Name: value', got {line[:40]!r}")
        headers[name.strip().lower()] = value.strip()
    return headers


def _check_status(status: int) -> None:
    if 300 <= status < 400:
        raise CameraError(f"HTTP {status}: redirects are not followed, give the final address")
    if status in {401, 403}:
        raise CameraError(f"HTTP {status}: the camera asks for a password, which is not supported")
    if status != 200:
        raise CameraError(f"HTTP {status}, expected 200")


def _boundary(content_type: str) -> bytes:
    message = Message()
    message["Content-Type"] = content_type
    if message.get_content_type() != "multipart/x-mixed-replace":
        shown = content_type[:60]
        raise CameraError(f"expected content of type multipart/x-mixed-replace, got '{shown}'")
    boundary = message.get_param("boundary")
    name = boundary.strip().lstrip("-") if isinstance(boundary, str) else ""
    if not (0 < len(name) <= 100 and name.isascii() and name.isprintable()):
        raise CameraError(f"expected a boundary in the content type, got '{content_type[:60]}'")
    return name.encode("ascii")
