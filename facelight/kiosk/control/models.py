"""Everything that goes over the control port, as pydantic models; the OpenAPI document shows them.

Unknown fields are refused: a misspelt ``refrence`` would else start a session that nobody can find.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, JsonValue

VERSION = 1
"""Of this interface; it rises when something changes its meaning or goes."""

SESSION_ID = r"[0-9a-f]{32}"
Reference = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[!-~]([ -~]*[!-~])?$")]
"""Printable ASCII, so that it is the same in logs, recordings, headers and tables."""


class Model(BaseModel):
    """Strict both ways."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class ControlRequest(Model):
    """What a session is to be."""

    reference: Reference | None = Field(
        default=None,
        description="The caller's own name for the session, in events, logs, recording and audit. "
        "It is stored in the clear: no person's name or number.",
    )
    language: str | None = Field(
        default=None,
        min_length=2,
        max_length=64,
        description="Code of one of kiosk.languages to begin in; the person may choose another.",
    )
    light: bool = Field(
        default=True,
        description="false: without coloured light; true: as the kiosk's settings and the person "
        "say.",
    )
    limit_s: int | None = Field(
        default=None,
        ge=10,
        le=600,
        description="The person must be captured within this time, in s; absent: the kiosk's own "
        "limits of each step.",
    )


class RequestState(StrEnum):
    """Where a session is."""

    ACCEPTED = "accepted"
    RUNNING = "running"
    ENDED = "ended"


class AttemptProblem(Model):
    """An attempt that ended early."""

    problem: str
    cause: str | None
    reasons: list[str]
    retry: bool


class SessionStatus(Model):
    """A session as far as it is."""

    id: Annotated[str, Field(pattern=f"^{SESSION_ID}$")]
    reference: str | None
    state: RequestState
    step: str = Field(description="Name of the last event that changed the step: see docs/kiosk.md")
    outcome: str | None = Field(description="How it ended (docs/kiosk.md, Outcomes); null before.")
    decision: str | None = Field(description="Of the service; null where it gave none.")
    light: bool | None = Field(description="Whether colours ran; null before the person is ready.")
    sessions: list[str] = Field(description="The `session` of the kiosk's events, one a person.")
    client_request_ids: list[str] = Field(description="Of each delivery, as in the audit.")
    request_id: str | None = Field(description="Of the service's last answer.")
    problems: list[AttemptProblem]


class KioskState(StrEnum):
    """What the kiosk can do now."""

    STARTING = "starting"
    READY = "ready"
    BUSY = "busy"
    OUT_OF_ORDER = "out_of_order"


class Health(Model):
    """Whether a session can be started now."""

    state: KioskState
    session: str | None = Field(description="Id of the requested session under way, if any.")
    lost: list[str] = Field(description="Devices that do not work.")
    host_slow: bool = Field(description="The machine is too slow for a kiosk.")
    camera: dict[str, JsonValue] = Field(description="As in the event `start`.")


class SoftwareVersion(Model):
    """What answers here."""

    software: str
    control: int = Field(description="Version of this interface.")
    events: int = Field(description="Version of the events.")


class ErrorCode(StrEnum):
    """What was wrong with a request."""

    BODY = "body"
    MEDIA_TYPE = "media_type"
    LANGUAGE = "language"
    TOKEN = "token"  # noqa: S105 - a name
    HOST = "host"
    ORIGIN = "origin"
    UNKNOWN_SESSION = "unknown_session"
    NOT_FOUND = "not_found"
    METHOD = "method"
    BUSY = "busy"
    OUT_OF_ORDER = "out_of_order"
    TOO_LATE = "too_late"
    TOO_LARGE = "too_large"
    LAST_EVENT_ID = "last_event_id"
    STREAMS = "streams"
    ENDING = "ending"
    INTERNAL = "internal"


class ErrorDetail(Model):
    """One line that says what was wrong and what cures it."""

    code: ErrorCode
    message: str
    session: str | None = None


class ErrorBody(Model):
    """Body of every answer that is no success."""

    error: ErrorDetail
