"""An HTTP server in a thread of this process, on a socket that was bound before."""

from __future__ import annotations

import socket
import threading
from typing import Any

import uvicorn

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
    http : protocol class or its name, as uvicorn takes it.
    """

    def __init__(
        self,
        application: Any,
        listener: socket.socket,
        *,
        name: str,
        grace_s: int = 3,
        http: Any = "h11",
    ) -> None:
        config = uvicorn.Config(
            application,
            http=http,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=grace_s,
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
