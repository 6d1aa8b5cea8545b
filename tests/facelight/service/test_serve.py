"""``facelight serve`` as a script starts and ends it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from facelight.cli.serve import check_host
from facelight.errors import SettingsError
from facelight.service.options import API_ROOT

COMMAND = [
    sys.executable,
    "-c",
    "import typer; from facelight.cli.serve import serve; typer.run(serve)",
]


@contextmanager
def serving(*arguments: str, **environment: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    process = subprocess.Popen(
        [*COMMAND, "--port", "0", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | environment,
    )
    try:
        assert process.stdout is not None
        yield process, process.stdout.readline()
    finally:
        process.kill()
        process.communicate()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to send")
@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_it_says_where_it_listens_and_ends_cleanly(name: str) -> None:
    with serving("--fault", "503:0", FACELIGHT_KEY="mine") as (process, line):
        url = line.removeprefix("listening on ").strip()
        assert url.startswith("http://127.0.0.1:")
        answer = httpx.get(
            f"{url}{API_ROOT}/sessions", headers={"Ocp-Apim-Subscription-Key": "mine"}
        )
        assert answer.json() == []
        process.send_signal(getattr(signal, name))
        out, err = process.communicate(timeout=300)
        assert (process.returncode, out, err) == (0, "", "")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to send")
def test_it_ends_with_a_request_under_way_and_an_unfinished_one() -> None:
    head = f"{API_ROOT} HTTP/1.1\r\nHost: x\r\nOcp-Apim-Subscription-Key: local\r\n"
    with serving("--fault", "stall:1:600s") as (process, line):
        port = int(line.rpartition(":")[2])
        with (
            socket.create_connection(("127.0.0.1", port)) as stalled,
            socket.create_connection(("127.0.0.1", port)) as begun,
        ):
            stalled.sendall(f"GET {head.replace(' HTTP', '/sessions HTTP')}\r\n".encode())
            begun.sendall(f"POST {head}Content-Length: 9\r\n\r\n".encode())
            httpx.get(f"http://127.0.0.1:{port}{API_ROOT}")  # both have been taken by now
            process.send_signal(signal.SIGTERM)
            out, err = process.communicate(timeout=300)
    assert (process.returncode, out) == (0, "")
    assert "Traceback" not in err


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_loopback_needs_nothing(host: str) -> None:
    check_host(host, expose=False, has_key=False)


@pytest.mark.parametrize(
    ("host", "expose", "has_key", "message"),
    [
        ("0.0.0.0", False, True, "--expose"),
        ("192.168.1.7", False, True, "loopback"),
        ("::", False, True, "--expose"),
        ("kiosk.example", False, True, "--expose"),
        ("0.0.0.0", True, False, "FACELIGHT_KEY"),
    ],
)
def test_other_addresses_are_a_decision(
    host: str, expose: bool, has_key: bool, message: str
) -> None:
    with pytest.raises(SettingsError, match=message):
        check_host(host, expose=expose, has_key=has_key)


def test_exposing_with_a_key_is_allowed() -> None:
    check_host("0.0.0.0", expose=True, has_key=True)
