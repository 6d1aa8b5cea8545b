"""An HTTP server in a thread of this process, on a socket that was bound before."""

from __future__ import annotations

import socket
import threading
from typing import Any, Final, cast

import h11
import uvicorn
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

_TWO_LENGTHS: Final = PlainTextResponse(
    "Content-Length and Transfer-Encoding exclude each other.", 400, {"connection": "close"}
)
START_S = 30.0
STOP_S = 30.0


class ThreadServer:
    """Serves an ASGI application from ``start`` until ``close``.

    Parameters
    ----------
    application : an ASGI application.
    listener : bound and listening; closed by the server.
    name : of the thread.
    grace_s : how long requests under way may take once the end is asked for.
    http : a protocol class below `StrictProtocol`; None for that itself.
    """

    def __init__(
        self,
        application: Any,
        listener: socket.socket,
        *,
        name: str,
        grace_s: float = 3.0,
        http: Any = None,
    ) -> None:
        config = uvicorn.Config(
            application,
            http=http or StrictProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=cast("int", grace_s),  # any number of seconds will do
        )
        self._listener = listener
        self._server = _Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [listener]}, name=name, daemon=True
        )

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._thread.is_alive()

    @property
    def busy(self) -> bool:
        """Whether a request is under way."""
        return bool(self._server.server_state.tasks)

    def start(self) -> bool:
        """Start and return whether it listens within `START_S`."""
        self._thread.start()
        return self._server.listening.wait(START_S)

    def close(self, timeout_s: float = STOP_S) -> None:
        """End; requests under way get their grace. Idempotent."""
        self._server.should_exit = True
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        else:
            self._listener.close()


class StrictProtocol(H11Protocol):
    """HTTP/1.1 in which every request has one answer."""

    def connection_made(self, transport: Any) -> None:
        """Take a new connection."""
        super().connection_made(transport)
        self.app = _OneLength(self.app)

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP, but never beside another answer to the same request."""
        cycle: Any = self.cycle  # None before the first request, whatever its type says
        idle = self.conn.our_state is h11.IDLE  # an answer that begins then is the next one's
        begun = cycle is not None and cycle.response_started and not idle
        if cycle is not None:
            cycle.disconnected = True  # whatever the application says now goes nowhere
            cycle.message_event.set()
        if begun:
            self.transport.close()
        else:
            super().send_400_response(msg)


class _OneLength:
    """Refuses a request whose length is told in two ways, and ends its connection.

    RFC 9112, 6.3: an attempt at smuggling; what follows on the connection is nobody's.
    """

    def __init__(self, app: Any) -> None:
        self._app: ASGIApp = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        names = {name for name, _ in scope["headers"]}
        ambiguous = {b"content-length", b"transfer-encoding"} <= names
        await (_TWO_LENGTHS if ambiguous else self._app)(scope, receive, send)


class _Server(uvicorn.Server):
    """Says when it listens, and leaves the process's signals alone."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()


def listening_socket(host: str, port: int) -> socket.socket:
    """Return a TCP socket that listens there and nowhere else.

    Raises
    ------
    OSError
        the address is taken, not ours or no address.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        if hasattr(socket, "SO_EXCLUSIVEADDRUSE"):
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(128)
    except OverflowError as error:
        listener.close()
        raise OSError(str(error)) from error
    except OSError:
        listener.close()
        raise
    return listener
