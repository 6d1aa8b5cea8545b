"""Session tokens: four sources, renewed in time, never shown."""

from __future__ import annotations

import base64
import json
import logging
import sys
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.uploader import socket_service as net
from tests.uploader.samples import error_of
from tests.uploader.socket_service import serving
from uploader.errors import CredentialError, TokenExpiredError, TokenSourceError
from uploader.http.tokens import (
    CommandSource,
    EnvironmentSource,
    FileSource,
    TokenProvider,
    UrlSource,
    parse_token,
)
from uploader.testing import FakeClock, FakeTransport, Scripted, as_json

NOW = FakeClock().utc()
CANARY = "canary-token-0123456789"


def jwt(exp):
    def part(value):
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    return f"{part({'alg': 'none'})}.{part({'exp': exp})}.sig"


@pytest.mark.parametrize(
    ("text", "session_id", "life_s"),
    [
        pytest.param("tok", None, None, id="bare"),
        pytest.param("Bearer tok", None, None, id="with its scheme"),
        pytest.param('{"authToken": "tok"}', None, None, id="JSON"),
        pytest.param('{"authToken": "tok", "sessionId": "s-1"}', "s-1", None, id="with session"),
        pytest.param(
            '{"authToken": "tok", "authTokenTimeToLiveInSeconds": 600}', None, 600, id="life"
        ),
        pytest.param('{"authToken": "tok", "expiresInSeconds": 60.5}', None, 60.5, id="seconds"),
        pytest.param(
            '{"authToken": "tok", "expires": "2026-01-05T12:10:00Z"}', None, 600, id="date"
        ),
        pytest.param(
            '{"authToken": "tok", "expires": "2026-01-05T12:10:00"}', None, 600, id="naive date"
        ),
    ],
)
def test_what_a_source_gives_is_understood(text, session_id, life_s):
    token = parse_token(text, NOW)
    assert token.token.reveal() == "tok"
    assert token.session_id == session_id
    assert token.expires == (None if life_s is None else NOW + timedelta(seconds=life_s))


def test_a_json_web_token_tells_its_end_itself():
    text = jwt((NOW + timedelta(seconds=300)).timestamp())
    assert parse_token(text, NOW).expires == NOW + timedelta(seconds=300)


@pytest.mark.parametrize("exp", [None, "x", 1e400, -1e30, [], {}])
def test_a_strange_web_token_just_has_no_known_end(exp):
    assert parse_token(jwt(exp), NOW).expires is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "two words",
        "{",
        "{}",
        '{"authToken": 1}',
        '{"authToken": ""}',
        f'{{"authToken": "{CANARY}", "sessionId": "../x"}}',
        f'{{"authToken": "{CANARY}", "expires": "soon"}}',
        f'{{"authToken": "{CANARY}", "expiresInSeconds": -1}}',
        f'{{"authToken": "{CANARY}", "expiresInSeconds": true}}',
    ],
)
def test_what_is_no_token_is_refused_without_repeating_it(text):
    problem = error_of(lambda: parse_token(text, NOW))
    assert isinstance(problem, CredentialError)
    assert CANARY not in str(problem)


@given(st.text(max_size=60) | st.text(max_size=60).map(lambda t: "{" + t))
def test_any_text_is_a_token_or_a_typed_error(text):
    problem = error_of(lambda: parse_token(text, NOW))
    assert problem is None or isinstance(problem, CredentialError)


def test_from_a_file_that_someone_keeps_fresh(tmp_path):
    file = tmp_path / "token"
    file.write_text("one\n")
    provider = TokenProvider(FileSource(file), FakeClock())
    assert provider.next_session().token.reveal() == "one"
    file.write_text('{"authToken": "two", "sessionId": "s"}')
    assert provider.current().token.reveal() == "one"
    assert provider.next_session().token.reveal() == "two"


def test_from_the_environment():
    assert EnvironmentSource({"FACELIGHT_TOKEN": "t\n"}).fetch() == "t"
    assert CANARY not in repr(EnvironmentSource({"FACELIGHT_TOKEN": CANARY}))
    with pytest.raises(TokenSourceError, match="FACELIGHT_TOKEN"):
        EnvironmentSource({}).fetch()


def python(code, **more):
    return CommandSource([sys.executable, "-c", code], **more)


def test_from_a_command():
    source = python('print(\'{"authToken": "tok", "sessionId": "s"}\')')
    assert TokenProvider(source, FakeClock()).next_session().session_id == "s"


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        pytest.param(python(f"import sys; print('{CANARY}'); sys.exit(3)"), "ended with 3", id="3"),
        pytest.param(python("print('x' * 100000)"), "prints too much", id="much"),
        pytest.param(
            python("import sys; sys.stdin.read(); import time; time.sleep(20)", timeout_s=0.3),
            "within 0.3 s",
            id="hangs",
        ),
        pytest.param(CommandSource(["/nonexistent/tok"]), "cannot be run", id="missing"),
        pytest.param(CommandSource([]), "none is given", id="none"),
    ],
)
def test_a_command_that_fails_is_told_without_its_output(source, problem):
    with pytest.raises(TokenSourceError, match=problem) as caught:
        source.fetch()
    assert CANARY not in str(caught.value)


def test_from_the_application_servers_url(caplog):
    caplog.set_level(logging.DEBUG)
    body = json.dumps({"authToken": CANARY, "sessionId": "s-1"}).encode()
    with serving(net.answer(200, body)) as service:
        url = f"{service.endpoint.url}/liveness-session?kiosk=7&secret={CANARY}"
        provider = TokenProvider(UrlSource(url), FakeClock())
        token = provider.next_session()
        provider.close()
    assert (token.session_id, token.token.reveal()) == ("s-1", CANARY)
    assert service.talks[0].head.startswith(b"POST /liveness-session?kiosk=7")
    assert "ocp-apim-subscription-key" not in service.talks[0].headers
    assert CANARY not in caplog.text
    assert CANARY not in repr(token)


def test_a_provider_closes_the_connections_of_its_source(monkeypatch, tmp_path):
    closed = []

    def close(source):
        closed.append(source)

    monkeypatch.setattr(UrlSource, "close", close)
    source = UrlSource("https://a.example/t")
    TokenProvider(source, FakeClock()).close()
    TokenProvider(FileSource(tmp_path / "token"), FakeClock()).close()
    assert closed == [source]


@pytest.mark.parametrize(
    "url",
    ["http://a.example/t", "ftp://a.example", "https://", "x", "https://[::1", "https://a\r\nb"],
)
def test_tokens_travel_encrypted_or_within_the_machine(url):
    with pytest.raises(TokenSourceError, match="https"):
        UrlSource(url)


@pytest.mark.parametrize(
    "step", [Scripted(500, CANARY.encode()), Scripted(302), as_json(200, {"authToken": None})]
)
def test_a_url_that_gives_no_token_is_told_by_its_host_alone(step):
    url = f"https://app.example/t?secret={CANARY}"
    provider = TokenProvider(UrlSource(url, transport=FakeTransport(step)), FakeClock())
    with pytest.raises(TokenSourceError) as caught:
        provider.next_session()
    assert CANARY not in str(caught.value)


class Mint:
    """Gives token after token, each with a life of ten minutes; can be out of order."""

    def __init__(self, life_s=600):
        self.count, self.life_s, self.broken = 0, life_s, False

    def fetch(self):
        if self.broken:
            raise TokenSourceError("out of order")
        self.count += 1
        return json.dumps({"authToken": f"t{self.count}", "expiresInSeconds": self.life_s})


def test_a_token_is_kept_until_shortly_before_its_end():
    clock, mint = FakeClock(), Mint()
    provider = TokenProvider(mint, clock, early_s=60.0)
    assert provider.current().token.reveal() == "t1"
    clock.advance(539)
    assert provider.current().token.reveal() == "t1"
    clock.advance(2)
    assert provider.current().token.reveal() == "t2"


def test_when_it_cannot_be_renewed_the_old_one_serves_to_its_end(caplog):
    clock, mint = FakeClock(), Mint()
    provider = TokenProvider(mint, clock, early_s=60.0)
    provider.current()
    mint.broken = True
    clock.advance(550)
    assert provider.current().token.reveal() == "t1"
    assert "cannot be renewed" in caplog.text
    clock.advance(60)
    with pytest.raises(TokenSourceError):
        provider.current()


def test_a_source_that_gives_expired_tokens_is_told():
    clock = FakeClock()
    text = json.dumps({"authToken": "t", "expires": "2026-01-05T11:59:00Z"})
    with pytest.raises(TokenExpiredError, match="run out"):
        TokenProvider(type("Old", (), {"fetch": lambda _self: text})(), clock).next_session()


def test_a_jump_of_the_wall_clock_ends_no_token():
    clock = FakeClock()
    provider = TokenProvider(Mint(), clock)
    provider.current()
    clock.jump(1e8)
    assert provider.current().token.reveal() == "t1"


def test_each_session_gets_a_token_of_its_own():
    provider = TokenProvider(Mint(), FakeClock())
    assert [provider.next_session().token.reveal() for _ in range(3)] == ["t1", "t2", "t3"]
