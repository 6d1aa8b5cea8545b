"""The operations over HTTP: who may call them, in which form they answer."""

from __future__ import annotations

import dataclasses
import hashlib
import socket
import uuid
from collections.abc import Iterator

import httpx
import pytest

from capture.clock import VirtualClock
from facelight.service.errors import Refusal
from facelight.service.options import API_ROOT, Limits, ServiceOptions, Shape
from facelight.service.server import LocalService
from tests.facelight.service.requests import (
    BOUNDARY,
    CONTENT_HEAD,
    FACE_BOX,
    KEY,
    METADATA_HEAD,
    Clip,
    closed,
    noise,
    part,
    post,
    post_body,
)

FORM = f"multipart/form-data; boundary={BOUNDARY}"
SESSION = {"livenessOperationMode": "Passive", "deviceCorrelationId": "kiosk"}


class Desk:
    """A service whose time the test moves."""

    def __init__(self, clock: VirtualClock, service: LocalService) -> None:
        self.clock = clock
        self.url = service.url
        self.http = httpx.Client(base_url=service.url + API_ROOT, headers=KEY, trust_env=False)

    def wait(self, seconds: float) -> None:
        self.clock.sleep_until(self.clock.now_ns() + round(seconds * 1e9))

    def session(self, **fields: object) -> tuple[str, str]:
        made = self.http.post("/sessions", json=SESSION | fields).json()
        return made["sessionId"], made["authToken"]

    def detect(self, token: str, clip: Clip) -> httpx.Response:
        return post(self.url, clip, Authorization=f"Bearer {token}")


@pytest.fixture
def desk() -> Iterator[Desk]:
    clock = VirtualClock()
    with LocalService(clock=clock) as service:
        desk = Desk(clock, service)
        with desk.http:
            yield desk


@pytest.fixture(scope="module")
def blank() -> Clip:
    return Clip.of([noise()] * 2)


@pytest.fixture(scope="module")
def still_desk(service: LocalService) -> Iterator[Desk]:
    """The module's service, for tests in which no time passes."""
    desk = Desk(VirtualClock(), service)
    with desk.http:
        yield desk


DENIED = {
    "error": {
        "code": "Unspecified",
        "message": "Access denied due to invalid subscription key. Make sure you are subscribed "
        "to an API you are trying to call and provide the right key.",
    }
}


@pytest.mark.slow
@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"x": "y"}, id="nothing"),
        pytest.param({"Ocp-Apim-Subscription-Key": "wrong"}, id="wrong key"),
        pytest.param({"Ocp-Apim-Subscription-Key": ""}, id="empty key"),
        pytest.param({"Authorization": "Bearer nobody"}, id="unknown token"),
        pytest.param({"Authorization": "Bearer"}, id="empty token"),
        pytest.param({"Authorization": "Basic bG9jYWw="}, id="another scheme"),
        pytest.param(KEY | {"Authorization": "Bearer local"}, id="both"),
    ],
)
def test_without_valid_credentials_every_operation_is_401(
    service: LocalService, headers: dict[str, str]
) -> None:
    url = service.url + API_ROOT
    for method, path in (
        ("POST", ""),
        ("POST", "/sessions"),
        ("GET", "/sessions"),
        ("GET", "/sessions/x"),
        ("GET", "/sessions/x/audit"),
        ("DELETE", "/sessions/x"),
    ):
        response = httpx.request(method, url + path, headers=headers, trust_env=False)
        assert (response.status_code, response.json()) == (401, DENIED)


def test_a_session_token_opens_no_session_operation(desk: Desk) -> None:
    session, token = desk.session()
    response = httpx.get(
        f"{desk.url}{API_ROOT}/sessions/{session}", headers={"Authorization": f"Bearer {token}"}
    )
    assert response.status_code == 401


@pytest.mark.slow
def test_every_answer_says_what_it_comes_from(service: LocalService) -> None:
    url = service.url + API_ROOT
    answers = [
        httpx.get(url + "/sessions", headers=KEY),
        httpx.get(url + "/sessions/none", headers=KEY),
        httpx.get(url + "/sessions"),
        httpx.get(service.url + "/elsewhere"),
        httpx.put(url),
    ]
    for answer in answers:
        assert "no liveness detector" in answer.headers["x-facelight-stand-in"]
        assert answer.headers["x-ms-region"] == "local"
        assert answer.headers["content-type"] == "application/json; charset=utf-8"
        assert int(answer.headers["x-envoy-upstream-service-time"]) >= 0
    ids = {str(uuid.UUID(answer.headers["apim-request-id"])) for answer in answers}
    assert len(ids) == len(answers)


@pytest.mark.parametrize("path", ["/", "//face/v1.1-preview.1/detectLiveness/singleModal"])
def test_another_path_is_404(service: LocalService, path: str) -> None:
    response = httpx.post(service.url + path, headers=KEY)
    assert (response.status_code, response.json()["error"]["code"]) == (404, "404")


def test_another_media_type_is_415(service: LocalService) -> None:
    response = post_body(service.url, b"{}", "application/json")
    wrong = {"error": {"code": "UnsupportedMediaType", "message": "Invalid Media Type."}}
    assert (response.status_code, response.json()) == (415, wrong)


@pytest.mark.parametrize(("method", "path"), [("POST", "/sessions"), ("GET", "/sessions/x/audit")])
def test_session_operations_take_json_alone(service: LocalService, method: str, path: str) -> None:
    headers = KEY | {"Content-Type": "text/plain"}
    response = httpx.request(method, service.url + API_ROOT + path, headers=headers)
    wrong = {"error": {"code": "BadArgument", "message": "Invalid Media Type."}}
    assert (response.status_code, response.json()) == (415, wrong)


def test_the_documentation_s_own_spelling_of_a_body_is_read(
    service: LocalService, blank: Clip
) -> None:
    spaced = METADATA_HEAD.replace("charset=", "charset = ").replace(
        'name="Metadata"', "name = Metadata"
    )
    body = closed(part(CONTENT_HEAD, blank.files["video.webp"]), part(spaced, blank.metadata))
    response = post_body(service.url, body)
    assert response.json()["error"]["message"] == Refusal.TOO_FEW_FACES.value


def test_the_cause_travels_in_a_header_and_cannot_break_it(
    service: LocalService, blank: Clip
) -> None:
    clip = blank.changed(lambda e: e.update(fileName="a\r\nset-cookie: b\x1b[31m\u20ac"))
    response = post(service.url, clip)
    assert response.json()["error"]["message"] == Refusal.FILE_NOT_FOUND.value
    assert response.headers["x-facelight-cause"].startswith("a??set-cookie: b?[31m?")
    assert "set-cookie" not in response.headers


def test_a_body_above_the_limit_is_refused(blank: Clip) -> None:
    limits = dataclasses.replace(Limits(), max_body_bytes=5_000)
    with LocalService(options=dataclasses.replace(ServiceOptions(), limits=limits)) as service:
        response = post(service.url, blank)
    assert response.json()["error"]["message"] == Refusal.TOO_LARGE.value


def test_a_body_that_does_not_come_is_408() -> None:
    limits = dataclasses.replace(Limits(), body_timeout_s=0.05)
    options = dataclasses.replace(ServiceOptions(), limits=limits)
    head = f"POST {API_ROOT} HTTP/1.1\r\nHost: x\r\nOcp-Apim-Subscription-Key: local\r\n"
    with (
        LocalService(options=options) as service,
        socket.create_connection(("127.0.0.1", int(service.url.rpartition(":")[2]))) as line,
    ):
        line.sendall(f"{head}Content-Type: {FORM}\r\nContent-Length: 10\r\n\r\n--".encode())
        line.settimeout(60)
        answer = b""
        while b"\r\n\r\nOperationTimeOut." not in answer:
            answer += line.recv(65536)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"content-type: text/plain" in answer


def test_frames_that_take_too_long_are_408(blank: Clip) -> None:
    limits = dataclasses.replace(Limits(), judge_timeout_s=0.0)
    with LocalService(options=dataclasses.replace(ServiceOptions(), limits=limits)) as service:
        answer = post(service.url, blank)
    assert answer.status_code == 408
    assert "judged 0 frames" in answer.headers["x-facelight-cause"]


def test_the_free_tier_s_rate_holds_for_the_key() -> None:
    clock = VirtualClock()
    options = dataclasses.replace(ServiceOptions(), calls_per_minute=2)
    with LocalService(options=options, clock=clock) as service:
        desk = Desk(clock, service)
        answers = [desk.http.get("/sessions").status_code for _ in range(2)]
        refused = desk.http.get("/sessions")
        desk.wait(60)
        after = desk.http.get("/sessions")
        desk.http.close()
    assert answers == [200, 200]
    assert refused.status_code == 429
    assert refused.json() == {
        "error": {
            "statusCode": 429,
            "message": "Rate limit is exceeded. Try again in 60 seconds.",
        }
    }
    assert after.status_code == 200


def test_a_session_goes_from_not_started_to_its_result(desk: Desk, blank: Clip) -> None:
    session, token = desk.session(sendResultsToClient=True)
    before = desk.http.get(f"/sessions/{session}").json()
    assert before["status"] == "NotStarted"
    assert "result" not in before
    assert "sessionStartDateTime" not in before
    desk.wait(2)
    desk.detect(token, blank)
    after = desk.http.get(f"/sessions/{session}").json()
    assert after["status"] == "ResultAvailable"
    assert after["result"] == desk.http.get(f"/sessions/{session}/audit").json()[0]
    assert after["sessionStartDateTime"] > after["createdDateTime"]


@pytest.mark.slow
def test_a_token_s_fourth_call_and_hasty_calls_are_429(desk: Desk, blank: Clip) -> None:
    session, token = desk.session()
    codes = [desk.detect(token, blank).status_code for _ in range(2)]
    assert codes == [400, 429]
    for expected in (400, 400, 429):
        desk.wait(5)
        assert desk.detect(token, blank).status_code == expected
    assert len(desk.http.get(f"/sessions/{session}/audit").json()) == 3


def test_a_deleted_session_is_gone_and_its_token_blocked(desk: Desk, blank: Clip) -> None:
    session, token = desk.session()
    answer = desk.http.delete(f"/sessions/{session}")
    assert (answer.status_code, answer.headers["content-length"]) == (200, "0")
    gone = {
        "error": {
            "code": "SessionNotFound",
            "message": "Session Id is not found. The session id is expired or does not exist.",
        }
    }
    for path in (f"/sessions/{session}", f"/sessions/{session}/audit"):
        answer = desk.http.get(path)
        assert (answer.status_code, answer.json()) == (404, gone)
    assert desk.detect(token, blank).status_code == 401


def test_the_audit_pages_downwards_with_the_bytes_digest(desk: Desk, blank: Clip) -> None:
    session, token = desk.session()
    body = closed(part(METADATA_HEAD, blank.metadata), part(CONTENT_HEAD, b"x" * 2000))
    sent = []
    for number in range(3):
        desk.wait(5)
        sent.append(
            httpx.post(
                f"{desk.url}{API_ROOT}?model-version=latest&n={number}",
                headers={
                    "Authorization": f"Bearer {token}",
                    "Content-Type": FORM,
                    "User-Agent": "VisionSDK-objective-c/0.15.1",
                },
                content=body,
            )
        )
    entries = desk.http.get(f"/sessions/{session}/audit").json()
    assert [entry["id"] for entry in entries] == [3, 2, 1]
    assert [e["requestId"] for e in entries] == [r.headers["apim-request-id"] for r in sent[::-1]]
    newest = entries[0]
    assert newest["digest"] == hashlib.sha256(body).hexdigest().upper()
    assert newest["request"] == {
        "url": f"{API_ROOT}?model-version=latest&n=2",
        "method": "POST",
        "contentLength": len(body),
        "contentType": FORM,
        "userAgent": "VisionSDK-objective-c/0.15.1",
    }
    assert newest["response"]["statusCode"] == 400
    assert newest["response"]["body"] == sent[-1].json()
    pages = [
        [e["id"] for e in desk.http.get(f"/sessions/{session}/audit{query}").json()]
        for query in ("?top=2", "?top=2&start=2", "?start=1", "?start=", "?start=99999")
    ]
    assert pages == [[3, 2], [1], [], [3, 2, 1], [3, 2, 1]]


@pytest.mark.parametrize("path", ["/sessions/{id}/audit", "/sessions"])
@pytest.mark.parametrize(
    ("query", "word"),
    [
        *((f"top={top}", "Top") for top in ("0", "1001", "-1", "x", "", "1.5", "9" * 80)),
        ("start=" + "x" * 65, "Start"),
    ],
)
def test_wrong_paging_is_bad_argument(still_desk: Desk, path: str, query: str, word: str) -> None:
    session, _ = still_desk.session()
    answer = still_desk.http.get(f"{path.format(id=session)}?{query}")
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["code"] == "BadArgument"
    assert error["message"].startswith(f"{word} parameter is invalid. ")


def test_an_audit_start_that_is_no_id_is_bad_argument(still_desk: Desk) -> None:
    session, _ = still_desk.session()
    assert still_desk.http.get(f"/sessions/{session}/audit?start=abc").status_code == 400


@pytest.mark.parametrize(
    "name", ["..%2f..%2fetc", "%00", "x" * 5000, "%1b[31m", "'--", "%E2%82%AC"]
)
def test_hostile_session_ids_are_not_found(still_desk: Desk, name: str) -> None:
    assert still_desk.http.get(f"/sessions/{name}").status_code == 404


@pytest.mark.slow
def test_a_session_that_keeps_results_from_the_client_answers_204(desk: Desk, face: Clip) -> None:
    session, token = desk.session(sendResultsToClient=False)
    answer = desk.detect(token, face.aimed(FACE_BOX))
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["apim-request-id"]
    result = desk.http.get(f"/sessions/{session}").json()["result"]["response"]
    assert result["statusCode"] == 204
    assert result["body"]["livenessDecision"] == "uncertain"


@pytest.mark.slow
def test_a_session_that_sends_results_answers_200(desk: Desk, face: Clip) -> None:
    _, token = desk.session(sendResultsToClient=True)
    answer = desk.detect(token, face.aimed(FACE_BOX))
    assert answer.json() == {
        "livenessDecision": "uncertain",
        "target": {
            "faceRectangle": FACE_BOX,
            "fileName": "video.webp",
            "timeOffsetWithinFile": answer.json()["target"]["timeOffsetWithinFile"],
            "imageType": "Color",
        },
        "modelVersionUsed": "2020-02-15-preview.01",
    }


def test_the_flat_shape_is_the_first_document_s(face: Clip) -> None:
    options = dataclasses.replace(ServiceOptions(), shape=Shape.FLAT)
    with LocalService(options=options) as service:
        answer = post(service.url, face.aimed(FACE_BOX)).json()
    assert answer == {
        "livenessDecision": "uncertain",
        "targetFaceRectangle": FACE_BOX,
        "targetFileName": "video.webp",
        "targetFrameNumber": answer["targetFrameNumber"],
        "modelVersionUsed": "2020-02-15-preview.01",
    }


def test_a_key_of_one_s_own_replaces_the_default() -> None:
    with LocalService(key="mine") as service:
        url = service.url + API_ROOT + "/sessions"
        assert httpx.get(url, headers=KEY).status_code == 401
        assert httpx.get(url, headers={"Ocp-Apim-Subscription-Key": "mine"}).status_code == 200
