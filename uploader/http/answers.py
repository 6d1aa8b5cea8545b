"""From status, headers and body of an answer to the typed error it means; pure functions."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

from uploader.errors import (
    BadRequestError,
    ContentTooLargeError,
    Context,
    ForbiddenError,
    MalformedAnswerError,
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
from uploader.http.bad_requests import recognise
from uploader.http.json_body import parse_json
from uploader.plain_text import shown

REQUEST_ID_HEADER: Final = "apim-request-id"
MAX_ID: Final = 128
MAX_WAIT_S: Final = 35 * 86_400.0
"""No named wait is believed beyond the longest quota period, a month and some days."""

_UNITS = {"second": 1.0, "minute": 60.0, "hour": 3_600.0, "day": 86_400.0}
_WAIT = re.compile(
    r"(?:try again|retry|replenished)[^0-9]{0,40}?([0-9]{1,9}(?:\.[0-9]{1,6})?)\s*"
    r"(second|minute|hour|day)s?\b",
    re.IGNORECASE,
)
_CLOCK_WAIT = re.compile(
    r"(?:try again|retry|replenished)[^0-9]{0,40}?(?:([0-9]{1,3})\.)?"
    r"([0-9]{1,2}):([0-9]{2}):([0-9]{2})\b",
    re.IGNORECASE,
)
"""The gateway also writes ``Quota will be replenished in 2.03:04:05``."""

_BY_STATUS: dict[int, type[ServiceError]] = {
    400: BadRequestError,
    401: UnauthorizedError,
    404: NotFoundError,
    410: NotFoundError,
    408: ServiceTimeoutError,
    413: ContentTooLargeError,
    415: UnsupportedMediaTypeError,
    429: RateLimitedError,
}

_NO_TEXT = {
    400: "the service refused the request and gave no reason",
    401: "Invalid subscription Key or user/plan is blocked.",
    403: "the service forbids the call",
    404: "not found",
    410: "gone",
    413: "the request is too large",
    408: "OperationTimeOut.",
    415: "Invalid Media Type.",
    429: "Rate limit is exceeded.",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer."""

    status: int
    headers: Mapping[str, str]
    """Lower-case names."""
    body: bytes
    client_request_id: str | None = None
    latency_ms: int = 0

    @property
    def request_id(self) -> str | None:
        """``apim-request-id``, made safe to show and store."""
        value = self.headers.get(REQUEST_ID_HEADER, "")
        return shown(value, MAX_ID) or None

    @property
    def date(self) -> datetime | None:
        """When the service answered by its own clock; None without a usable ``Date``."""
        try:
            moment = parsedate_to_datetime(self.headers.get("date", "")[:64])
        except (ValueError, TypeError, OverflowError):
            return None
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

    def context(self, **more: Any) -> Context:
        """Return what an error about this answer carries."""
        return Context(
            status=self.status,
            request_id=self.request_id,
            client_request_id=self.client_request_id,
            date=self.date,
            **more,
        )


def error_of(answer: Answer, now: datetime | None = None) -> ServiceError:
    """Return the typed error of an answer that is no success; never raises on its content."""
    code, text = _envelope(answer.body)
    wait_s = wait_named(answer.headers.get("retry-after"), text, now)
    context = answer.context(retry_after_s=wait_s, service_code=code)
    told = shown(text) or _NO_TEXT.get(answer.status, f"HTTP status {answer.status}")
    if answer.status == 400:
        return _bad_request(told, text, context)
    if 300 <= answer.status < 400:
        return _redirect(answer, context)
    if answer.status == 403:
        kind = QuotaExceededError if _is_quota(text, wait_s) else ForbiddenError
        return kind(told, context)
    if answer.status >= 500:
        return ServerError(told, context)
    return _BY_STATUS.get(answer.status, UnexpectedStatusError)(told, context)


def wait_named(retry_after: str | None, text: str, now: datetime | None = None) -> float | None:
    """Return the seconds to wait that the header or, without it, the text names."""
    from_header = _retry_after(retry_after, now) if retry_after else None
    return from_header if from_header is not None else _wait_in(text)


def _retry_after(value: str, now: datetime | None) -> float | None:
    value = value.strip()
    if re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,6})?", value):
        return min(float(value), MAX_WAIT_S)
    try:
        moment = parsedate_to_datetime(value[:64])
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        seconds = (aware - (now or datetime.now(UTC))).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(0.0, math.ceil(seconds)), MAX_WAIT_S)


def _wait_in(text: str) -> float | None:
    found = _CLOCK_WAIT.search(text)
    if found:
        days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
        return min(((days * 24 + hours) * 60 + minutes) * 60.0 + seconds, MAX_WAIT_S)
    found = _WAIT.search(text)
    if not found:
        return None
    return min(float(found[1]) * _UNITS[found[2].lower()], MAX_WAIT_S)


def _is_quota(text: str, wait_s: float | None) -> bool:
    return wait_s is not None or "quota" in text.casefold()


def _bad_request(told: str, text: str, context: Context) -> BadRequestError:
    known = recognise(text)
    if known is None:
        return BadRequestError(told, context)
    return BadRequestError(told, context, code=known.code, advice=known.advice)


def _redirect(answer: Answer, context: Context) -> RedirectRefusedError:
    where = shown(answer.headers.get("location", "").partition("?")[0], 120)
    to = f" to {where}" if where else ""
    return RedirectRefusedError(f"redirect{to} refused", context)


def _envelope(body: bytes) -> tuple[str | None, str]:
    """Return (code, message) of any of the known error bodies; text that is no JSON is itself."""
    if not body.strip():
        return None, ""
    try:
        parsed = parse_json(body)
    except MalformedAnswerError:
        return None, _plain(body)
    if not isinstance(parsed, dict):
        return None, _plain(body)
    inner = parsed.get("error", parsed)
    if isinstance(inner, str):
        return None, inner
    if not isinstance(inner, dict):
        return None, _plain(body)
    code, message = inner.get("code"), inner.get("message")
    return (
        shown(code, MAX_ID) if isinstance(code, str) and code else None,
        message if isinstance(message, str) else "",
    )


def _plain(body: bytes) -> str:
    """Return the readable part of a body that is no envelope; a page of HTML says nothing."""
    text = body[:4096].decode("utf-8", errors="replace")
    return "" if text.lstrip().startswith("<") else text
