"""Session tokens for kiosks: from a file, the environment, or the operator's application server.

A source gives either the bare token or JSON with ``authToken`` and, if known, ``sessionId`` and
the token's life (``authTokenTimeToLiveInSeconds``, ``expiresInSeconds``, or ``expires`` as RFC
3339): the service's own answer to creating a session, passed on, is enough.
"""

from __future__ import annotations

import base64
import binascii
import json
import logging
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

import httpx

from uploader.clock import DeliveryClock, SystemDeliveryClock
from uploader.errors import (
    CredentialError,
    MalformedAnswerError,
    TokenExpiredError,
    TokenSourceError,
    UploaderError,
)
from uploader.http.credentials import (
    MAX_SECRET_FILE,
    TOKEN_VARIABLE,
    BearerToken,
    read_secret_text,
)
from uploader.http.endpoint import SESSION_ID, is_local
from uploader.http.exchange import Call, Exchange, HttpOptions
from uploader.http.json_body import parse_json

EARLY_S: Final = 60.0
"""Renew this long before the end: a session of some seconds must fit, and its upload."""

_LIVES = ("authTokenTimeToLiveInSeconds", "expiresInSeconds", "expires_in")
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SessionToken:
    """A token, the session it is for, and when it stops working, as far as that is known."""

    token: BearerToken = field(repr=False)
    session_id: str | None = None
    expires: datetime | None = None


class TokenSource(Protocol):
    """Where tokens come from."""

    def fetch(self) -> str:
        """Return what the source holds or makes; raises `CredentialError`."""
        ...


@dataclass(frozen=True, slots=True)
class FileSource:
    """A file that the operator's agent keeps fresh."""

    path: Path

    def fetch(self) -> str:
        """Read the file anew."""
        return read_secret_text(self.path)


@dataclass(frozen=True, slots=True)
class EnvironmentSource:
    """``FACELIGHT_TOKEN``: one token for one session."""

    environment: Mapping[str, str] = field(repr=False)

    def fetch(self) -> str:
        """Return the variable."""
        text = self.environment.get(TOKEN_VARIABLE, "").strip()
        if not text:
            raise TokenSourceError(f"{TOKEN_VARIABLE} is not set")
        return text


@dataclass(frozen=True, slots=True)
class CommandSource:
    """A program that prints a token; run without a shell, its output never shown."""

    argv: Sequence[str]
    timeout_s: float = 30.0

    def fetch(self) -> str:
        """Run it."""
        if not self.argv:
            raise TokenSourceError("token command: none is given")
        name = Path(self.argv[0]).name
        try:
            done = subprocess.run(  # noqa: S603 - the operator's own command, no shell
                list(self.argv),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=self.timeout_s,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise TokenSourceError(
                f"token command {name}: no token within {self.timeout_s:g} s"
            ) from error
        except OSError as error:
            raise TokenSourceError(
                f"token command {name}: cannot be run: {error.strerror}"
            ) from error
        if done.returncode != 0:
            raise TokenSourceError(f"token command {name}: ended with {done.returncode}")
        if len(done.stdout) > MAX_SECRET_FILE:
            raise TokenSourceError(f"token command {name}: prints too much for a token")
        return done.stdout.decode("utf-8", "replace").strip()


class UrlSource:
    """A URL of the operator's application server that makes a session and answers its token."""

    def __init__(
        self,
        url: str,
        options: HttpOptions | None = None,
        *,
        transport: httpx.BaseTransport | None = None,
        clock: DeliveryClock | None = None,
    ) -> None:
        try:
            parts = urlsplit(url)
            usable = bool(parts.hostname) and url.isascii() and url.isprintable()
        except ValueError:
            usable = False
        if not usable or not (
            parts.scheme == "https" or (parts.scheme == "http" and is_local(url))
        ):
            raise TokenSourceError("token URL: expected https://, or http:// on this machine")
        # A URL may hold a secret of its own: messages name the host only.
        self.host = parts.hostname
        self._url = url
        self._exchange = Exchange(options, transport=transport, clock=clock)

    def fetch(self) -> str:
        """POST an empty JSON object and return the answer."""
        headers = {"Content-Type": "application/json"}
        call = Call("POST", self._url, b"{}", headers, max_answer_bytes=MAX_SECRET_FILE)
        try:
            answer = self._exchange.send(call)
        except UploaderError as error:
            raise TokenSourceError(f"token URL at {self.host}: {error.message}") from error
        if answer.status not in {200, 201}:
            raise TokenSourceError(f"token URL at {self.host}: HTTP status {answer.status}")
        return answer.body.decode("utf-8", "replace").strip()

    def close(self) -> None:
        """Close the connections."""
        self._exchange.close()


class TokenProvider:
    """Holds the current token and renews it before it runs out."""

    def __init__(
        self, source: TokenSource, clock: DeliveryClock | None = None, early_s: float = EARLY_S
    ) -> None:
        self._source = source
        self._clock: DeliveryClock = clock or SystemDeliveryClock()
        self._early_s = early_s
        self._held: SessionToken | None = None
        self._ends_s: float | None = None

    def close(self) -> None:
        """Close the source's connections, where it has some."""
        if isinstance(self._source, UrlSource):
            self._source.close()

    def next_session(self) -> SessionToken:
        """Fetch the token of a new session: a token serves one person's session.

        Raises
        ------
        TokenSourceError, CredentialError
            the source gave none.
        TokenExpiredError
            it gave one that has run out.
        """
        self._hold(parse_token(self._source.fetch(), self._clock.utc()))
        return self.current()

    def current(self) -> SessionToken:
        """Return the token, renewed when it is about to run out."""
        left_s = self._left_s()
        if self._held is None or (left_s is not None and left_s <= self._early_s):
            self._renew(left_s)
        left_s = self._left_s()
        if self._held is None or (left_s is not None and left_s <= 0.0):
            raise TokenExpiredError(
                "the session's token has run out", advice="the source of tokens must renew it"
            )
        return self._held

    def _renew(self, left_s: float | None) -> None:
        try:
            self._hold(parse_token(self._source.fetch(), self._clock.utc()))
        except CredentialError as error:
            if left_s is None or left_s <= 0.0:
                raise
            _LOG.warning("the token ends in %.0f s and cannot be renewed: %s", left_s, error)

    def _hold(self, token: SessionToken) -> None:
        self._held = token
        # From here on the monotonic clock counts: the wall clock may jump.
        self._ends_s = (
            None
            if token.expires is None
            else self._clock.monotonic_s() + (token.expires - self._clock.utc()).total_seconds()
        )

    def _left_s(self) -> float | None:
        return None if self._ends_s is None else self._ends_s - self._clock.monotonic_s()


def parse_token(text: str, now: datetime) -> SessionToken:
    """Read what a source gave: a bare token or JSON; its content never appears in an error."""
    if not text.startswith("{"):
        return _session_token(text, None, None)
    try:
        fields = parse_json(text.encode("utf-8", "replace"))
    except MalformedAnswerError as error:
        raise TokenSourceError("the token's JSON is malformed") from error
    token, session_id = fields.get("authToken"), fields.get("sessionId")
    if not isinstance(token, str):
        raise TokenSourceError("the token's JSON holds no authToken")
    if session_id is not None and not (
        isinstance(session_id, str) and SESSION_ID.fullmatch(session_id)
    ):
        raise TokenSourceError("the token's JSON holds a malformed sessionId")
    return _session_token(token, session_id, _expiry(fields, now))


def _session_token(text: str, session_id: str | None, expires: datetime | None) -> SessionToken:
    token = BearerToken.parse(text)
    return SessionToken(token, session_id, expires or _jwt_expiry(token.reveal()))


def _expiry(fields: Mapping[str, Any], now: datetime) -> datetime | None:
    given = fields.get("expires")
    if isinstance(given, str):
        try:
            moment = datetime.fromisoformat(given)
        except ValueError as error:
            raise TokenSourceError("expires: expected RFC 3339") from error
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    lives = [fields[name] for name in _LIVES if name in fields]
    for life in lives:
        if isinstance(life, bool) or not isinstance(life, int | float) or not 0 < life <= 1e7:
            raise TokenSourceError("the token's life: expected seconds")
        return now + timedelta(seconds=life)
    return None


def _jwt_expiry(token: str) -> datetime | None:
    """Return the ``exp`` of a JSON Web Token, None for any other token. Nothing is verified."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        padded = parts[1] + "=" * (-len(parts[1]) % 4)
        claims = json.loads(base64.urlsafe_b64decode(padded))
        exp = claims.get("exp") if isinstance(claims, dict) else None
        return None if exp is None else datetime.fromtimestamp(float(exp), UTC)
    except (binascii.Error, ValueError, TypeError, OverflowError, OSError, RecursionError):
        return None
