"""A camera in the network, on this machine: serves JPEG frames, or whatever else it is told to."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Self

from tests.capture.live.fakes import jpeg

HEAD = b"HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\n\r\n"


def part(body: bytes, stamp: str | None = None) -> bytes:
    stamped = f"X-Timestamp: {stamp}\r\n".encode() if stamp is not None else b""
    head = b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n" % len(body)
    return head + stamped + b"\r\n" + body + b"\r\n"


def numbered(*, stamped: bool = True, head: bytes = HEAD) -> Iterator[bytes]:
    """An endless stream of different frames."""
    yield head
    made = [jpeg(i) for i in range(50)]
    number = 0
    while True:
        yield part(made[number % 50], str(time.monotonic_ns()) if stamped else None)
        number += 1


class StreamServer:
    """Sends to everybody who connects what ``say`` yields, a piece every ``interval_s``."""

    def __init__(
        self, say: Callable[[], Iterator[bytes]] = numbered, interval_s: float = 0.005
    ) -> None:
        self.say = say
        self.requests: list[bytes] = []
        self._interval_s = interval_s
        self._stop = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.settimeout(0.05)
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}/stream.mjpg?a=1"

    def hang_up(self) -> None:
        """End every connection; new ones are served."""
        old, self._stop = self._stop, threading.Event()
        old.set()

    def close(self) -> None:
        self._socket.close()
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except TimeoutError:
                if self._socket.fileno() < 0:
                    return
                continue
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(connection, self._stop))
            thread.start()
            self._threads.append(thread)

    def _serve(self, connection: socket.socket, stop: threading.Event) -> None:
        with connection:
            connection.settimeout(60)
            try:
                self.requests.append(connection.recv(4096))
                for piece in self.say():
                    connection.sendall(piece)
                    if stop.wait(self._interval_s):
                        return
                stop.wait(600)
            except OSError:
                return
