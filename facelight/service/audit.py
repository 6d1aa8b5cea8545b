"""Audit entries in the form that recorded traffic shows, and how lists are paged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from starlette.datastructures import QueryParams

from facelight.service.errors import ApiError

MAX_TOP = 1000
MAX_START_LENGTH = 64
MAX_TEXT = 1024
"""What is kept of a header that a client chose."""


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """One detectLiveness call of a session; the body that it sent is not kept, only its digest."""

    id: int
    session_id: str
    request_id: str
    received: str
    url: str
    content_length: int
    content_type: str
    user_agent: str | None
    response_body: dict[str, Any]
    status: int
    latency_ms: int
    digest: str

    def wire(self) -> dict[str, Any]:
        """Return the entry as JSON; ``userAgent`` is left out where there was none."""
        request: dict[str, Any] = {
            "url": self.url,
            "method": "POST",
            "contentLength": self.content_length,
            "contentType": self.content_type,
        }
        if self.user_agent is not None:
            request["userAgent"] = self.user_agent
        return {
            "id": self.id,
            "sessionId": self.session_id,
            "requestId": self.request_id,
            "receivedDateTime": self.received,
            "request": request,
            "response": {
                "body": self.response_body,
                "statusCode": self.status,
                "latencyInMilliseconds": self.latency_ms,
            },
            "digest": self.digest,
        }


@dataclass(frozen=True, slots=True)
class Page:
    """Where a list starts and how long it may be."""

    start: str | None
    top: int


def read_page(query: QueryParams) -> Page:
    """Read ``start`` and ``top``.

    Raises
    ------
    ApiError
        400 ``BadArgument`` for either.
    """
    start = query.get("start") or None
    if start is not None and len(start) > MAX_START_LENGTH:
        raise invalid_start()
    text = query.get("top")
    top = MAX_TOP if text is None else _whole(text)
    if top is None or not 1 <= top <= MAX_TOP:
        raise ApiError(
            400,
            "BadArgument",
            "Top parameter is invalid. Valid range is between 1 and 1000 inclusive.",
        )
    return Page(start, top)


def audit_page(entries: list[RecordedCall], page: Page) -> list[dict[str, Any]]:
    """Return the entries with ids below ``start``, newest first."""
    before = None
    if page.start is not None:
        before = _whole(page.start)
        if before is None:
            raise invalid_start()
    kept = [e for e in reversed(entries) if before is None or e.id < before]
    return [entry.wire() for entry in kept[: page.top]]


def invalid_start() -> ApiError:
    """Return the 400 for a ``start`` that names no entry."""
    return ApiError(
        400,
        "BadArgument",
        "Start parameter is invalid. Please specify the 'Id' field of the last entry "
        "to continue the listing process.",
    )


def _whole(text: str) -> int | None:
    return (
        int(text) if text.isascii() and text.isdigit() and len(text) <= MAX_START_LENGTH else None
    )
