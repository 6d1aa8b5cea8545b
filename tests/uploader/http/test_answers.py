"""Every status and every envelope becomes the error that the contract gives it."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.effort import examples
from tests.uploader.mutations import damaged
from uploader.errors import (
    BadRequestError,
    ContentTooLargeError,
    ForbiddenError,
    NotFoundError,
    QuotaExceededError,
    RateLimitedError,
    RedirectRefusedError,
    ServerError,
    ServiceError,
    ServiceTimeoutError,
    UnauthorizedError,
    UnexpectedStatusError,
    UnsupportedMediaTypeError,
)
from uploader.http.answers import MAX_WAIT_S, Answer, error_of, wait_named
from uploader.http.bad_requests import BAD_REQUESTS

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
RATE = "Rate limit is exceeded. Try again in 26 seconds."
QUOTA = "Out of call volume quota. Quota will be replenished in 2 days."


def answer(status, body=b"", **headers):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Answer(status, {"apim-request-id": "rq-7", **named}, data, "cl-7")


def enveloped(message, code="X"):
    return {"error": {"code": code, "message": message}}


@pytest.mark.parametrize(
    ("status", "body", "kind", "code", "wait_s"),
    [
        pytest.param(401, enveloped("Access denied."), UnauthorizedError, "unauthorized", None),
        pytest.param(401, b"", UnauthorizedError, "unauthorized", None, id="401 empty"),
        pytest.param(
            403,
            {"error": {"statusCode": 403, "message": QUOTA}},
            QuotaExceededError,
            "quota_exceeded",
            172_800.0,
            id="403 quota",
        ),
        pytest.param(
            403,
            {"statusCode": 403, "message": QUOTA},
            QuotaExceededError,
            "quota_exceeded",
            172_800,
        ),
        pytest.param(
            403, enveloped("Forbidden"), ForbiddenError, "forbidden", None, id="403 plain"
        ),
        pytest.param(404, enveloped("gone"), NotFoundError, "not_found", None, id="404"),
        pytest.param(408, b"OperationTimeOut.", ServiceTimeoutError, "service_timeout", None),
        pytest.param(
            415,
            enveloped("Invalid Media Type."),
            UnsupportedMediaTypeError,
            "unsupported_media_type",
            None,
            id="415",
        ),
        pytest.param(
            429,
            {"error": {"statusCode": 429, "message": RATE}},
            RateLimitedError,
            "rate_limited",
            26.0,
            id="429",
        ),
        pytest.param(429, RATE.encode(), RateLimitedError, "rate_limited", 26.0, id="429 text"),
        pytest.param(500, b"<html>oops</html>", ServerError, "server_error", None, id="500 HTML"),
        pytest.param(503, b"", ServerError, "server_error", None, id="503"),
        pytest.param(599, b"", ServerError, "server_error", None, id="599"),
        pytest.param(202, b"{}", UnexpectedStatusError, "unexpected_status", None, id="202"),
        pytest.param(413, b"", ContentTooLargeError, "content_too_large", None, id="413"),
        pytest.param(410, b"", NotFoundError, "not_found", None, id="410"),
        pytest.param(418, b"tea", UnexpectedStatusError, "unexpected_status", None, id="418"),
    ],
)
def test_each_status_has_its_type(status, body, kind, code, wait_s):
    error = error_of(answer(status, body))
    assert type(error) is kind
    assert (error.code, error.status, error.retry_after_s) == (code, status, wait_s)
    assert (error.request_id, error.client_request_id) == ("rq-7", "cl-7")
    assert error.message
    assert error.advice
    assert f"HTTP {status}" in str(error)


@pytest.mark.parametrize("entry", BAD_REQUESTS, ids=lambda e: e.code)
@pytest.mark.parametrize(
    "envelope",
    [
        lambda m: json.dumps({"error": {"code": "BadRequest", "message": m}}).encode(),
        lambda m: json.dumps(
            {"error": {"statusCode": 400, "message": f"BadRequest, {m}"}}
        ).encode(),
        lambda m: json.dumps({"statusCode": 400, "message": m}).encode(),
        lambda m: f"BadRequest, {m}".encode(),
    ],
    ids=["code", "statusCode", "top level", "text"],
)
def test_each_of_the_fourteen_is_told_apart_in_every_envelope(entry, envelope):
    error = error_of(answer(400, envelope(entry.message)))
    assert type(error) is BadRequestError
    assert (error.code, error.advice, error.final) == (entry.code, entry.advice, True)


@pytest.mark.parametrize("body", [b"", b"[]", b'{"error": []}', b'{"error": {"message": 1}}'])
def test_an_unknown_400_is_final_too(body):
    error = error_of(answer(400, body))
    assert (error.code, error.final) == ("bad_request", True)


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308])
def test_redirects_are_refused_and_the_target_shown_without_its_query(status):
    error = error_of(answer(status, location="https://evil.example/x?token=canary\r\n\x1b[2J"))
    assert type(error) is RedirectRefusedError
    assert "evil.example/x" in str(error)
    assert "canary" not in str(error)
    assert str(error).isprintable()


@pytest.mark.parametrize(
    ("header", "text", "wait_s"),
    [
        pytest.param("3", RATE, 3.0, id="header wins"),
        pytest.param(" 3 ", "", 3.0, id="spaces"),
        pytest.param("0", "", 0.0, id="zero"),
        pytest.param("1.5", "", 1.5, id="fraction"),
        pytest.param("Mon, 05 Jan 2026 12:00:30 GMT", "", 30.0, id="date"),
        pytest.param("Mon, 05 Jan 2026 11:00:00 GMT", "", 0.0, id="date gone by"),
        pytest.param("Mon, 05 Jan 2026 13:00:30 +0100", "", 30.0, id="date with zone"),
        pytest.param("soon", RATE, 26.0, id="nonsense falls back to the text"),
        pytest.param("-5", RATE, 26.0, id="negative"),
        pytest.param("999999999999", "", MAX_WAIT_S, id="capped"),
        pytest.param("Fri, 31 Dec 9999 23:59:59 GMT", "", MAX_WAIT_S, id="far date capped"),
        pytest.param("Mon, 99 Jan 2026 12:00:30 GMT", "", None, id="impossible date"),
        pytest.param(None, RATE, 26.0, id="text"),
        pytest.param(None, "Try again in 1 second.", 1.0, id="one second"),
        pytest.param(None, "try again in 3 minutes", 180.0, id="minutes"),
        pytest.param(None, QUOTA, 172_800.0, id="days"),
        pytest.param(
            None, "Quota will be replenished in 01:02:03.", 3723.0, id="the gateway's clock form"
        ),
        pytest.param(None, "Quota will be replenished in 2.00:00:01.", 172_801.0, id="with days"),
        pytest.param(None, "Please wait.", None, id="no number"),
        pytest.param(None, "26 seconds", None, id="no phrase"),
        pytest.param(None, "try again " * 10_000, None, id="long text is quick"),
        pytest.param(None, "try again in 999999999 days", MAX_WAIT_S, id="text capped"),
    ],
)
def test_the_wait_is_read_from_header_or_text(header, text, wait_s):
    assert wait_named(header, text, NOW) == wait_s


@given(st.text(max_size=80))
def test_no_header_is_too_strange(value):
    waited = wait_named(value, "", NOW)
    assert waited is None or 0.0 <= waited <= MAX_WAIT_S


def test_hostile_texts_become_one_printable_bounded_line():
    nasty = "\x1b]0;owned\x07\r\nSet-Cookie: x\u202e" + "A" * 100_000
    error = error_of(answer(400, enveloped(nasty, code=nasty), apim_request_id=nasty))
    assert str(error).isprintable()
    assert len(str(error)) < 600
    assert error.request_id is not None
    assert error.request_id.isprintable()
    assert len(error.request_id) <= 128


@given(st.integers(100, 599), st.binary(max_size=200))
@settings(max_examples=examples(100))
def test_any_answer_gives_a_typed_error(status, body):
    assert isinstance(error_of(answer(status, body)), ServiceError)


@pytest.mark.slow
def test_ten_thousand_damaged_envelopes_give_a_typed_error():
    seeds = [json.dumps(enveloped(RATE)).encode(), json.dumps({"message": QUOTA}).encode()]
    for body in damaged(seeds):
        assert str(error_of(answer(429, body))).isprintable()
