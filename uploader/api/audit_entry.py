"""One audit entry, in any of the three shapes that documentation and traffic show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic import AliasChoices, AliasPath, BaseModel, ConfigDict, Field, ValidationError

from uploader.api.decision import Decision, decision_of
from uploader.api.lenient import Number, Text
from uploader.api.wire import told
from uploader.errors import MalformedAnswerError
from uploader.http.answers import Answer
from uploader.http.json_body import parse_json

DETECT_MARK: Final = "detectliveness"


def _either(*paths: str) -> Any:
    """Return a field that is read from the first of several dotted paths that is there."""
    choices = [AliasPath(*path.split(".")) if "." in path else path for path in paths]
    return Field(None, validation_alias=AliasChoices(*choices))


class AuditEntry(BaseModel):
    """What the service says it received and answered; only the id is always there."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: Text
    session_id: Text | None = _either("sessionId")
    request_id: Text | None = _either("requestId")
    client_request_id: Text | None = _either("clientRequestId")
    received: Text | None = _either("receivedDateTime", "dateReceived")
    url: Text | None = _either("request.url", "result.url")
    method: Text | None = _either("request.method", "result.method")
    content_length: Number | None = _either("request.contentLength", "result.contentLength")
    content_type: Text | None = _either("request.contentType", "result.contentType")
    user_agent: Text | None = _either("request.userAgent", "result.userAgent")
    status: Number | None = _either("response.statusCode")
    latency_ms: Number | None = _either("response.latencyInMilliseconds", "response.latencyInMS")
    response_body: Any = _either("response.body")
    digest: Text | None = None

    @property
    def is_detection(self) -> bool:
        """The entry is about a detection call; one without a URL is taken for it."""
        of_detection = self.url is None or DETECT_MARK in self.url.casefold()
        return of_detection and (self.method is None or self.method.upper() == "POST")

    @property
    def decision(self) -> Decision | None:
        """The decision in the answer, None when it holds none."""
        if not isinstance(self.response_body, Mapping):
            return None
        try:
            return decision_of(self.response_body)
        except MalformedAnswerError:
            return None

    def to_json(self) -> dict[str, Any]:
        """Return the entry in the wire shape; what was absent stays absent."""
        request = {
            "url": self.url,
            "method": self.method,
            "contentLength": self.content_length,
            "contentType": self.content_type,
            "userAgent": self.user_agent,
        }
        response = {
            "body": self.response_body,
            "statusCode": self.status,
            "latencyInMilliseconds": self.latency_ms,
        }
        whole = {
            "id": self.id,
            "sessionId": self.session_id,
            "requestId": self.request_id,
            "clientRequestId": self.client_request_id,
            "receivedDateTime": self.received,
            "request": _without_none(request),
            "response": _without_none(response),
            "digest": self.digest,
        }
        return _without_none(whole)


def parse_entries(answer: Answer) -> list[AuditEntry]:
    """Read a page; one malformed entry makes the page malformed, named by its place."""
    listed = parse_json(answer.body, answer.context())
    if not isinstance(listed, list):
        raise MalformedAnswerError("the audit is no array", answer.context())
    return [_entry(one, place, answer) for place, one in enumerate(listed)]


def _entry(fields: Any, place: int, answer: Answer) -> AuditEntry:
    try:
        return AuditEntry.model_validate(fields)
    except ValidationError as error:
        raise MalformedAnswerError(
            f"audit entry {place}: {told(error)}", answer.context()
        ) from error


def _without_none(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
