"""Running: ports, faults on the wire, and an end that leaves nothing behind."""

from __future__ import annotations

import dataclasses
import socket
import threading
import time

import httpx
import pytest

from facelight.service import server
from facelight.service.errors import FaultError, ServeError
from facelight.service.options import API_ROOT, ServiceOptions
from facelight.service.server import LocalService
from tests.conftest import ErrorLog
from tests.facelight.service.requests import KEY, Clip, noise, post
from tests.waiting import until

SESSIONS = f"{API_ROOT}/sessions"
NEW = {"livenessOperationMode": "Passive", "deviceCorrelationId": "d"}


def service_threads() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name == "facelight-service"}


def test_two_services_run_side_by_side_and_end_with_their_threads() -> None:
    before = service_threads()
    with LocalService() as one, LocalService() as other:
        assert one.url != other.url
        assert {httpx.get(s.url + SESSIONS, headers=KEY).status_code for s in (one, other)} == {200}
        url = one.url
    with pytest.raises(httpx.ConnectError):
        httpx.get(url + SESSIONS, headers=KEY)
    assert service_threads() == before


def test_a_port_that_is_taken_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ServeError, match=f"127.0.0.1:{port}"), LocalService(port=port):
            pass


def test_outside_its_block_a_service_has_no_url() -> None:
    with pytest.raises(ServeError, match="with block"):
        _ = LocalService().url


def test_a_fault_that_cannot_be_meant_is_refused_at_once() -> None:
    with pytest.raises(FaultError):
        LocalService(faults=["often"])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "status", "text", "retry_after"),
    [
        ("429:1:7s", 429, "Rate limit is exceeded. Try again in 7 seconds.", None),
        ("403:1:9d", 403, "Out of call volume quota. Quota will be replenished in 9 days.", None),
        ("408:1", 408, "OperationTimeOut.", None),
        ("500:1", 500, "Injected fault 500.", None),
        ("503:1:4s", 503, "Injected fault 503.", "4"),
    ],
)
def test_status_faults_look_like_the_gateway_s(
    fault: str, status: int, text: str, retry_after: str | None
) -> None:
    with LocalService(faults=[fault]) as service:
        answers = [
            post(service.url, Clip.of([noise()])),
            httpx.get(service.url + SESSIONS, headers=KEY),
        ]
        unknown = httpx.get(service.url + SESSIONS)
    for answer in answers:
        assert answer.status_code == status
        assert text in answer.text
        assert answer.headers.get("retry-after") == retry_after
    assert unknown.status_code == 401


@pytest.mark.parametrize("when", ["before", "after", "during"])
def test_a_dropped_connection_is_an_error_of_the_transport(when: str) -> None:
    with (
        LocalService(faults=[f"drop:1:{when}"]) as service,
        pytest.raises(httpx.RemoteProtocolError if when == "during" else httpx.TransportError),
    ):
        httpx.post(service.url + SESSIONS, headers=KEY, json=NEW)


@pytest.mark.parametrize(("when", "made"), [("before", 0), ("after", 1), ("during", 1)])
def test_a_lost_answer_is_of_a_request_that_was_carried_out(when: str, made: int) -> None:
    # of two draws with seed 1 the first (.13) is below one half, the second (.85) is not
    options = dataclasses.replace(ServiceOptions(), fault_seed=1)
    with LocalService(faults=[f"drop:0.5:{when}"], options=options) as service:
        with pytest.raises(httpx.TransportError):
            httpx.post(service.url + SESSIONS, headers=KEY, json=NEW)
        listed = httpx.get(service.url + SESSIONS, headers=KEY).json()
    assert len(listed) == made


def test_a_stall_delays_the_answer_and_then_gives_it() -> None:
    with LocalService(faults=["stall:1:0.2s"]) as service:
        began_s = time.monotonic()
        answer = httpx.get(service.url + SESSIONS, headers=KEY, timeout=60)
        assert time.monotonic() - began_s >= 0.2
    assert answer.status_code == 200


def test_a_service_ends_while_a_request_stalls(
    error_log: ErrorLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "_GRACE_S", 0.1)

    request = f"GET {SESSIONS} HTTP/1.1\r\nHost: x\r\nOcp-Apim-Subscription-Key: local\r\n\r\n"
    with LocalService(faults=["stall:1:600s"]) as service:
        port = int(service.url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port)) as line:
            line.sendall(request.encode())
            running = service._server
            assert running is not None
            until(lambda: running.busy)
    (logged,) = error_log.taken()
    assert logged.startswith("Cancel 1 running task")
