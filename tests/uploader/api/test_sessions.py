"""Sessions as an application server makes and reads them."""

from __future__ import annotations

import json

import pytest

from tests.uploader.api.test_audit import WIRE
from tests.uploader.samples import KEY
from uploader.api.sessions import SessionRequest, SessionsClient
from uploader.errors import (
    BadRequestError,
    CredentialError,
    EndpointError,
    MalformedAnswerError,
    NotFoundError,
    PayloadError,
)
from uploader.http.credentials import BearerToken
from uploader.http.endpoint import Endpoint
from uploader.testing import FakeClock, FakeTransport, Scripted, as_json

WHERE = Endpoint("https://a.example")
CREATED = {"sessionId": "0f0e-1", "authToken": "canary.token.value"}
SESSION = {
    "id": "0f0e-1",
    "status": "ResultAvailable",
    "createdDateTime": "2026-01-05T12:00:00Z",
    "sessionStartDateTime": "2026-01-05T12:00:05Z",
    "sessionExpired": False,
    "deviceCorrelationId": "d-1",
    "authTokenTimeToLiveInSeconds": 600,
    "result": WIRE,
    "later": {"unknown": 1},
}


def client(*steps):
    transport = FakeTransport(*steps)
    return SessionsClient(WHERE, KEY, transport=transport, clock=FakeClock()), transport


def test_creating_sends_what_the_contract_names_and_keeps_the_token_secret():
    ours, transport = client(as_json(200, CREATED))
    made = ours.create(SessionRequest(device_correlation_id="d-1", token_life_s=120))
    (request,) = transport.requests
    assert (request.method, str(request.url)) == (
        "POST",
        "https://a.example/face/v1.1-preview.1/detectLiveness/singleModal/sessions",
    )
    assert request.headers["content-type"] == "application/json"
    assert json.loads(request.content) == {
        "livenessOperationMode": "Passive",
        "sendResultsToClient": False,
        "deviceCorrelationIdSetInClient": False,
        "authTokenTimeToLiveInSeconds": 120,
        "deviceCorrelationId": "d-1",
    }
    assert made.session_id == "0f0e-1"
    assert made.token.reveal() == "canary.token.value"
    assert made.expires.isoformat() == "2026-01-05T12:02:00+00:00"
    assert "canary" not in repr(made)


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        pytest.param({"mode": "Active"}, "livenessOperationMode", id="mode"),
        pytest.param({"token_life_s": 59}, r"60\.\.86400", id="short life"),
        pytest.param({"token_life_s": 86_401}, r"60\.\.86400", id="long life"),
        pytest.param({"device_correlation_id": None}, "deviceCorrelationId", id="no device"),
        pytest.param({"device_correlation_id": " "}, "deviceCorrelationId", id="blank device"),
        pytest.param({"device_correlation_id": "x" * 65}, "deviceCorrelationId", id="long device"),
        pytest.param(
            {"device_correlation_id_set_in_client": True}, "the client sets it", id="both"
        ),
    ],
)
def test_what_the_service_would_refuse_is_refused_here(fields, problem):
    request = SessionRequest(**{"device_correlation_id": "d", **fields})
    with pytest.raises(PayloadError, match=problem):
        request.to_bytes()


def test_the_device_may_be_set_in_the_client():
    request = SessionRequest(device_correlation_id_set_in_client=True)
    assert "deviceCorrelationId" not in json.loads(request.to_bytes())


@pytest.mark.parametrize(
    "answer",
    [{}, {"sessionId": 1, "authToken": "t"}, {"sessionId": "s"}, {**CREATED, "authToken": ""}],
)
def test_an_answer_without_id_and_token_is_malformed(answer):
    ours, _ = client(as_json(200, answer))
    with pytest.raises(MalformedAnswerError):
        ours.create(SessionRequest(device_correlation_id="d"))


def test_a_session_is_shown_with_its_result():
    ours, _ = client(as_json(200, SESSION))
    session = ours.get("0f0e-1")
    assert (session.status, session.expired, session.token_life_s) == (
        "ResultAvailable",
        False,
        600,
    )
    assert session.result.decision.decision == "spoofface"
    told = session.to_json()
    assert told["createdDateTime"] == "2026-01-05T12:00:00Z"
    assert told["result"]["digest"] == WIRE["digest"]
    assert "later" not in told


def test_deleting_and_what_comes_after():
    ours, transport = client(
        Scripted(200), as_json(404, {"error": {"code": "SessionNotFound", "message": "gone"}})
    )
    ours.delete("0f0e-1")
    assert transport.requests[0].method == "DELETE"
    with pytest.raises(NotFoundError, match="gone"):
        ours.get("0f0e-1")


@pytest.mark.parametrize("size", [1, 2, 5, 1000])
def test_all_sessions_are_listed_whatever_the_size_of_a_page(size):
    ids = [f"s{n}" for n in range(5)]

    def answer(request):
        start = request.url.params.get("start", "")
        left = [{"id": i, "sessionExpired": False} for i in ids if i > start]
        return as_json(200, left[:size])

    ours, _ = client(answer)
    assert [s.id for s in ours.list_all()] == ids


def test_a_listing_that_does_not_advance_is_ended():
    ours, _ = client(as_json(200, [{"id": "s"}]))
    with pytest.raises(MalformedAnswerError, match="advance"):
        list(ours.list_all())


@pytest.mark.parametrize("listed", [{}, "x", [1], [{"id": None}], [{"id": "s", "result": "x"}]])
def test_a_malformed_list_is_told(listed):
    ours, _ = client(as_json(200, listed))
    with pytest.raises(MalformedAnswerError):
        ours.page()


@pytest.mark.parametrize(
    "code",
    [
        "BadArgument",
        "InvalidRequestBody",
        "InvalidTokenLifetime",
        "InvalidLivenessOperationMode",
        "InvalidDeviceCorrelationId",
    ],
)
def test_the_services_own_code_is_kept(code):
    ours, _ = client(as_json(400, {"error": {"code": code, "message": "no"}}))
    with pytest.raises(BadRequestError) as caught:
        ours.get("s")
    assert caught.value.context.service_code == code


def test_a_token_makes_no_sessions_and_ids_walk_nowhere():
    with pytest.raises(CredentialError, match="subscription key"):
        SessionsClient(WHERE, BearerToken("t"))  # type: ignore[arg-type]  # as without types
    ours, transport = client()
    for call in (ours.get, ours.delete):
        with pytest.raises(EndpointError):
            call("../sessions")
    assert transport.requests == []
