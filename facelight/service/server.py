"""Running the service: in a thread of this process, on a socket that it has bound itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

from starlette.types import ASGIApp, Receive, Scope, Send

from capture.clock import Clock
from facelight.service.app import Service
from facelight.service.errors import ServeError
from facelight.service.faults import Fault, parse_fault
from facelight.service.options import DEFAULT_KEY, ServiceOptions
from facelight.service.responses import TRANSPORT
from facelight.thread_server import START_S, StrictProtocol, ThreadServer, listening_socket

LOOPBACK = "127.0.0.1"
_JUDGE_S = 0.3
"""For a thread that judges, to come to its next frame."""
_GRACE_S = 0.5
"""For requests under way; with it the service ends within a second."""


class LocalService:
    """A service on loopback for as long as the ``with`` block lasts.

    ``faults`` takes specifications (``"429:0.3"``) or ``Fault`` objects. ``key`` and ``faults``
    replace those of ``options``, in which everything else can be set.

    Raises
    ------
    ServeError
        on entering: the address is taken or not ours, or the service does not start.
    FaultError
        a specification that cannot be meant.
    """

    def __init__(
        self,
        key: str = DEFAULT_KEY,
        faults: Sequence[str | Fault] = (),
        *,
        options: ServiceOptions | None = None,
        clock: Clock | None = None,
        host: str = LOOPBACK,
        port: int = 0,
    ) -> None:
        read = tuple(parse_fault(f) if isinstance(f, str) else f for f in faults)
        self._service = Service(replace(options or ServiceOptions(), key=key, faults=read), clock)
        self._address = (host, port)
        self._server: ThreadServer | None = None
        self._url = ""
        self.idle = True
        """False after `close` while a thread is still inside a decoder or the tracker."""

    @property
    def url(self) -> str:
        """``http://HOST:PORT``, without a slash at its end."""
        if not self._url:
            raise ServeError("the service is not running: use it in a with block")
        return self._url

    def __enter__(self) -> Self:
        try:
            listener = listening_socket(*self._address)
        except OSError as error:
            host, port = self._address
            raise ServeError(f"cannot listen on {host}:{port}: {error}") from None
        host, port = listener.getsockname()[:2]
        self._server = ThreadServer(
            self._service.application(),
            listener,
            name="facelight-service",
            grace_s=_GRACE_S,
            http=_Protocol,
        )
        if not self._server.start():
            self.close()
            raise ServeError(f"the service did not start within {START_S:.0f} s")
        self._url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        return self

    def check(self) -> None:
        """Raise ServeError when the service has ended by itself."""
        if self._server is None or not self._server.alive:
            raise ServeError("the service has ended unexpectedly")

    def close(self) -> None:
        """End the service; requests under way get half a second. Idempotent."""
        server, self._server = self._server, None
        self._url = ""
        if server is not None:
            server.close()
            self.idle = self._service.idle(_JUDGE_S)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class _Protocol(StrictProtocol):
    """HTTP/1.1 that hands its transport to the application, for injected drops."""

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self.app = _WithTransport(self.app, transport)


class _WithTransport:
    def __init__(self, app: Any, transport: Any) -> None:
        self._app: ASGIApp = app
        self._transport = transport

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope.setdefault("extensions", {})[TRANSPORT] = self._transport
        await self._app(scope, receive, send)
