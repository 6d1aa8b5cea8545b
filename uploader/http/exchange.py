"""One request, one answer, or one typed error: what every client of this package is built on.

The transport is called without ``httpx.Client`` around it: so there is no redirect to follow, no
environment to trust, no cookie to keep, and no log line with a URL.
"""

from __future__ import annotations

import platform
import uuid
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib import metadata
from typing import Any, Final, Self

import httpx

from uploader.clock import DeliveryClock, SystemDeliveryClock
from uploader.errors import (
    ConnectError,
    ConnectionLostError,
    ConnectTimeoutError,
    Context,
    MalformedAnswerError,
    OversizedAnswerError,
    ProxyRefusedError,
    ReadTimeoutError,
    TotalTimeoutError,
    UploaderError,
    WriteTimeoutError,
)
from uploader.http.answers import Answer
from uploader.http.credentials import Credential
from uploader.http.network_options import NetworkOptions
from uploader.http.redaction import masked, masked_bytes
from uploader.http.transport import Deadline, DeadlineTransport
from uploader.options import option, options
from uploader.plain_text import shown

CLIENT_REQUEST_ID: Final = "client-request-id"


@options
class Timeouts:
    """How long each part of one attempt may take."""

    connect_s: float = option(5.0, unit="s", low=0.1, high=60.0, why="TCP and TLS each")
    write_s: float = option(30.0, unit="s", low=0.1, high=600.0, why="one piece of the body")
    read_s: float = option(
        60.0, unit="s", low=0.1, high=600.0, why="real answers took 0.7 to 2 s; a cold model more"
    )
    total_s: float = option(
        120.0, unit="s", low=0.1, high=3600.0, why="25 MB at 2 Mbit/s take 100 s"
    )


@options
class HttpOptions(NetworkOptions):
    """How the service is spoken to."""

    timeouts: Timeouts = field(default_factory=Timeouts)
    max_answer_bytes: int = option(
        1 << 20, unit="bytes", low=1024, high=1 << 28, why="a decision has under 1 KB"
    )


@dataclass(frozen=True, slots=True)
class Call:
    """One request as it goes out."""

    method: str
    url: str
    content: bytes = field(default=b"", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    client_request_id: str | None = None
    """None: a new GUID."""
    max_answer_bytes: int | None = None


class Exchange:
    """Sends one call at a time; not for use by several threads."""

    def __init__(
        self,
        options: HttpOptions | None = None,
        *,
        transport: httpx.BaseTransport | None = None,
        clock: DeliveryClock | None = None,
    ) -> None:
        self.options = options or HttpOptions()
        self.clock: DeliveryClock = clock or SystemDeliveryClock()
        self._deadline = Deadline(self.clock)
        self._transport = transport or DeadlineTransport(self._deadline, self.options)

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def send(self, call: Call, credential: Credential | None = None) -> Answer:
        """Make one attempt; any status is an answer, anything else a typed error."""
        request_id = call.client_request_id or str(uuid.uuid4())
        request = self._request(call, request_id, credential)
        started_s = self.clock.monotonic_s()
        self._deadline.start(self.options.timeouts.total_s)
        context = Context(client_request_id=request_id)
        try:
            response = self._transport.handle_request(request)
            try:
                body = self._body(response, call.max_answer_bytes, context)
            finally:
                response.close()
        except httpx.HTTPError as error:
            raise self._typed(error, context) from error
        latency_ms = round((self.clock.monotonic_s() - started_s) * 1000)
        # A peer that repeats our request in its error must not bring the secret into a log.
        secret = credential.reveal() if credential else ""
        headers = {n.lower(): masked(v, secret) for n, v in response.headers.items()}
        body = masked_bytes(body, secret)
        return Answer(response.status_code, headers, body, request_id, latency_ms)

    def _request(self, call: Call, request_id: str, credential: Credential | None) -> httpx.Request:
        headers = {
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": user_agent(),
            CLIENT_REQUEST_ID: request_id,
            f"x-ms-{CLIENT_REQUEST_ID}": request_id,
            **call.headers,
            **(credential.headers() if credential else {}),
        }
        times = self.options.timeouts
        limits = {
            "connect": times.connect_s,
            "write": times.write_s,
            "read": times.read_s,
            "pool": times.connect_s,
        }
        return httpx.Request(
            call.method,
            call.url,
            headers=headers,
            content=call.content if call.method in {"POST", "PUT"} else None,
            extensions={"timeout": limits},
        )

    def _body(self, response: httpx.Response, limit: int | None, context: Context) -> bytes:
        cap = limit or self.options.max_answer_bytes
        context = Context(response.status_code, client_request_id=context.client_request_id)
        declared = response.headers.get("content-length", "")
        if declared.isascii() and declared.isdigit() and int(declared[:20]) > cap:
            raise _oversized(f"announces {int(declared[:20])} bytes", cap, context)
        encoding = response.headers.get("content-encoding", "identity").strip().lower()
        pieces = bytearray()
        if not isinstance(response.stream, httpx.SyncByteStream):
            raise TypeError("a synchronous transport is needed")
        for piece in _decoded(iter(response.stream), encoding, cap, context):
            pieces += piece
            if len(pieces) > cap:
                raise _oversized("is longer", cap, context)
            if self._deadline.passed:
                raise TotalTimeoutError(self._too_long(), context)
        return bytes(pieces)

    def _too_long(self) -> str:
        return f"the attempt took more than {self.options.timeouts.total_s:g} s"

    def _typed(self, error: httpx.HTTPError, context: Context) -> UploaderError:
        times = self.options.timeouts
        if isinstance(error, httpx.TimeoutException) and self._deadline.passed:
            return TotalTimeoutError(self._too_long(), context)
        named: list[tuple[type[httpx.HTTPError], type[UploaderError], str]] = [
            (httpx.ConnectTimeout, ConnectTimeoutError, f"no connection in {times.connect_s:g} s"),
            (httpx.PoolTimeout, ConnectTimeoutError, "no free connection"),
            (httpx.WriteTimeout, WriteTimeoutError, f"not taken within {times.write_s:g} s"),
            (httpx.ReadTimeout, ReadTimeoutError, f"no answer within {times.read_s:g} s"),
            (httpx.ConnectError, ConnectError, "the service cannot be reached"),
            (httpx.ProxyError, ProxyRefusedError, "the proxy refuses"),
            (httpx.NetworkError, ConnectionLostError, "the connection broke off"),
            (httpx.LocalProtocolError, ConnectionLostError, "the request could not be sent"),
        ]
        detail = shown(str(error), 120)
        for kind, ours, text in named:
            if isinstance(error, kind):
                timed = isinstance(error, httpx.TimeoutException) or not detail
                return ours(text if timed else f"{text}: {detail}", context)
        if isinstance(error, httpx.RemoteProtocolError) and _hung_up(detail):
            return ConnectionLostError(f"the service hung up: {detail}", context)
        return MalformedAnswerError(f"the answer is no valid HTTP: {detail}", context)


def user_agent() -> str:
    """Return ``facelight/VERSION (SYSTEM)``."""
    try:
        version = metadata.version("facelight")
    except metadata.PackageNotFoundError:
        version = "0"
    return f"facelight/{version} ({platform.system() or 'unknown'})"


def _hung_up(detail: str) -> bool:
    """Tell a peer that closed early from one that talks nonsense, by h11's own words."""
    return "disconnected" in detail or "peer closed connection" in detail


def _oversized(what: str, cap: int, context: Context) -> OversizedAnswerError:
    return OversizedAnswerError(f"the answer {what}; at most {cap} bytes are taken", context)


def _decoded(raw: Iterator[bytes], encoding: str, cap: int, context: Context) -> Iterator[bytes]:
    """Yield the decoded body in bounded pieces; a bomb is given up at the cap.

    We ask for no compression, so only a peer that ignores the request sends any.
    """
    if encoding in {"", "identity"}:
        yield from raw
        return
    if encoding not in {"gzip", "x-gzip", "deflate"}:
        raise MalformedAnswerError(f"content encoding {shown(encoding, 40)!r}", context)
    inflater: Any = zlib.decompressobj(wbits=47)
    try:
        for piece in raw:
            yield inflater.decompress(piece, cap + 1)
            if inflater.unconsumed_tail:
                raise _oversized("unpacks to more", cap, context)
        yield inflater.flush()
    except zlib.error as error:
        raise MalformedAnswerError("the compressed answer is damaged", context) from error
    if not inflater.eof:
        raise MalformedAnswerError("the compressed answer is cut off", context)
