"""Running the service: in a thread of this process, on a socket that it has bound itself."""

from __future__ import annotations

import socket
import threading
from collections.abc import Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from capture.clock import Clock
from facelight.service.app import Service
from facelight.service.errors import ServeError
from facelight.service.faults import Fault, parse_fault
from facelight.service.options import DEFAULT_KEY, ServiceOptions
from facelight.service.responses import TRANSPORT

LOOPBACK = "127.0.0.1"
_START_S = 30.0
_STOP_S = 30.0
_GRACE_S = 3


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
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None
        self._url = ""

    @property
    def url(self) -> str:
        """``http://HOST:PORT``, without a slash at its end."""
        if not self._url:
            raise ServeError("the service is not running: use it in a with block")
        return self._url

    def __enter__(self) -> Self:
        listener = _bind(*self._address)
        config = uvicorn.Config(
            self._service.application(),
            http=_Protocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=_GRACE_S,
        )
        self._server = _Server(config)
        self._thread = threading.Thread(
            target=self._server.run,
            kwargs={"sockets": [listener]},
            name="facelight-service",
            daemon=True,
        )
        host, port = listener.getsockname()[:2]
        self._thread.start()
        if not self._server.listening.wait(_START_S):
            self.close()
            raise ServeError(f"the service did not start within {_START_S:.0f} s")
        self._url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        return self

    def check(self) -> None:
        """Raise ServeError when the service has ended by itself."""
        if self._thread is None or not self._thread.is_alive():
            raise ServeError("the service has ended unexpectedly")

    def close(self) -> None:
        """End the service; requests under way get a few seconds. Idempotent."""
        server, self._server = self._server, None
        thread, self._thread = self._thread, None
        self._url = ""
        if server is not None:
            server.should_exit = True
        if thread is not None:
            thread.join(_STOP_S)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class _Server(uvicorn.Server):
    """Says when it listens, and leaves the process's signals alone."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()


class _Protocol(H11Protocol):
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


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        if hasattr(socket, "SO_EXCLUSIVEADDRUSE"):
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(128)
    except (OSError, OverflowError) as error:
        listener.close()
        raise ServeError(f"cannot listen on {host}:{port}: {error}") from None
    return listener
