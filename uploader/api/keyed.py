"""Calls that need the resource's key: what sessions and audits have in common."""

from __future__ import annotations

from typing import ClassVar, Final, Self

import httpx

from uploader.clock import DeliveryClock
from uploader.errors import CredentialError
from uploader.http.answers import Answer, error_of
from uploader.http.credentials import SubscriptionKey
from uploader.http.endpoint import Endpoint
from uploader.http.exchange import Call, Exchange, HttpOptions

LIST_ANSWER_BYTES: Final = 64 << 20
"""A page of 1000 entries with their bodies stays well below."""


class KeyedClient:
    """One endpoint, one key, one attempt a call; one thread at a time."""

    purpose: ClassVar[str] = "this"

    def __init__(
        self,
        endpoint: Endpoint,
        key: SubscriptionKey,
        options: HttpOptions | None = None,
        *,
        transport: httpx.BaseTransport | None = None,
        clock: DeliveryClock | None = None,
    ) -> None:
        if not isinstance(key, SubscriptionKey):
            raise CredentialError(f"{self.purpose} needs the subscription key, not a token")
        self.endpoint = endpoint
        self._key = key
        self._exchange = Exchange(options, transport=transport, clock=clock)

    def close(self) -> None:
        """Close the connections."""
        self._exchange.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    @property
    def clock(self) -> DeliveryClock:
        """The clock that dates are read from."""
        return self._exchange.clock

    def call(self, method: str, url: str, content: bytes = b"") -> Answer:
        """Return the answer of a 200; raises `UploaderError` for anything else."""
        headers = {"Content-Type": "application/json"} if content else {}
        call = Call(method, url, content, headers, max_answer_bytes=LIST_ANSWER_BYTES)
        answer = self._exchange.send(call, self._key)
        if answer.status != 200:
            raise error_of(answer, self.clock.utc())
        return answer
