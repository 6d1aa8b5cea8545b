"""A service made of a bare socket: it can break in every way that a network and a server can."""

from __future__ import annotations

import contextlib
import gzip
import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from uploader.http.endpoint import Endpoint

NEVER_S = 600
"""Longer than any time limit of a test."""

Play = Callable[["Talk"], None]
GOOD = json.dumps({"livenessDecision": "realface", "modelVersionUsed": "v"}).encode()


class Talk:
    """One connection."""

    def __init__(self, connection: socket.socket, released: threading.Event) -> None:
        self.connection = connection
        self.released = released
        self.head = b""
        self.body = b""

    def read_head(self) -> None:
        data = b""
        while b"\r\n\r\n" not in data:
            piece = self.connection.recv(65536)
            if not piece:
                break
            data += piece
        self.head, _, self.body = data.partition(b"\r\n\r\n")

    def read(self) -> None:
        self.read_head()
        while len(self.body) < self.length:
            piece = self.connection.recv(65536)
            if not piece:
                break
            self.body += piece

    @property
    def length(self) -> int:
        return int(self.headers.get("content-length", "0"))

    @property
    def headers(self) -> dict[str, str]:
        lines = self.head.decode("latin-1").split("\r\n")[1:]
        return {k.lower(): v for k, _, v in (line.partition(": ") for line in lines)}

    def send(self, data: bytes) -> None:
        with contextlib.suppress(OSError):
            self.connection.sendall(data)

    def outlast(self) -> None:
        """Say nothing until the other side hangs up."""
        self.connection.settimeout(NEVER_S)
        while self.connection.recv(65536):
            pass

    def reset(self) -> None:
        """Break off with RST."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()


class SocketService:
    """Plays one script step for each connection; the last step repeats."""

    def __init__(self, *script: Play, on_request: Callable[[], None] = lambda: None) -> None:
        self._script = list(script)
        self._on_request = on_request
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._released = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self.talks: list[Talk] = []
        self.endpoint = Endpoint(f"http://127.0.0.1:{self._listener.getsockname()[1]}")

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            talk = Talk(connection, self._released)
            step = self._script.pop(0) if len(self._script) > 1 else self._script[0]
            self.talks.append(talk)
            self._on_request()
            with contextlib.suppress(OSError):
                step(talk)
            connection.close()

    @property
    def bodies(self) -> list[bytes]:
        return [talk.body for talk in self.talks]

    def close(self) -> None:
        self._released.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def start(self) -> SocketService:
        self._thread.start()
        return self


@contextmanager
def serving(
    *script: Play, on_request: Callable[[], None] = lambda: None
) -> Iterator[SocketService]:
    service = SocketService(*script, on_request=on_request).start()
    try:
        yield service
    finally:
        service.close()


def raw(status: int, headers: Mapping[str, str], body: bytes) -> bytes:
    lines = [f"HTTP/1.1 {status} X", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def answer(status: int = 200, body: bytes = GOOD, **headers: str) -> Play:
    """Read all, answer, close."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    whole = {"Content-Length": str(len(body)), "Connection": "close", "apim-request-id": "rq"}

    def play(talk: Talk) -> None:
        talk.read()
        talk.send(raw(status, whole | named, body))

    return play


def message(status: int, text: str, **headers: str) -> Play:
    return answer(status, json.dumps({"error": {"code": "X", "message": text}}).encode(), **headers)


def close_before(talk: Talk) -> None:
    talk.reset()


def close_during(talk: Talk) -> None:
    talk.read_head()
    talk.reset()


def close_after(talk: Talk) -> None:
    talk.read()


def half_answer(talk: Talk) -> None:
    talk.read()
    talk.send(raw(200, {"Content-Length": str(len(GOOD))}, GOOD[:20]))


def half_head(talk: Talk) -> None:
    talk.read()
    talk.send(b"HTTP/1.1 200 OK\r\nContent-")


def stall(talk: Talk) -> None:
    talk.read()
    talk.outlast()


def stall_in_body(talk: Talk) -> None:
    talk.read()
    talk.send(raw(200, {"Content-Length": str(len(GOOD))}, GOOD[:20]))
    talk.outlast()


def never_read(talk: Talk) -> None:
    talk.released.wait(NEVER_S)


def trickle(talk: Talk) -> None:
    """Send a byte of an endless header now and then: no single wait is ever long."""
    talk.read()
    talk.send(b"HTTP/1.1 200 OK\r\nX-Long: ")
    while not talk.released.wait(0.02):
        talk.connection.sendall(b"x")


def announce_huge(talk: Talk) -> None:
    talk.read()
    talk.send(raw(200, {"Content-Length": "9999999999"}, b"x"))


def endless(talk: Talk) -> None:
    talk.read()
    talk.send(raw(200, {"Transfer-Encoding": "chunked"}, b""))
    while not talk.released.is_set():
        talk.connection.sendall(b"10000\r\n" + b"x" * 65536 + b"\r\n")


BOMB = gzip.compress(bytes(20_000_000))


def bomb(talk: Talk) -> None:
    talk.read()
    packed = BOMB
    headers = {"Content-Length": str(len(packed)), "Content-Encoding": "gzip"}
    talk.send(raw(200, headers, packed))


def huge_head(talk: Talk) -> None:
    talk.read()
    talk.send(raw(200, {"X-Huge": "x" * 1_000_000}, GOOD))


def garbage(talk: Talk) -> None:
    talk.read()
    talk.send(b"SSH-2.0-OpenSSH_9.0\r\n\r\n")


def garbage_at_once(talk: Talk) -> None:
    talk.send(b"SSH-2.0-OpenSSH_9.0\r\n\r\n")


def early(talk: Talk) -> None:
    """Answer 413 after the head, before the body was read, as gateways do."""
    talk.read_head()
    talk.send(raw(413, {"Content-Length": "0", "Connection": "close"}, b""))
    talk.connection.shutdown(socket.SHUT_WR)
    while talk.connection.recv(65536):
        pass
