"""The control port over HTTP: sessions started, watched, cancelled and read, and every refusal."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from facelight.kiosk.control import application as module
from facelight.kiosk.machine.events import DeviceLost, Quit
from facelight.kiosk.machine.state import Device, Phase
from tests.facelight.kiosk.control.conftest import Driven
from tests.facelight.kiosk.control.stepped import GOOD, NOBODY, ORIGIN, TOKEN, SteppedKiosk, served
from tests.waiting import until


def told(response: httpx.Response) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield name and data of a stream's events."""
    name = ""
    for line in response.iter_lines():
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))


def error_of(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["code"]


def test_a_session_is_started_and_its_result_read(driven: Driven) -> None:
    answer = driven.client.post("/v1/sessions", json={"reference": "till 4 / 17"})
    assert answer.status_code == 201
    session = answer.json()["id"]
    assert answer.headers["location"] == f"/v1/sessions/{session}"
    assert driven.client.get("/v1/health").json()["state"] == "busy"
    driven.kiosk.run(20_000, GOOD)
    status = driven.client.get(answer.headers["location"]).json()
    assert status == {
        "id": session,
        "reference": "till 4 / 17",
        "state": "ended",
        "step": "idle",
        "outcome": "real",
        "decision": "realface",
        "light": True,
        "sessions": [f"{1:032x}"],
        "client_request_ids": ["c1"],
        "request_id": "r1",
        "problems": [],
    }
    assert driven.client.get("/v1/health").json()["state"] == "ready"


def test_every_event_of_a_requested_session_carries_its_reference(driven: Driven) -> None:
    session = driven.start(reference="r-1")
    driven.kiosk.run(20_000, GOOD)
    mine = [values for _, values in driven.kiosk.events if values.get("request") == session]
    assert [values["reference"] for values in mine] == ["r-1"] * len(mine)
    names = [name for name, values in driven.kiosk.events if "request" in values]
    assert names[0] == "requested"
    assert names[-1] == "idle"
    assert {"session", "submitted", "delivery", "result"} <= set(names)


def test_a_session_is_watched_to_its_end_by_server_sent_events(driven: Driven) -> None:
    session = driven.start()
    seen: list[str] = []

    def watch() -> None:
        with driven.client.stream("GET", f"/v1/sessions/{session}/events") as response:
            assert response.headers["content-type"].startswith("text/event-stream")
            seen.extend(name for name, _ in told(response))

    watcher = threading.Thread(target=watch)
    watcher.start()
    driven.kiosk.run(20_000, GOOD)
    watcher.join(20)
    assert (seen[0], seen[-1]) == ("requested", "idle")
    assert seen == [name for name, values in driven.kiosk.events if "request" in values]


def test_a_stream_goes_on_after_the_last_event_that_was_read(driven: Driven) -> None:
    session = driven.start()
    driven.kiosk.run(20_000, GOOD)
    path = f"/v1/sessions/{session}/events"
    with driven.client.stream("GET", path) as response:
        ids = [line[4:] for line in response.iter_lines() if line.startswith("id: ")]
    with driven.client.stream("GET", path, headers={"Last-Event-ID": ids[-3]}) as response:
        again = [line[4:] for line in response.iter_lines() if line.startswith("id: ")]
    assert again == ids[-2:]


def test_a_reader_that_fell_behind_is_told_how_much_it_missed(driven: Driven) -> None:
    for number in range(1200):
        driven.kiosk.told("host", {"slow": False, "number": number})
    with driven.client.stream("GET", "/v1/events", headers={"Last-Event-ID": "10"}) as response:
        first = next(told(response))
    assert first[0] == "missed"
    assert first[1]["events"] == driven.kiosk.sessions.log.last - 1000 - 10


def test_a_watcher_that_dies_is_forgotten_and_the_session_goes_on(driven: Driven) -> None:
    session = driven.start()
    log = driven.kiosk.sessions.log
    with socket.create_connection((driven.port.address.host, driven.port.address.port)) as raw:
        raw.sendall(
            f"GET /v1/sessions/{session}/events HTTP/1.1\r\nHost: localhost\r\n"
            f"Authorization: Bearer {TOKEN}\r\n\r\n".encode()
        )
        assert b"200" in raw.recv(100)
        until(lambda: len(log._wakers) == 1)
    driven.kiosk.run(20_000, GOOD)
    until(lambda: not log._wakers)
    assert driven.client.get(f"/v1/sessions/{session}").json()["outcome"] == "real"


def test_a_second_start_is_told_which_session_is_under_way(driven: Driven) -> None:
    session = driven.start()
    answer = driven.client.post("/v1/sessions", json={})
    assert error_of(answer) == (409, "busy")
    assert answer.json()["error"]["session"] == session
    assert answer.headers["retry-after"]


def test_who_stepped_up_alone_is_not_interrupted(driven: Driven) -> None:
    driven.kiosk.run(1200, NOBODY)
    driven.kiosk.run(2000, GOOD)
    assert driven.kiosk.phase() is Phase.NOTICE
    answer = driven.client.post("/v1/sessions", json={})
    assert error_of(answer) == (409, "busy")
    driven.kiosk.run(3000, GOOD)
    assert "request" not in driven.kiosk.events[-1][1]


def test_a_session_is_cancelled_before_anybody_has_come(driven: Driven) -> None:
    session = driven.start()
    driven.kiosk.run(1500, NOBODY)
    assert driven.client.delete(f"/v1/sessions/{session}").status_code == 202
    driven.kiosk.run(100, NOBODY)
    assert driven.client.get(f"/v1/sessions/{session}").json()["outcome"] == "cancelled"
    assert error_of(driven.client.delete(f"/v1/sessions/{session}")) == (409, "too_late")
    driven.start()


def test_what_is_being_delivered_cannot_be_cancelled(driven: Driven) -> None:
    session = driven.start()
    driven.kiosk.run(8500, GOOD)
    assert driven.kiosk.phase() is Phase.RESULT
    assert error_of(driven.client.delete(f"/v1/sessions/{session}")) == (409, "too_late")


def test_a_session_that_nobody_comes_to_ends_at_its_limit(driven: Driven) -> None:
    session = driven.start(limit_s=10)
    driven.kiosk.run(15_000, NOBODY)
    status = driven.client.get(f"/v1/sessions/{session}").json()
    assert (status["outcome"], status["problems"][0]["problem"]) == ("time", "time")


def test_a_lost_camera_refuses_sessions_and_health_says_why(driven: Driven) -> None:
    driven.kiosk.send(DeviceLost(Device.CAMERA))
    assert error_of(driven.client.post("/v1/sessions", json={})) == (503, "out_of_order")
    health = driven.client.get("/v1/health").json()
    assert (health["state"], health["lost"]) == ("out_of_order", ["camera"])


def test_a_kiosk_that_starts_or_ends_takes_no_session() -> None:
    kiosk = SteppedKiosk(started=False)
    with served(kiosk) as (_, client):
        assert client.get("/v1/health").json()["state"] == "starting"
        assert error_of(client.post("/v1/sessions")) == (503, "out_of_order")
        kiosk.told("start", {"camera": {}})
        kiosk.send(Quit())
        assert error_of(client.post("/v1/sessions")) == (503, "ending")


def test_closing_the_port_ends_its_streams(driven: Driven) -> None:
    with driven.client.stream("GET", "/v1/events") as response:
        driven.port.close()
        assert list(response.iter_lines()) == []


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        pytest.param({"Authorization": ""}, (401, "token"), id="no token"),
        pytest.param({"Authorization": "Bearer wrong"}, (401, "token"), id="wrong token"),
        pytest.param({"Authorization": TOKEN}, (401, "token"), id="no scheme"),
        pytest.param({"Origin": "https://example.com"}, (403, "origin"), id="page of elsewhere"),
        pytest.param({"Origin": "null"}, (403, "origin"), id="page of a file"),
        pytest.param({"Host": "example.com:80"}, (403, "host"), id="rebound name"),
        pytest.param({"Host": "10.0.0.1"}, (403, "host"), id="address of the network"),
        pytest.param({"Host": ""}, (403, "host"), id="no host"),
    ],
)
@pytest.mark.parametrize("path", ["/v1/health", "/v1/events", "/v1/none"])
def test_who_may_not_use_the_port_learns_nothing(
    driven: Driven, headers: dict[str, str], code: tuple[int, str], path: str
) -> None:
    answer = driven.client.get(path, headers=headers)
    assert error_of(answer) == code
    assert TOKEN not in answer.text


@pytest.mark.parametrize("host", ["localhost:8700", "127.0.0.1", "[::1]:8700", "127.0.0.5:1"])
def test_loopback_has_several_names(driven: Driven, host: str) -> None:
    assert driven.client.get("/v1/version", headers={"Host": host}).status_code == 200


def test_a_page_that_was_named_may_drive_the_kiosk(driven: Driven) -> None:
    answer = driven.client.get("/v1/version", headers={"Origin": ORIGIN})
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    preflight = {
        "Access-Control-Request-Method": "DELETE",
        "Access-Control-Request-Headers": "authorization",
        "Authorization": "",
    }
    asked = driven.client.options("/v1/sessions", headers=preflight | {"Origin": ORIGIN})
    assert asked.status_code == 200
    assert asked.headers["access-control-allow-origin"] == ORIGIN
    other = driven.client.options("/v1/sessions", headers=preflight | {"Origin": "http://other"})
    assert "access-control-allow-origin" not in other.headers


@pytest.mark.parametrize(
    ("body", "media", "code", "word"),
    [
        pytest.param(b"{", "application/json", (422, "body"), "JSON", id="no JSON"),
        pytest.param(b"[]", "application/json", (422, "body"), "body", id="no object"),
        pytest.param(
            b'{"refrence": "x"}', "application/json", (422, "body"), "refrence", id="typo"
        ),
        pytest.param(
            b'{"limit_s": 5}', "application/json", (422, "body"), "limit_s", id="too short"
        ),
        pytest.param(b'{"light": 1}', "application/json", (422, "body"), "light", id="no truth"),
        pytest.param(
            b'{"reference": "a\\nb"}', "application/json", (422, "body"), "ref", id="line"
        ),
        pytest.param(
            b'{"language": "xx"}', "application/json", (422, "language"), "en, de", id="xx"
        ),
        pytest.param(b"{}", "text/plain", (415, "media_type"), "json", id="text"),
        pytest.param(b" " * 5000, "application/json", (413, "too_large"), "4096", id="large"),
    ],
)
def test_a_bad_request_is_told_what_was_expected(
    driven: Driven, body: bytes, media: str, code: tuple[int, str], word: str
) -> None:
    answer = driven.client.post("/v1/sessions", content=body, headers={"Content-Type": media})
    assert error_of(answer) == code
    assert word in answer.json()["error"]["message"]
    assert driven.kiosk.sessions.inbox() == []


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        pytest.param("GET", f"/v1/sessions/{0:032x}", (404, "unknown_session"), id="status"),
        pytest.param("DELETE", f"/v1/sessions/{0:032x}", (404, "unknown_session"), id="cancel"),
        pytest.param("GET", f"/v1/sessions/{0:032x}/events", (404, "unknown_session"), id="watch"),
        pytest.param("GET", "/", (404, "not_found"), id="root"),
        pytest.param("PUT", "/v1/health", (405, "method"), id="method"),
    ],
)
def test_what_is_not_there_is_told(
    driven: Driven, method: str, path: str, code: tuple[int, str]
) -> None:
    assert error_of(driven.client.request(method, path)) == code


def test_a_number_that_is_none_is_told(driven: Driven) -> None:
    answer = driven.client.get("/v1/events", headers={"Last-Event-ID": "x"})
    assert error_of(answer) == (400, "last_event_id")


def test_streams_are_bounded(driven: Driven, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_STREAMS", 1)
    with driven.client.stream("GET", "/v1/events"):
        until(lambda: len(driven.kiosk.sessions.log._wakers) == 1)
        assert error_of(driven.client.get("/v1/events")) == (503, "streams")
