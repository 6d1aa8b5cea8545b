"""Sessions in memory: bounded, without images, gone when the service ends.

The store is used from the event loop alone and therefore holds no lock.
"""

from __future__ import annotations

import hashlib
import math
import secrets
import uuid
from collections import OrderedDict
from datetime import UTC, datetime, timedelta
from typing import Any

from capture.clock import Clock
from facelight.service.audit import Page
from facelight.service.errors import session_not_found, too_many, unauthorized
from facelight.service.options import SessionRules
from facelight.service.sessions import CreateSessionBody, StoredSession

_NS = 1_000_000_000


class Calendar:
    """Dates of a monotonic clock: the wall clock is read once, so that no step of it shows."""

    def __init__(self, clock: Clock, epoch: datetime | None = None) -> None:
        self.clock = clock
        self._epoch = epoch or datetime.now(UTC)
        self._origin_ns = clock.now_ns()

    def text(self, t_ns: int) -> str:
        """Return RFC 3339 with the seven digits of the service's own dates."""
        since_ns = t_ns - self._origin_ns
        whole = self._epoch.replace(microsecond=0)
        ticks = self._epoch.microsecond * 10 + since_ns // 100
        moment = whole + timedelta(seconds=ticks // 10_000_000)
        return f"{moment:%Y-%m-%dT%H:%M:%S}.{ticks % 10_000_000:07d}+00:00"


class SessionStore:
    """Creates, finds, lists and deletes sessions, and counts what their tokens may still do."""

    def __init__(self, calendar: Calendar, rules: SessionRules) -> None:
        self._calendar = calendar
        self._clock = calendar.clock
        self._rules = rules
        self._sessions: OrderedDict[str, StoredSession] = OrderedDict()
        self._by_token: dict[str, str] = {}

    def create(self, request: CreateSessionBody) -> tuple[StoredSession, str]:
        """Return a new session and its token; the oldest session goes when there are too many."""
        self._forget_expired()
        while len(self._sessions) >= self._rules.max_sessions:
            self._remove(next(iter(self._sessions)))
        token = secrets.token_urlsafe(32)
        session = StoredSession(str(uuid.uuid4()), _sha256(token), request, self._clock.now_ns())
        self._sessions[session.id] = session
        self._by_token[session.token_sha256] = session.id
        return session, token

    def get(self, session_id: str) -> StoredSession:
        """Return a living session.

        Raises
        ------
        ApiError
            404 when it never was, has expired or was deleted.
        """
        self._forget_expired()
        session = self._sessions.get(session_id)
        if session is None:
            raise session_not_found()
        return session

    def delete(self, session_id: str) -> None:
        """Remove a session; its token stops working at once."""
        self.get(session_id)
        self._remove(session_id)

    def page(self, page: Page) -> list[StoredSession]:
        """Return sessions with ids above ``start``, ascending: the opposite of the audit."""
        self._forget_expired()
        ids = sorted(i for i in self._sessions if page.start is None or i > page.start)
        return [self._sessions[i] for i in ids[: page.top]]

    def by_token(self, token: str) -> StoredSession:
        """Return the session that a token belongs to.

        Raises
        ------
        ApiError
            401 when the token is unknown or its time is over.
        """
        self._forget_expired()
        session = self._sessions.get(self._by_token.get(_sha256(token), ""))
        if session is None:
            raise unauthorized("session token unknown, or its session was deleted")
        if self._clock.now_ns() >= session.token_until_ns:
            raise unauthorized("session token expired")
        return session

    def begin_call(self, session: StoredSession) -> None:
        """Count one detectLiveness call of a token.

        Raises
        ------
        ApiError
            429 when the last call is too near, or when no call is left: then the time named is
            that of the token's end, as no waiting brings a call back.
        """
        now = self._clock.now_ns()
        if session.calls >= self._rules.calls_per_token:
            left = math.ceil((session.token_until_ns - now) / _NS)
            raise too_many(left, f"all {session.calls} calls of this session token are used")
        if session.last_call_ns is not None:
            ready_ns = session.last_call_ns + round(self._rules.call_interval_s * _NS)
            if now < ready_ns:
                raise too_many(math.ceil((ready_ns - now) / _NS), "one call per interval")
        session.calls += 1
        session.last_call_ns = now
        if session.started_ns is None:
            session.started_ns = now

    def wire(self, session: StoredSession) -> dict[str, Any]:
        """Return a session as JSON, with ``status`` and, when there is one, ``result``."""
        head: dict[str, Any] = {"status": session.status()}
        if session.entries:
            head["result"] = session.entries[-1].wire()
        return head | self.item(session)

    def item(self, session: StoredSession) -> dict[str, Any]:
        """Return a session as a row of the list."""
        row: dict[str, Any] = {
            "id": session.id,
            "createdDateTime": self._calendar.text(session.created_ns),
            "authTokenTimeToLiveInSeconds": session.request.token_life_s,
        }
        if session.started_ns is not None:
            row["sessionStartDateTime"] = self._calendar.text(session.started_ns)
        if session.request.device_correlation_id is not None:
            row["deviceCorrelationId"] = session.request.device_correlation_id
        row["sessionExpired"] = self._clock.now_ns() >= session.token_until_ns
        return row

    def _forget_expired(self) -> None:
        oldest_ns = self._clock.now_ns() - self._rules.life_s * _NS
        while self._sessions:
            session = next(iter(self._sessions.values()))
            if session.created_ns > oldest_ns:
                return
            self._remove(session.id)

    def _remove(self, session_id: str) -> None:
        session = self._sessions.pop(session_id)
        del self._by_token[session.token_sha256]


def _sha256(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
