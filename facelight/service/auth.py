"""Who calls: the application server with its key, or a kiosk with a session's token."""

from __future__ import annotations

import hmac
import math
from collections import deque

from starlette.datastructures import Headers

from capture.clock import Clock
from facelight.service.errors import too_many, unauthorized
from facelight.service.session_store import SessionStore
from facelight.service.sessions import StoredSession

KEY_HEADER = "ocp-apim-subscription-key"


class Authenticator:
    """Checks credentials, and the call rate of the key where one is asked for."""

    def __init__(
        self, key: str, store: SessionStore, clock: Clock, calls_per_minute: int | None
    ) -> None:
        self._key = key.encode()
        self._store = store
        self._clock = clock
        self._rate = calls_per_minute
        self._calls: deque[int] = deque()

    def require_key(self, headers: Headers) -> None:
        """Let the application server in; session tokens open nothing here."""
        if "authorization" in headers:
            raise unauthorized("this operation takes the subscription key, not a session token")
        self._check_key(headers.get(KEY_HEADER))

    def caller(self, headers: Headers) -> StoredSession | None:
        """Return the session of a token, or None for the application server's key.

        Raises
        ------
        ApiError
            401 for neither, both or a wrong one; 429 above the key's rate.
        """
        key, bearer = headers.get(KEY_HEADER), headers.get("authorization")
        if key is not None and bearer is not None:
            raise unauthorized("both a subscription key and a session token: send one of them")
        if bearer is None:
            self._check_key(key)
            return None
        scheme, _, token = bearer.partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise unauthorized("Authorization: expected 'Bearer TOKEN'")
        return self._store.by_token(token.strip())

    def _check_key(self, key: str | None) -> None:
        if key is None:
            raise unauthorized("no Ocp-Apim-Subscription-Key and no session token")
        if not hmac.compare_digest(key.encode("utf-8", "surrogatepass"), self._key):
            raise unauthorized("wrong subscription key")
        self._count()

    def _count(self) -> None:
        """Allow at most the key's rate in any 60 s; calls that are turned away do not count."""
        if self._rate is None:
            return
        now = self._clock.now_ns()
        minute_ns = 60_000_000_000
        while self._calls and self._calls[0] <= now - minute_ns:
            self._calls.popleft()
        if len(self._calls) >= self._rate:
            raise too_many(math.ceil((self._calls[0] + minute_ns - now) / 1e9), "key's rate")
        self._calls.append(now)
