"""Sessions of the service, as an application server makes and reads them; needs the key."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from uploader.api.audit_entry import AuditEntry
from uploader.api.keyed import KeyedClient
from uploader.api.lenient import Text
from uploader.api.wire import told
from uploader.errors import CredentialError, MalformedAnswerError, PayloadError
from uploader.http.answers import Answer
from uploader.http.credentials import BearerToken
from uploader.http.endpoint import MAX_TOP
from uploader.http.json_body import parse_json, parse_object
from uploader.plain_text import shown

Mode = Literal["Passive", "PassiveActive"]

MIN_TOKEN_LIFE_S: Final = 60
MAX_TOKEN_LIFE_S: Final = 86_400
DEFAULT_TOKEN_LIFE_S: Final = 600
MAX_DEVICE_ID: Final = 64


@dataclass(frozen=True, slots=True)
class SessionRequest:
    """What a new session shall be like."""

    mode: Mode = "Passive"
    send_results_to_client: bool = False
    """False: the detection call answers 204, and the result is read from the session."""
    device_correlation_id: str | None = None
    """Required unless the client sets it."""
    device_correlation_id_set_in_client: bool = False
    token_life_s: int = DEFAULT_TOKEN_LIFE_S

    def to_bytes(self) -> bytes:
        """Return the JSON body; raises `PayloadError` naming the field the service would refuse."""
        if self.mode not in {"Passive", "PassiveActive"}:
            raise PayloadError(
                f"livenessOperationMode: expected Passive or PassiveActive, got {shown(self.mode)}"
            )
        if not MIN_TOKEN_LIFE_S <= self.token_life_s <= MAX_TOKEN_LIFE_S:
            raise PayloadError(
                f"authTokenTimeToLiveInSeconds: expected {MIN_TOKEN_LIFE_S}..{MAX_TOKEN_LIFE_S}, "
                f"got {self.token_life_s}"
            )
        self._check_device()
        body: dict[str, Any] = {
            "livenessOperationMode": self.mode,
            "sendResultsToClient": self.send_results_to_client,
            "deviceCorrelationIdSetInClient": self.device_correlation_id_set_in_client,
            "authTokenTimeToLiveInSeconds": self.token_life_s,
        }
        if self.device_correlation_id is not None:
            body["deviceCorrelationId"] = self.device_correlation_id
        return json.dumps(body).encode("ascii")

    def _check_device(self) -> None:
        device = self.device_correlation_id
        if self.device_correlation_id_set_in_client:
            if device is not None:
                raise PayloadError("deviceCorrelationId: the client sets it, so give none here")
        elif not device or not device.strip() or len(device) > MAX_DEVICE_ID:
            raise PayloadError(
                f"deviceCorrelationId: expected 1 to {MAX_DEVICE_ID} characters, or set in client"
            )


@dataclass(frozen=True, slots=True)
class CreatedSession:
    """A new session and the token that a kiosk uses for it."""

    session_id: str
    token: BearerToken = field(repr=False)
    expires: datetime
    """When the token stops working, by our clock and the life we asked for."""


class Session(BaseModel):
    """A session as the service reports it; everything but the id may be missing."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    id: Text
    status: Text | None = None
    """``NotStarted``, ``Started`` or ``ResultAvailable``; absent in lists."""
    created: Text | None = Field(None, alias="createdDateTime")
    started: Text | None = Field(None, alias="sessionStartDateTime")
    expired: bool | None = Field(None, alias="sessionExpired")
    device_correlation_id: Text | None = Field(None, alias="deviceCorrelationId")
    token_life_s: int | None = Field(None, alias="authTokenTimeToLiveInSeconds")
    result: AuditEntry | None = None
    """The newest audit entry, when there is one."""

    def to_json(self) -> dict[str, Any]:
        """Return it under the service's names."""
        plain = self.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"result"})
        return plain if self.result is None else {**plain, "result": self.result.to_json()}


class SessionsClient(KeyedClient):
    """Creates, shows, lists and deletes sessions."""

    purpose = "managing sessions"

    def create(self, request: SessionRequest) -> CreatedSession:
        """Make a session; raises `UploaderError`."""
        answer = self.call("POST", self.endpoint.sessions_url(), request.to_bytes())
        made = parse_object(answer.body, answer.context())
        session_id, token = made.get("sessionId"), made.get("authToken")
        if not isinstance(session_id, str) or not isinstance(token, str):
            raise MalformedAnswerError(
                "the answer holds no sessionId and authToken", answer.context()
            )
        try:
            secret = BearerToken(token)
        except CredentialError as error:
            raise MalformedAnswerError("authToken is malformed", answer.context()) from error
        expires = self.clock.utc() + timedelta(seconds=request.token_life_s)
        return CreatedSession(shown(session_id, 64), secret, expires)

    def get(self, session_id: str) -> Session:
        """Return a session and its result; `NotFoundError` when it is deleted or expired."""
        answer = self.call("GET", self.endpoint.session_url(session_id))
        return _session(parse_object(answer.body, answer.context()), answer)

    def list_all(self, page_size: int = MAX_TOP) -> Iterator[Session]:
        """Yield all sessions, in ascending order of their ids."""
        start: str | None = None
        seen: set[str] = set()
        while page := self.page(start, page_size):
            if page[-1].id in seen:
                raise MalformedAnswerError("the list of sessions does not advance")
            seen.update(session.id for session in page)
            yield from page
            start = page[-1].id

    def page(self, start: str | None = None, top: int | None = None) -> list[Session]:
        """Return one page: sessions with ids greater than ``start``."""
        answer = self.call("GET", self.endpoint.sessions_url(start, top))
        listed = parse_json(answer.body, answer.context())
        if not isinstance(listed, list):
            raise MalformedAnswerError("the list of sessions is no array", answer.context())
        return [_session(one, answer) for one in listed]

    def delete(self, session_id: str) -> None:
        """Delete a session; its token stops working."""
        self.call("DELETE", self.endpoint.session_url(session_id))


def _session(fields: Mapping[str, Any], answer: Answer) -> Session:
    try:
        return Session.model_validate(fields)
    except ValidationError as error:
        raise MalformedAnswerError(f"session: {told(error)}", answer.context()) from error
