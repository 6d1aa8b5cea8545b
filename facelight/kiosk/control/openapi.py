"""The OpenAPI document of the control port, made of its models."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from facelight.kiosk.control.application import MAX_BODY_BYTES, ROOT
from facelight.kiosk.control.errors import STATUS
from facelight.kiosk.control.models import (
    SESSION_ID,
    VERSION,
    ControlRequest,
    ErrorBody,
    ErrorCode,
    Health,
    SessionStatus,
    SoftwareVersion,
)

_MODELS: tuple[type[BaseModel], ...] = (
    ControlRequest,
    SessionStatus,
    Health,
    SoftwareVersion,
    ErrorBody,
)
_ALWAYS = (ErrorCode.TOKEN, ErrorCode.HOST, ErrorCode.ORIGIN, ErrorCode.INTERNAL)
_ONE = f"{ROOT}/sessions/{{session_id}}"


def document() -> dict[str, Any]:
    """Return the document as plain data, OpenAPI 3.1."""
    _, schemas = models_json_schema(
        [(model, "validation") for model in _MODELS], ref_template="#/components/schemas/{model}"
    )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "facelight kiosk, control port",
            "version": str(VERSION),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            "description": "Starts, watches and cancels sessions of a kiosk; for programs on the "
            "same machine. See docs/control.md.",
        },
        "servers": [{"url": "http://127.0.0.1:8700", "description": "kiosk.control"}],
        "security": [{"token": []}],
        "paths": _paths(),
        "components": {
            "schemas": schemas["$defs"],
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "The text of the file kiosk.control_token_file.",
                }
            },
        },
    }


def _paths() -> dict[str, Any]:
    started = _answer("Accepted; `location` names it.", SessionStatus)
    started["headers"] = {"Location": {"schema": {"type": "string"}}}
    late = (ErrorCode.UNKNOWN_SESSION, ErrorCode.TOO_LATE)
    start_errors = (
        ErrorCode.BODY,
        ErrorCode.LANGUAGE,
        ErrorCode.MEDIA_TYPE,
        ErrorCode.BUSY,
        ErrorCode.OUT_OF_ORDER,
        ErrorCode.ENDING,
        ErrorCode.TOO_LARGE,
    )
    body = {
        "required": False,
        "description": f"At most {MAX_BODY_BYTES} bytes; none: a session with nothing special.",
        "content": {"application/json": {"schema": _ref(ControlRequest)}},
    }
    stream = {
        "description": "Server-sent events: `id` is a number, `event` the name, `data` the JSON "
        "object of `--events` with `request` and `reference`; `missed` tells how many events are "
        "no longer kept.",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    }
    stream_errors = (ErrorCode.LAST_EVENT_ID, ErrorCode.STREAMS)
    return {
        f"{ROOT}/sessions": {
            "post": _operation("startSession", "Start a session", 201, started, start_errors)
            | {"requestBody": body}
        },
        _ONE: {
            "parameters": [_session_id()],
            "get": _operation(
                "readSession",
                "How far a session is, and its result",
                200,
                _answer("The session.", SessionStatus),
                (ErrorCode.UNKNOWN_SESSION,),
            ),
            "delete": _operation(
                "cancelSession",
                "Ask for the end of a session",
                202,
                _answer("Asked for; its events and status tell what came of it.", SessionStatus),
                late,
            ),
        },
        f"{_ONE}/events": {
            "parameters": [_session_id(), _last_event_id()],
            "get": _operation(
                "watchSession",
                "All events of a session, to its end",
                200,
                stream,
                (ErrorCode.UNKNOWN_SESSION, *stream_errors),
            ),
        },
        f"{ROOT}/events": {
            "parameters": [_last_event_id()],
            "get": _operation(
                "watchKiosk", "All events of the kiosk from now on", 200, stream, stream_errors
            ),
        },
        f"{ROOT}/health": {
            "get": _operation(
                "readHealth",
                "Whether a session can be started now",
                200,
                _answer("The kiosk.", Health),
            )
        },
        f"{ROOT}/version": {
            "get": _operation(
                "readVersion",
                "What answers here",
                200,
                _answer("The versions.", SoftwareVersion),
            )
        },
    }


def _operation(
    name: str,
    summary: str,
    status: int,
    answer: dict[str, Any],
    errors: tuple[ErrorCode, ...] = (),
) -> dict[str, Any]:
    responses: dict[str, Any] = {str(status): answer}
    for code in sorted({*errors, *_ALWAYS}, key=lambda code: (STATUS[code], code.value)):
        listed = responses.setdefault(str(STATUS[code]), _answer("", ErrorBody))
        listed["description"] = ", ".join(filter(None, (listed["description"], f"`{code.value}`")))
    return {"operationId": name, "summary": summary, "responses": responses}


def _answer(description: str, model: type[BaseModel]) -> dict[str, Any]:
    content = {"application/json": {"schema": _ref(model)}}
    return {"description": description, "content": content}


def _ref(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{model.__name__}"}


def _session_id() -> dict[str, Any]:
    return {
        "name": "session_id",
        "in": "path",
        "required": True,
        "schema": {"type": "string", "pattern": f"^{SESSION_ID}$"},
    }


def _last_event_id() -> dict[str, Any]:
    return {
        "name": "Last-Event-ID",
        "in": "header",
        "required": False,
        "description": "Go on after this event.",
        "schema": {"type": "string", "pattern": "^[0-9]{1,15}$"},
    }
