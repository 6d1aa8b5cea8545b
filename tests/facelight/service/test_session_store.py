"""Sessions and tokens on a clock that passes only when it is told to."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capture.clock import VirtualClock
from facelight.service.audit import Page
from facelight.service.errors import ApiError
from facelight.service.options import SessionRules
from facelight.service.session_store import Calendar, SessionStore
from facelight.service.sessions import CreateSessionBody, read_session_request

RULES = SessionRules()
EPOCH = datetime(2023, 10, 20, 23, 9, 59, 453307, UTC)
REQUEST = CreateSessionBody(False, "device", 600)


class Desk:
    """A store and its clock."""

    def __init__(self, rules: SessionRules = RULES) -> None:
        self.clock = VirtualClock(5_000)
        self.store = SessionStore(Calendar(self.clock, EPOCH), rules)

    def wait(self, seconds: float) -> None:
        self.clock.sleep_until(self.clock.now_ns() + round(seconds * 1e9))


@pytest.fixture
def desk() -> Desk:
    return Desk()


def status(error: pytest.ExceptionInfo[ApiError]) -> tuple[int, str | None]:
    return error.value.status, error.value.code


def test_dates_have_seven_digits_and_follow_the_clock(desk: Desk) -> None:
    calendar = Calendar(desk.clock, EPOCH)
    assert calendar.text(5_000) == "2023-10-20T23:09:59.4533070+00:00"
    assert calendar.text(5_800) == "2023-10-20T23:09:59.4533078+00:00"
    assert calendar.text(5_000 + 600_000_000) == "2023-10-20T23:10:00.0533070+00:00"


def test_a_session_lives_48_hours_and_not_a_moment_more(desk: Desk) -> None:
    session, _ = desk.store.create(REQUEST)
    desk.wait(48 * 3600 - 0.001)
    assert desk.store.get(session.id) is session
    desk.wait(0.001)
    with pytest.raises(ApiError) as error:
        desk.store.get(session.id)
    assert status(error) == (404, "SessionNotFound")
    assert desk.store.page(Page(None, 1000)) == []


def test_a_token_lives_as_long_as_it_was_asked_to(desk: Desk) -> None:
    session, token = desk.store.create(dataclasses.replace(REQUEST, token_life_s=60))
    desk.wait(59.999)
    assert desk.store.by_token(token) is session
    assert desk.store.item(session)["sessionExpired"] is False
    desk.wait(0.001)
    with pytest.raises(ApiError) as error:
        desk.store.by_token(token)
    assert status(error) == (401, "Unspecified")
    assert desk.store.item(session)["sessionExpired"] is True


def test_deleting_a_session_blocks_its_token(desk: Desk) -> None:
    session, token = desk.store.create(REQUEST)
    desk.store.delete(session.id)
    with pytest.raises(ApiError) as error:
        desk.store.by_token(token)
    assert status(error) == (401, "Unspecified")
    with pytest.raises(ApiError) as error:
        desk.store.delete(session.id)
    assert status(error) == (404, "SessionNotFound")


def test_a_token_calls_three_times_and_once_in_five_seconds(desk: Desk) -> None:
    session, _ = desk.store.create(REQUEST)
    desk.store.begin_call(session)
    desk.wait(1.5)
    with pytest.raises(ApiError, match="Try again in 4 seconds") as error:
        desk.store.begin_call(session)
    assert status(error) == (429, None)
    for _ in range(2):
        desk.wait(5)
        desk.store.begin_call(session)
    desk.wait(5)
    with pytest.raises(ApiError, match="Try again in 584 seconds"):
        desk.store.begin_call(session)
    assert session.calls == 3


def test_the_oldest_session_goes_when_there_are_too_many() -> None:
    desk = Desk(dataclasses.replace(RULES, max_sessions=3))
    made = [desk.store.create(REQUEST) for _ in range(5)]
    kept = desk.store.page(Page(None, 1000))
    assert {s.id for s in kept} == {session.id for session, _ in made[2:]}
    with pytest.raises(ApiError):
        desk.store.by_token(made[0][1])


def test_the_list_ascends_and_goes_on_above_start(desk: Desk) -> None:
    for _ in range(7):
        desk.store.create(REQUEST)
    everything = [s.id for s in desk.store.page(Page(None, 1000))]
    assert everything == sorted(everything)
    seen: list[str] = []
    while page := desk.store.page(Page(seen[-1] if seen else None, 3)):
        seen += [s.id for s in page]
    assert seen == everything


def test_tokens_are_kept_as_hashes_alone(desk: Desk) -> None:
    session, token = desk.store.create(REQUEST)
    held = [getattr(session, field.name) for field in dataclasses.fields(session)]
    assert token not in repr(held)


def body(**fields: object) -> bytes:
    valid: dict[str, object] = {"livenessOperationMode": "Passive", "deviceCorrelationId": "d"}
    return json.dumps(valid | fields).encode()


def test_defaults_of_a_session_are_the_documented_ones() -> None:
    assert read_session_request(body(), RULES) == CreateSessionBody(False, "d", 600)


@pytest.mark.parametrize("mode", ["passive", "PASSIVEACTIVE", "PassiveActive"])
def test_modes_are_read_in_any_case(mode: str) -> None:
    read_session_request(body(livenessOperationMode=mode), RULES)


def test_a_device_id_that_the_client_sets_is_not_asked_for() -> None:
    request = read_session_request(
        body(deviceCorrelationIdSetInClient=True, deviceCorrelationId=None), RULES
    )
    assert request.device_correlation_id is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        pytest.param(b"", "InvalidRequestBody", id="empty"),
        pytest.param(b"[]", "InvalidRequestBody", id="an array"),
        pytest.param(b"[" * 60_000, "InvalidRequestBody", id="deep nesting"),
        pytest.param(b" " * 70_000, "InvalidRequestBody", id="too long"),
        pytest.param(body(sendResultsToClient="yes"), "InvalidRequestBody", id="send as text"),
        pytest.param(body(livenessOperationMode="Active"), "InvalidLivenessOperationMode", id="m"),
        pytest.param(body(livenessOperationMode=None), "InvalidLivenessOperationMode", id="none"),
        pytest.param(body(deviceCorrelationId=None), "InvalidDeviceCorrelationId", id="no device"),
        pytest.param(body(deviceCorrelationId=" "), "InvalidDeviceCorrelationId", id="blank"),
        pytest.param(body(deviceCorrelationId="x" * 65), "InvalidDeviceCorrelationId", id="long"),
        pytest.param(
            body(deviceCorrelationIdSetInClient=True), "InvalidDeviceCorrelationId", id="set twice"
        ),
        *(
            pytest.param(
                body(authTokenTimeToLiveInSeconds=value), "InvalidTokenLifetime", id=f"life {value}"
            )
            for value in (59, 86401, "600", 600.0, True)
        ),
    ],
)
def test_a_wrong_field_has_its_own_code(text: bytes, code: str) -> None:
    with pytest.raises(ApiError) as error:
        read_session_request(text, RULES)
    assert status(error) == (400, code)


@given(st.binary(max_size=200))
def test_no_body_breaks_the_session_reader(text: bytes) -> None:
    try:
        read_session_request(text, RULES)
    except ApiError as error:
        assert error.status == 400  # noqa: PT017
