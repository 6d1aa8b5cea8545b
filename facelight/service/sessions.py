"""Sessions as the application server sees them: what it asks for and what it reads back."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from facelight.service.audit import RecordedCall
from facelight.service.errors import ApiError
from facelight.service.options import SessionRules

MAX_ID_LENGTH = 64
MAX_BODY_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class CreateSessionBody:
    """A valid request for a session."""

    send_results_to_client: bool
    device_correlation_id: str | None
    token_life_s: int


@dataclass(slots=True, eq=False)
class StoredSession:
    """One session; times are ns of the service's clock."""

    id: str
    token_sha256: str
    request: CreateSessionBody
    created_ns: int
    started_ns: int | None = None
    last_call_ns: int | None = None
    calls: int = 0
    entries: list[RecordedCall] = field(default_factory=list)

    @property
    def token_until_ns(self) -> int:
        """When the token stops working."""
        return self.created_ns + self.request.token_life_s * 1_000_000_000

    def status(self) -> str:
        """Return the status; ``Started`` while the first answer is outstanding."""
        if self.entries:
            return "ResultAvailable"
        return "NotStarted" if self.started_ns is None else "Started"


def read_session_request(body: bytes, rules: SessionRules) -> CreateSessionBody:
    """Check the body of a create call, each fault under the code that the contract names.

    Raises
    ------
    ApiError
        400 with the code of the first field that is wrong.
    """
    fields = _json_object(body)
    _check_mode(fields.get("livenessOperationMode"))
    send = _boolean(fields, "sendResultsToClient")
    by_client = _boolean(fields, "deviceCorrelationIdSetInClient")
    return CreateSessionBody(
        send_results_to_client=send,
        device_correlation_id=_device(fields.get("deviceCorrelationId"), by_client),
        token_life_s=_token_life(fields.get("authTokenTimeToLiveInSeconds"), rules),
    )


def _json_object(body: bytes) -> dict[str, Any]:
    if len(body) > MAX_BODY_BYTES:
        raise _invalid_body(f"above {MAX_BODY_BYTES} bytes")
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        raise _invalid_body("not JSON") from None
    if not isinstance(value, dict):
        raise _invalid_body("expected an object")
    return value


def _invalid_body(cause: str) -> ApiError:
    return ApiError(
        400,
        "InvalidRequestBody",
        "Incorrect request body provided. Please check the operation schema and try again.",
        cause=cause,
    )


def _check_mode(mode: Any) -> None:
    if not isinstance(mode, str) or mode.lower() not in {"passive", "passiveactive"}:
        raise ApiError(
            400,
            "InvalidLivenessOperationMode",
            "Invalid livenessOperationMode specified. Must be 'Passive' or 'PassiveActive'.",
        )


def _boolean(fields: dict[str, Any], name: str) -> bool:
    value = fields.get(name)
    if value is None:
        return False
    if not isinstance(value, bool):
        raise _invalid_body(f"{name}: expected true or false")
    return value


def _device(value: Any, set_in_client: bool) -> str | None:
    if value is None and set_in_client:
        return None
    valid = isinstance(value, str) and value.strip() and len(value) <= MAX_ID_LENGTH
    if not valid or set_in_client:
        raise ApiError(
            400,
            "InvalidDeviceCorrelationId",
            "A device correlation ID is required in the request body during session create or "
            "session start. Must not be null or empty, and be no more than 64 characters.",
            cause="deviceCorrelationId: must be null when set in the client"
            if valid
            else "deviceCorrelationId: missing, empty, too long or no string",
        )
    return str(value)


def _token_life(value: Any, rules: SessionRules) -> int:
    if value is None:
        return rules.default_token_s
    whole = isinstance(value, int) and not isinstance(value, bool)
    if not whole or not rules.min_token_s <= value <= rules.max_token_s:
        raise ApiError(
            400,
            "InvalidTokenLifetime",
            "Invalid authTokenTimeToLiveInSeconds specified. "
            f"Must be within {rules.min_token_s} to {rules.max_token_s}.",
        )
    return int(value)
