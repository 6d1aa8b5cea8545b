"""The network under httpx: every wait also ends at the attempt's own deadline.

httpx's timeouts bound a single read or write, so a peer that trickles can hold an attempt for
ever. Each operation's timeout is therefore cut to what is left of the deadline, name resolution's
too.
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import Iterable, Iterator
from typing import Any, Final

import httpcore
import httpx

from uploader.clock import DeliveryClock
from uploader.http.network_options import NetworkOptions, Proxy, proxy_for, tls_context
from uploader.http.resolver import resolve

_WRITE_CHUNK: Final = 64 * 1024
"""The deadline is looked at between chunks; httpcore alone would send 25 MB in one call."""

_ERRORS: tuple[tuple[type[Exception], type[httpx.TransportError]], ...] = (
    (httpcore.ConnectTimeout, httpx.ConnectTimeout),
    (httpcore.ReadTimeout, httpx.ReadTimeout),
    (httpcore.WriteTimeout, httpx.WriteTimeout),
    (httpcore.PoolTimeout, httpx.PoolTimeout),
    (httpcore.ConnectError, httpx.ConnectError),
    (httpcore.ProxyError, httpx.ProxyError),
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

    def sooner(self, timeout_s: float | None) -> Deadline:
        """Return a deadline that ends after ``timeout_s``, or with this one."""
        other = Deadline(self._clock)
        other.start(self.cut(timeout_s, httpcore.ConnectTimeout))
        return other

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
        end = self._deadline.sooner(timeout)
        failed: httpcore.ConnectError | httpcore.ConnectTimeout | None = None
        for address in resolve(host, port, end.cut(None, httpcore.ConnectTimeout)):
            try:
                left_s = end.cut(None, httpcore.ConnectTimeout)
                inner = self._inner.connect_tcp(
                    address, port, left_s, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failed = error
                continue
            return _Stream(inner, self._deadline)
        raise failed or httpcore.ConnectError(f"{host}: no address")


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
    """HTTP/1.1 over a small pool for each way there is: direct, or by a proxy; no retries.

    Raises
    ------
    EndpointError
        a file of certificates or the address of a proxy cannot be used.
    """

    def __init__(self, deadline: Deadline, network: NetworkOptions | None = None) -> None:
        # At DEBUG httpcore logs every header of an answer as it comes, whatever it repeats.
        logger = logging.getLogger("httpcore")
        logger.setLevel(max(logger.level, logging.INFO))
        self._network = network or NetworkOptions()
        self._deadline = deadline
        self._tls = tls_context(self._network)
        self._pools: dict[Proxy | None, httpcore.ConnectionPool] = {}
        if self._network.proxy is not None:
            proxy_for(self._network, "https", "")  # what is wrong with it is said at once

    def _pool(self, url: httpx.URL) -> httpcore.ConnectionPool:
        proxy = proxy_for(self._network, url.scheme, url.host)
        if proxy not in self._pools:
            self._pools[proxy] = self._new_pool(proxy)
        return self._pools[proxy]

    def _new_pool(self, proxy: Proxy | None) -> httpcore.ConnectionPool:
        shared: dict[str, Any] = {
            "ssl_context": self._tls,
            "max_connections": 4,
            "max_keepalive_connections": 1,
            "keepalive_expiry": 5.0,
            "http1": True,
            "http2": False,
            "retries": 0,
            "network_backend": _Backend(self._deadline),
        }
        if proxy is None:
            return httpcore.ConnectionPool(**shared)
        return httpcore.HTTPProxy(
            proxy.url,
            proxy_headers=proxy.headers(),
            proxy_ssl_context=self._tls if proxy.scheme == "https" else None,
            **shared,
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
            answer = self._pool(request.url).handle_request(core)
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
        for pool in self._pools.values():
            pool.close()


def _translated(error: Exception) -> httpx.TransportError:
    for core, ours in _ERRORS:
        if isinstance(error, core):
            return ours(str(error))
    raise TypeError(f"{type(error).__name__} is no error of httpcore") from error
