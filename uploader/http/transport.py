"""The network under httpx: every wait also ends at the attempt's own deadline.

httpx's timeouts bound a single read or write, so a peer that trickles can hold an attempt for
ever. Each operation's timeout is therefore cut to what is left of the deadline. Only name
resolution is left to the system's resolver and its own limits.
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import Iterable, Iterator
from typing import Any, Final

import httpcore
import httpx

from uploader.clock import DeliveryClock

_WRITE_CHUNK: Final = 64 * 1024
"""The deadline is looked at between chunks; httpcore alone would send 25 MB in one call."""

_ERRORS: tuple[tuple[type[Exception], type[httpx.TransportError]], ...] = (
    (httpcore.ConnectTimeout, httpx.ConnectTimeout),
    (httpcore.ReadTimeout, httpx.ReadTimeout),
    (httpcore.WriteTimeout, httpx.WriteTimeout),
    (httpcore.PoolTimeout, httpx.PoolTimeout),
    (httpcore.ConnectError, httpx.ConnectError),
    (httpcore.ReadError, httpx.ReadError),
    (httpcore.WriteError, httpx.WriteError),
    (httpcore.LocalProtocolError, httpx.LocalProtocolError),
    (httpcore.RemoteProtocolError, httpx.RemoteProtocolError),
    (httpcore.NetworkError, httpx.NetworkError),
    (httpcore.ProtocolError, httpx.ProtocolError),
)
_CORE_ERRORS = tuple(core for core, _ in _ERRORS)


class Deadline:
    """The moment at which the running attempt ends; one attempt at a time."""

    def __init__(self, clock: DeliveryClock) -> None:
        self._clock = clock
        self._end_s: float | None = None

    def start(self, total_s: float) -> None:
        """Begin an attempt that may take ``total_s``."""
        self._end_s = self._clock.monotonic_s() + total_s

    @property
    def passed(self) -> bool:
        """The running attempt is out of time."""
        return self._end_s is not None and self._clock.monotonic_s() >= self._end_s

    def cut(self, timeout_s: float | None, error: type[Exception]) -> float:
        """Return ``timeout_s`` or what is left, if less; raise ``error`` when nothing is left."""
        if self._end_s is None:
            raise RuntimeError("no attempt was started")
        left_s = self._end_s - self._clock.monotonic_s()
        if left_s <= 0:
            raise error("the attempt's deadline has passed")
        return left_s if timeout_s is None else min(timeout_s, left_s)


class _Stream(httpcore.NetworkStream):
    def __init__(self, inner: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._inner = inner
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._deadline.cut(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        view = memoryview(buffer)
        for start in range(0, len(view), _WRITE_CHUNK):
            left_s = self._deadline.cut(timeout, httpcore.WriteTimeout)
            self._inner.write(bytes(view[start : start + _WRITE_CHUNK]), left_s)

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        left_s = self._deadline.cut(timeout, httpcore.ConnectTimeout)
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, left_s), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class _Backend(httpcore.NetworkBackend):
    def __init__(self, deadline: Deadline) -> None:
        self._inner = httpcore.SyncBackend()
        self._deadline = deadline

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        left_s = self._deadline.cut(timeout, httpcore.ConnectTimeout)
        inner = self._inner.connect_tcp(host, port, left_s, local_address, socket_options)
        return _Stream(inner, self._deadline)


class _ResponseStream(httpx.SyncByteStream):
    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._inner
        except _CORE_ERRORS as error:
            raise _translated(error) from error

    def close(self) -> None:
        self._inner.close()


class DeadlineTransport(httpx.BaseTransport):
    """HTTP/1.1 over a small pool; no proxy or certificate from the environment, no retries."""

    def __init__(self, deadline: Deadline, ca_file: str | None = None) -> None:
        # At DEBUG httpcore logs every header of an answer as it comes, whatever it repeats.
        logger = logging.getLogger("httpcore")
        logger.setLevel(max(logger.level, logging.INFO))
        self._pool = httpcore.ConnectionPool(
            ssl_context=_tls(ca_file),
            max_connections=4,
            max_keepalive_connections=1,
            keepalive_expiry=5.0,
            http1=True,
            http2=False,
            retries=0,
            network_backend=_Backend(deadline),
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request; raises httpx's transport errors."""
        core = httpcore.Request(
            method=request.method,
            url=httpcore.URL(
                scheme=request.url.raw_scheme,
                host=request.url.raw_host,
                port=request.url.port,
                target=request.url.raw_path,
            ),
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        try:
            answer = self._pool.handle_request(core)
        except _CORE_ERRORS as error:
            raise _translated(error) from error
        return httpx.Response(
            status_code=answer.status,
            headers=answer.headers,
            stream=_ResponseStream(answer.stream),
            extensions=answer.extensions,
        )

    def close(self) -> None:
        """Close all connections."""
        self._pool.close()


def _tls(ca_file: str | None) -> ssl.SSLContext:
    context = httpx.create_ssl_context(trust_env=False)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_file is not None:
        context.load_verify_locations(cafile=ca_file)
    return context


def _translated(error: Exception) -> httpx.TransportError:
    for core, ours in _ERRORS:
        if isinstance(error, core):
            return ours(str(error))
    raise TypeError(f"{type(error).__name__} is no error of httpcore") from error
