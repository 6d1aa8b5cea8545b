"""Requests byte for byte: unfinished, ambiguous, and as the contract's own samples send them."""

from __future__ import annotations

import dataclasses
import shutil
import socket
import subprocess
from collections.abc import Iterator

import httpx
import pytest

from facelight.service.errors import Refusal
from facelight.service.options import API_ROOT, Limits, ServiceOptions
from facelight.service.server import LocalService
from tests.facelight.service.requests import KEY, Clip, noise, post

SESSIONS = f"{API_ROOT}/sessions"
NEW = {"livenessOperationMode": "Passive", "deviceCorrelationId": "d"}
HEAD = "Host: x\r\nOcp-Apim-Subscription-Key: local\r\n"
FORM = "multipart/form-data; boundary=begun"


def unfinished(length: int) -> bytes:
    """A request that announces so many bytes, up to its body."""
    announced = f"Content-Type: {FORM}\r\nContent-Length: {length}\r\n\r\n"
    return f"POST {API_ROOT} HTTP/1.1\r\n{HEAD}{announced}".encode()


@pytest.fixture(scope="module")
def service() -> Iterator[LocalService]:
    with LocalService() as running:
        yield running


def line_to(service: LocalService) -> socket.socket:
    port = int(service.url.rpartition(":")[2])
    return socket.create_connection(("127.0.0.1", port), timeout=60)


def all_answers(line: socket.socket) -> bytes:
    """Return everything that comes until the service hangs up."""
    answer = b""
    while data := line.recv(65536):
        answer += data
    return answer


def test_forty_unfinished_bodies_keep_nobody_out(service: LocalService) -> None:
    lines = [line_to(service) for _ in range(40)]
    try:
        for line in lines:
            line.sendall(unfinished(999_999) + b"--begun")
        answer = post(service.url, Clip.of([noise()]))
        assert answer.json()["error"]["message"] == Refusal.TOO_FEW_FACES.value
    finally:
        for line in lines:
            line.close()


def test_bodies_beyond_the_room_wait_until_others_are_given_up() -> None:
    limits = dataclasses.replace(Limits(), max_body_bytes=100_000, idle_timeout_s=0.2)
    options = dataclasses.replace(ServiceOptions(), limits=limits, bodies=1)
    clip = Clip.of([noise()])
    with LocalService(options=options) as service, line_to(service) as line:
        line.sendall(unfinished(99_999) + bytes(99_000))
        answer = post(service.url, clip)
        assert answer.status_code in {400, 408}  # the room was full; the service is not stuck
        assert line.recv(20).startswith(b"HTTP/1.1 408 ")
        assert post(service.url, clip).status_code == 400


@pytest.mark.parametrize(
    "request_line", [f"POST {API_ROOT}", f"POST {SESSIONS}", f"GET {SESSIONS}"]
)
def test_a_length_told_in_two_ways_is_refused_once(
    service: LocalService, request_line: str
) -> None:
    smuggled = f"GET {SESSIONS} HTTP/1.1\r\n{HEAD}\r\n"
    with line_to(service) as line:
        line.sendall(
            f"{request_line} HTTP/1.1\r\n{HEAD}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n"
            f"\r\n0\r\n\r\n{smuggled}".encode()
        )
        answer = all_answers(line)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize(
    ("key", "status"), [pytest.param("local", b"400", id="read"), pytest.param("x", b"401")]
)
def test_a_body_that_is_no_http_gets_one_answer(
    service: LocalService, key: str, status: bytes
) -> None:
    with line_to(service) as line:
        line.sendall(
            f"POST {API_ROOT} HTTP/1.1\r\nHost: x\r\nOcp-Apim-Subscription-Key: {key}\r\n"
            f"Content-Type: {FORM}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
        )
        if key == "x":  # it is answered before its body is read
            assert line.recv(12) == b"HTTP/1.1 401"
        line.sendall(b"this is no chunk\r\n")
        answer = all_answers(line)
    assert answer.count(b"HTTP/1.1 ") == (1 if status == b"400" else 0)


def test_garbage_after_a_good_request_is_refused_on_its_own(service: LocalService) -> None:
    with line_to(service) as line:
        line.sendall(f"GET {SESSIONS} HTTP/1.1\r\n{HEAD}\r\n".encode())
        answer = b""
        while not answer.endswith(b"]"):
            answer += line.recv(65536)
        assert answer.startswith(b"HTTP/1.1 200 ")
        line.sendall(b"\x00\x01 no request\r\n\r\n")
        assert all_answers(line).startswith(b"HTTP/1.1 400 ")


def ruby(method: str, path: str, *headers: str) -> bytes:
    """The bytes that Net::HTTP of Ruby 3 sends for the contract's sample."""
    own = (
        "Accept-Encoding: gzip;q=1.0,deflate;q=0.6,identity;q=0.3\r\nAccept: */*\r\n"
        "User-Agent: Ruby\r\nConnection: close\r\nHost: 127.0.0.1\r\n"
        "Ocp-Apim-Subscription-Key: local\r\nContent-Length: 6\r\n"
    )
    lines = "".join(f"{header}\r\n" for header in headers)
    return f"{method} {path} HTTP/1.1\r\n{own}{lines}\r\n{{body}}".encode()


def test_ruby_s_sample_of_the_audit_is_answered_with_the_array(service: LocalService) -> None:
    made = httpx.post(service.url + SESSIONS, headers=KEY, json=NEW).json()
    path = f"{SESSIONS}/{made['sessionId']}/audit"
    with line_to(service) as line:
        line.sendall(ruby("GET", path, "Content-Type: application/x-www-form-urlencoded"))
        answer = all_answers(line)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(b"\r\n\r\n[]")


def test_ruby_s_sample_of_a_detection_is_answered_with_a_message_of_the_contract(
    service: LocalService,
) -> None:
    with line_to(service) as line:
        line.sendall(ruby("POST", API_ROOT, "Content-Type: multipart/form-data"))
        answer = all_answers(line)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert Refusal.NO_METADATA.value.encode() in answer


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_curl_s_samples_get_what_the_contract_shows(service: LocalService) -> None:
    made = httpx.post(service.url + SESSIONS, headers=KEY, json=NEW).json()
    key = ("-H", "Ocp-Apim-Subscription-Key: local")

    def curl(*arguments: str) -> str:
        command = ["curl", "-sS", "--noproxy", "*", *arguments, *key, "--data-ascii", "{body}"]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    audit = f"{service.url}{SESSIONS}/{made['sessionId']}/audit"
    assert curl("-X", "GET", f"{audit}?start=7&top=10") == "[]"
    assert "Top parameter is invalid" in curl("-g", "-X", "GET", f"{audit}?start=7&top={{string}}")
    form = ("-H", "Content-Type: multipart/form-data")
    url = service.url + API_ROOT
    assert Refusal.NO_METADATA.value in curl("-X", "POST", url, *form)
    version = curl("-g", "-X", "POST", url + "?model-version={string}", *form)
    assert Refusal.MODEL_VERSION.value in version


def test_the_408_of_a_detection_is_the_text_that_the_contract_prints() -> None:
    with LocalService(faults=["408:1"]) as service:
        detection = post(service.url, Clip.of([noise()]))
        listing = httpx.get(service.url + SESSIONS, headers=KEY)
    assert (detection.status_code, detection.text) == (408, "OperationTimeOut.")
    assert detection.headers["content-type"].startswith("text/plain")
    assert listing.json()["error"]["message"] == "OperationTimeOut."
