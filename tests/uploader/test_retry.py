"""The policy as a pure function."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.uploader.samples import KEY, submission
from uploader import errors as e
from uploader.api.detect import DetectClient
from uploader.api.submission import Origin
from uploader.errors import Context
from uploader.http.credentials import BearerToken
from uploader.http.endpoint import Endpoint
from uploader.retry import DIRECT, Action, History, RetryPolicy, decide, deliver
from uploader.testing import (
    FakeClock,
    FakeTransport,
    Scripted,
    bad_request,
    out_of_quota,
    rate_limited,
    realface,
    unauthorized,
)

PLAIN = RetryPolicy(jitter=0.0)
FIRST = History(1, 0.0)


def made(kind, status=None, wait_s=None, **more):
    return kind("x", Context(status, retry_after_s=wait_s), **more)


@pytest.mark.parametrize(
    ("error", "action", "item_s", "service_s"),
    [
        pytest.param(made(e.BadRequestError, 400), Action.REFUSE, 0, 0, id="400"),
        pytest.param(made(e.PayloadError), Action.REFUSE, 0, 0, id="payload"),
        pytest.param(made(e.ProvenanceError), Action.REFUSE, 0, 0, id="simulated"),
        pytest.param(made(e.UnauthorizedError, 401), Action.STOP, 0, 0, id="401"),
        pytest.param(made(e.ForbiddenError, 403), Action.STOP, 0, 0, id="403 plain"),
        pytest.param(made(e.NotFoundError, 404), Action.STOP, 0, 0, id="404"),
        pytest.param(made(e.CredentialError), Action.STOP, 0, 0, id="no credential"),
        pytest.param(made(e.EndpointError), Action.STOP, 0, 0, id="endpoint"),
        pytest.param(made(e.UnsupportedMediaTypeError, 415), Action.HOLD, 0, 0, id="415"),
        pytest.param(made(e.UnexpectedStatusError, 418), Action.HOLD, 0, 0, id="418"),
        pytest.param(made(e.TokenExpiredError, 401), Action.HOLD, 0, 0, id="token"),
        pytest.param(
            made(e.QuotaExceededError, 403, 172_800.0), Action.WAIT, 0, 172_800, id="403 quota"
        ),
        pytest.param(made(e.RateLimitedError, 429, 26.0), Action.WAIT, 0, 26, id="429 named"),
        pytest.param(made(e.RateLimitedError, 429), Action.WAIT, 0, 2, id="429 unnamed"),
        pytest.param(made(e.RateLimitedError, 429, 0.0), Action.WAIT, 0, 2, id="429 named zero"),
        pytest.param(made(e.ConnectError), Action.WAIT, 0, 2, id="unreachable"),
        pytest.param(made(e.ConnectTimeoutError), Action.WAIT, 0, 2, id="connect timeout"),
        pytest.param(made(e.RedirectRefusedError, 307), Action.WAIT, 0, 2, id="307"),
        pytest.param(made(e.ServiceTimeoutError, 408), Action.WAIT, 2, 0, id="408"),
        pytest.param(made(e.ServerError, 500), Action.WAIT, 2, 0, id="500"),
        pytest.param(made(e.ServerError, 503, 9.0), Action.WAIT, 9, 9, id="503 named"),
        pytest.param(made(e.ConnectionLostError), Action.WAIT, 2, 0, id="lost"),
        pytest.param(made(e.WriteTimeoutError), Action.WAIT, 2, 0, id="write timeout"),
        pytest.param(made(e.ReadTimeoutError), Action.WAIT, 2, 0, id="read timeout"),
        pytest.param(made(e.TotalTimeoutError), Action.WAIT, 2, 0, id="total timeout"),
        pytest.param(made(e.MalformedAnswerError, 200), Action.WAIT, 2, 0, id="malformed"),
        pytest.param(made(e.OversizedAnswerError, 200), Action.WAIT, 2, 0, id="oversized"),
    ],
)
def test_each_error_has_its_consequence(error, action, item_s, service_s):
    step = decide(PLAIN, error, FIRST, 0.5)
    assert (step.action, step.item_wait_s, step.service_wait_s) == (action, item_s, service_s)


@pytest.mark.parametrize(
    ("error", "action"),
    [
        pytest.param(made(e.UnauthorizedError, 401), Action.HOLD, id="401"),
        pytest.param(made(e.ForbiddenError, 403), Action.HOLD, id="403"),
        pytest.param(made(e.NotFoundError, 404), Action.HOLD, id="404"),
        pytest.param(made(e.ConnectError), Action.WAIT, id="unreachable"),
    ],
)
def test_what_concerns_one_sessions_token_stops_nobody_else(error, action):
    assert decide(PLAIN, error, History(1, 0.0, own_token=True), 0.0).action is action


def test_a_tokens_own_rate_limit_holds_back_that_submission_alone():
    limited = made(e.RateLimitedError, 429, 5.0)
    step = decide(PLAIN, limited, History(1, 0.0, own_token=True), 0.0)
    assert (step.item_wait_s, step.service_wait_s) == (5.0, 0.0)


@pytest.mark.parametrize(
    "history",
    [History(PLAIN.max_attempts, 0.0), History(2, PLAIN.budget_s)],
    ids=["attempts", "time"],
)
def test_when_attempts_or_time_are_used_up_it_is_kept_but_not_tried(history):
    step = decide(PLAIN, made(e.ServerError, 500), history, 0.0)
    assert (step.action, step.reason) == (Action.HOLD, "given_up")


def test_a_wait_beyond_the_budget_is_not_begun():
    quota = made(e.QuotaExceededError, 403, PLAIN.budget_s + 1)
    assert decide(PLAIN, quota, FIRST, 0.0).action is Action.HOLD


def test_back_off_doubles_up_to_its_cap():
    waits = [PLAIN.backoff_s(n, 0.5) for n in range(1, 12)]
    assert waits[:5] == [2, 4, 8, 16, 32]
    assert waits[-1] == PLAIN.max_s


@given(st.integers(0, 10**9), st.floats(0, 1, exclude_max=True))
def test_back_off_stays_within_its_jitter(failures, chance):
    policy = RetryPolicy()
    assert policy.initial_s * 0.75 <= policy.backoff_s(failures, chance) <= policy.max_s * 1.25


@given(st.floats(0, 1e6), st.floats(0, 1, exclude_max=True))
def test_a_named_wait_is_never_shortened(wait_s, chance):
    policy = RetryPolicy()
    assert wait_s <= policy.named_s(wait_s, chance) <= wait_s + policy.initial_s


ERRORS = [
    kind
    for kind in vars(e).values()
    if isinstance(kind, type) and issubclass(kind, e.UploaderError)
]


@given(
    st.sampled_from(ERRORS),
    st.none() | st.floats(0, 1e7),
    st.integers(1, 5000),
    st.floats(0, 1e7),
    st.booleans(),
    st.floats(0, 1, exclude_max=True),
)
def test_every_error_is_decided_and_no_wait_is_negative_or_endless(
    kind, wait_s, attempts, elapsed_s, own_token, chance
):
    step = decide(PLAIN, made(kind, 503, wait_s), History(attempts, elapsed_s, own_token), chance)
    waits = (step.item_wait_s, step.service_wait_s)
    assert all(0.0 <= wait <= PLAIN.budget_s for wait in waits)
    assert (step.action is Action.WAIT) == (max(waits) >= 1.5)


def delivered(*steps, policy=PLAIN, token=None):
    clock, transport = FakeClock(), FakeTransport(*steps)
    where = Endpoint("https://a.example")
    client = DetectClient(where, KEY, transport=transport, clock=clock)
    sent = submission(origin=Origin(token=token))
    return deliver(client, sent, policy, clock, lambda: 0.0), clock, transport


def test_delivering_now_waits_and_tries_with_the_same_bytes():
    outcome, clock, transport = delivered(Scripted(503), rate_limited(26), realface())
    assert outcome.delivered
    assert clock.sleeps == [2.0, 26.0]
    assert len(set(transport.bodies)) == 1
    assert len({r.headers["client-request-id"] for r in transport.requests}) == 1


@pytest.mark.parametrize(
    ("step", "attempts"),
    [
        pytest.param(bad_request(12), 1, id="400"),
        pytest.param(unauthorized(), 1, id="401"),
        pytest.param(out_of_quota(2), 1, id="quota of days is not waited for"),
        pytest.param(Scripted(500), DIRECT.max_attempts, id="500 until given up"),
    ],
)
def test_delivering_now_gives_up_when_waiting_is_useless(step, attempts):
    outcome, _, transport = delivered(step, policy=DIRECT)
    assert outcome.error is not None
    assert len(transport.requests) == attempts


def test_a_401_of_an_own_token_is_told_as_such():
    outcome, _, _ = delivered(unauthorized(), token=BearerToken("t"))
    assert outcome.error.code == "token_expired"
