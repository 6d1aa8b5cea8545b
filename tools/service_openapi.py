"""Write ``docs/openapi.yaml``, the contract of the service, from the models that speak it.

Run ``uv run python tools/service_openapi.py``; with ``--check`` it only says whether that is
needed. What the document says of answers is held against ``facelight serve`` by a test.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import yaml

from facelight.service.audit import MAX_START_LENGTH, MAX_TOP
from facelight.service.errors import Refusal, session_not_found, timed_out, unauthorized
from facelight.service.options import MODEL_VERSIONS, Limits, SessionRules
from facelight.service.sessions import MAX_ID_LENGTH
from uploader.api.wire import Metadata
from uploader.http.endpoint import API_PATH

PAGE = Path(__file__).parents[1] / "docs" / "openapi.yaml"
Plain = dict[str, Any]
DETECT = "/detectLiveness/singleModal"
ONE = f"{DETECT}/sessions/{{sessionId}}"


def ref(name: str) -> Plain:
    """Return a reference to a schema."""
    return {"$ref": f"#/components/schemas/{name}"}


def text(most: int | None = None, **more: Any) -> Plain:
    """Return the schema of a string."""
    return {"type": "string"} | ({} if most is None else {"maxLength": most}) | more


def whole(**more: Any) -> Plain:
    """Return the schema of an integer."""
    return {"type": "integer", **more}


def thing(required: list[str], **properties: Plain) -> Plain:
    """Return the schema of an object with other keys allowed, as clients have to take them."""
    return {"type": "object", "required": required, "properties": properties}


def answer(description: str, schema: Plain | None = None, media: str = "application/json") -> Plain:
    """Return an answer with the header that names its request."""
    content = {} if schema is None else {"content": {media: {"schema": schema}}}
    named = {"description": "requestId of the audit entry", "schema": text(format="uuid")}
    return {"description": description, "headers": {"apim-request-id": named}, **content}


def faults(*statuses: int, plain_timeout: bool = False) -> Plain:
    """Return the answers that every operation may give, and those of ``statuses``."""
    timeout = timed_out().message
    told = {
        400: "A parameter, header or body is not as it should be.",
        401: unauthorized("").message,
        403: "The call volume of the key is used up; the text says for how long.",
        404: session_not_found().message,
        408: timeout,
        415: "Another media type than this operation takes.",
        429: "Too many calls; the text says for how long, in seconds.",
    }
    found = {str(s): answer(told[s], ref("Error")) for s in sorted({401, 403, 408, 429, *statuses})}
    if plain_timeout:
        found["408"] = answer(timeout, text(), "text/plain")
    return found | {"5XX": answer("A fault of the service.", ref("Error"))}


def metadata_schemas() -> Plain:
    """Return the schemas of the ``Metadata`` part."""
    schema = Metadata.model_json_schema(by_alias=True, ref_template="#/components/schemas/{model}")
    parts: Plain = schema.pop("$defs")
    return {"Metadata": schema, **parts}


def answer_schemas() -> Plain:
    """Return the schemas of what the service says."""
    box = thing(["top", "left", "width", "height"], **dict.fromkeys(_SIDES, whole()))
    decision = text(description="realface, spoofface, uncertain; others are taken as uncertain")
    target = thing(
        ["faceRectangle", "fileName", "timeOffsetWithinFile", "imageType"],
        faceRectangle=ref("Rectangle"), fileName=text(), timeOffsetWithinFile=whole(),
        imageType=text(),
    )  # fmt: skip
    nested = thing(
        ["livenessDecision", "target", "modelVersionUsed"],
        livenessDecision=decision, target=target, modelVersionUsed=text(),
    )  # fmt: skip
    flat = thing(
        ["livenessDecision", "targetFaceRectangle", "targetFileName", "modelVersionUsed"],
        livenessDecision=decision, targetFaceRectangle=ref("Rectangle"), targetFileName=text(),
        targetFrameNumber=whole(), modelVersionUsed=text(),
    )  # fmt: skip
    request = thing(
        ["url", "method", "contentType"],
        url=text(), method=text(), contentLength=whole(), contentType=text(), userAgent=text(),
    )  # fmt: skip
    response = thing(
        ["body", "statusCode", "latencyInMilliseconds"],
        body={"type": "object"}, statusCode=whole(), latencyInMilliseconds=whole(),
    )  # fmt: skip
    entry = thing(
        ["id", "sessionId", "requestId", "receivedDateTime", "request", "response", "digest"],
        id=whole(), sessionId=text(), requestId=text(), clientRequestId=text(),
        receivedDateTime=text(format="date-time"), request=request, response=response,
        digest=text(pattern="^[0-9A-F]{64}$"),
    )  # fmt: skip
    item: Plain = {
        "id": text(), "createdDateTime": text(format="date-time"),
        "authTokenTimeToLiveInSeconds": whole(), "sessionStartDateTime": text(format="date-time"),
        "deviceCorrelationId": text(), "sessionExpired": {"type": "boolean"},
    }  # fmt: skip
    always = ["id", "createdDateTime", "authTokenTimeToLiveInSeconds", "sessionExpired"]
    status = text(enum=["NotStarted", "Started", "ResultAvailable"])
    error = thing(["message"], code=text(), statusCode=whole(), message=text())
    return {
        "Rectangle": box,
        "Decision": {"anyOf": [nested, flat]},
        "AuditEntry": entry,
        "SessionItem": thing(always, **item),
        "Session": thing([*always, "status"], status=status, result=ref("AuditEntry"), **item),
        "Created": thing(["sessionId", "authToken"], sessionId=text(), authToken=text()),
        "Error": thing(["error"], error=error),
    }


_SIDES = ("top", "left", "width", "height")


def session_request() -> Plain:
    """Return the schema of a create call."""
    rules = SessionRules()
    seconds: Plain = {
        "type": ["integer", "null"], "default": rules.default_token_s,
        "minimum": rules.min_token_s, "maximum": rules.max_token_s,
    }  # fmt: skip
    fields = {
        "livenessOperationMode": text(enum=["Passive", "PassiveActive"]),
        "sendResultsToClient": {"type": ["boolean", "null"], "default": False},
        "authTokenTimeToLiveInSeconds": seconds,
    }
    device = text(MAX_ID_LENGTH, minLength=1, pattern=r"\S")
    from_server = thing(
        ["livenessOperationMode", "deviceCorrelationId"],
        **fields, deviceCorrelationId=device,
        deviceCorrelationIdSetInClient={"enum": [False, None]},
    )  # fmt: skip
    from_client = thing(
        ["livenessOperationMode", "deviceCorrelationIdSetInClient"],
        **fields, deviceCorrelationIdSetInClient={"enum": [True]},
        deviceCorrelationId={"type": "null"},
    )  # fmt: skip
    return {"anyOf": [from_server, from_client]}


def detection() -> Plain:
    """Return the one call that a kiosk makes."""
    limits = Limits()
    messages = "\n".join(f"- {refusal.value}" for refusal in Refusal)
    file = {
        "type": "array", "minItems": 1, "maxItems": limits.max_parts - 1,
        "items": {"type": "string", "contentMediaType": "application/octet-stream"},
        "description": "One part a file, each with its filename, in the order in which Metadata"
        f" first names them. WebP: {limits.min_file_bytes} to {limits.max_video_bytes} bytes; JPEG,"
        f" PNG, GIF, BMP: {limits.min_file_bytes} to {limits.max_image_bytes}.",
    }  # fmt: skip
    form = thing(["Metadata", "Content"], Metadata=ref("Metadata"), Content=file)
    encoding = {
        "Metadata": {"contentType": "application/json; charset=utf-8"},
        "Content": {"contentType": "application/octet-stream"},
    }
    version = {"name": "model-version", "in": "query", "schema": text(enum=list(MODEL_VERSIONS))}
    own_id = {"name": "client-request-id", "in": "header", "schema": text(format="uuid")}
    bad = answer(f"One of these, in error.message:\n{messages}", ref("Error"))
    return {
        "operationId": "detectLiveness",
        "summary": "Judge a session",
        "description": "The digest of the audit is made of this body, byte for byte.",
        "security": [{"key": []}, {"token": []}],
        "parameters": [version, own_id],
        "requestBody": {
            "required": True,
            "content": {"multipart/form-data": {"schema": form, "encoding": encoding}},
        },
        "responses": {
            "200": answer("A decision, in either of the two documented shapes.", ref("Decision")),
            "204": answer("Judged; the session keeps the decision from the client."),
            **faults(400, 415, plain_timeout=True),
            "400": bad,
        },
    }


def paths() -> Plain:
    """Return all operations."""
    page = [
        {"name": "start", "in": "query", "schema": text(MAX_START_LENGTH)},
        {"name": "top", "in": "query", "schema": whole(minimum=1, maximum=MAX_TOP)},
    ]
    older = [{**page[0], "schema": text(MAX_START_LENGTH, pattern="^[0-9]*$")}, page[1]]
    session = {"name": "sessionId", "in": "path", "required": True, "schema": text()}
    create = {
        "operationId": "createSession",
        "summary": "Make a session and its token",
        "requestBody": {
            "required": True, "content": {"application/json": {"schema": session_request()}},
        },
        "responses": {"200": answer("Told only once.", ref("Created")), **faults(400, 415)},
    }  # fmt: skip
    rows = {"type": "array", "items": ref("SessionItem")}
    listing = {
        "operationId": "listSessions",
        "summary": "List sessions, ascending; start: ids above it",
        "parameters": page,
        "responses": {"200": answer("A page.", rows), **faults(400, 415)},
    }
    show = {
        "operationId": "getSession",
        "summary": "Read a session and, when there is one, its result",
        "responses": {"200": answer("The session.", ref("Session")), **faults(404, 415)},
    }
    delete = {
        "operationId": "deleteSession",
        "summary": "End a session; its token stops working",
        "responses": {"200": answer("Gone."), **faults(404)},
    }
    entries = {"type": "array", "items": ref("AuditEntry")}
    audit = {
        "operationId": "getSessionAudit",
        "summary": "What the session's token asked and was told, newest first; start: ids below it",
        "parameters": older,
        "responses": {"200": answer("A page.", entries), **faults(400, 404, 415)},
    }
    return {
        DETECT: {"post": detection()},
        f"{DETECT}/sessions": {"post": create, "get": listing},
        ONE: {"parameters": [session], "get": show, "delete": delete},
        f"{ONE}/audit": {"parameters": [session], "get": audit},
    }


def document() -> Plain:
    """Return the document as plain data, OpenAPI 3.1."""
    key = {"type": "apiKey", "in": "header", "name": "Ocp-Apim-Subscription-Key"}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Face liveness, single modal",
            "version": API_PATH.rpartition("/")[2],
            "description": "What facelight asks of a service, for whoever runs one."
            " docs/works-with.md says which service this is and what is optional.",
        },
        "servers": [{"url": f"http://127.0.0.1:8765{API_PATH}", "description": "facelight serve"}],
        "security": [{"key": []}],
        "paths": paths(),
        "components": {
            "schemas": {**metadata_schemas(), **answer_schemas()},
            "securitySchemes": {
                "key": key | {"description": "The application server's; never a kiosk's."},
                "token": {"type": "http", "scheme": "bearer", "description": "A session's own."},
            },
        },
    }


def main() -> None:
    """Renew the document, or with ``--check`` say whether it needs that."""
    made = yaml.safe_dump(document(), sort_keys=False, width=100, allow_unicode=True)
    fresh = f"# Written by tools/service_openapi.py.\n{made}"
    if "--check" in sys.argv[1:]:
        now = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
        raise SystemExit(0 if fresh == now else f"{PAGE}: run tools/service_openapi.py")
    PAGE.write_text(fresh, encoding="utf-8")


if __name__ == "__main__":
    main()
