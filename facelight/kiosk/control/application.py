"""The operations of the control port as an ASGI application."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from typing import TypeAlias

from pydantic import BaseModel, ValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from facelight import __version__
from facelight.kiosk.control.access import Access, refusal_response
from facelight.kiosk.control.errors import ControlRefusal
from facelight.kiosk.control.event_log import LoggedEvent
from facelight.kiosk.control.models import (
    VERSION,
    ControlRequest,
    ErrorCode,
    SoftwareVersion,
)
from facelight.kiosk.control.sessions import RequestedSessions
from facelight.kiosk.events import EVENTS_VERSION
from uploader.http.credentials import BearerToken

ROOT = "/v1"
MAX_BODY_BYTES = 4096
MAX_STREAMS = 16
_NUMBER = re.compile(r"\d{1,15}")

Operation: TypeAlias = Callable[[Request], Awaitable[Response]]


class ControlApplication:
    """Answers programs beside the kiosk; holds no state but the count of its streams."""

    def __init__(self, sessions: RequestedSessions) -> None:
        self._sessions = sessions
        self._streams = 0

    def guarded(
        self, token: BearerToken, origins: Collection[str], *, anywhere: bool = False
    ) -> Starlette:
        """Return the ASGI application behind the checks of token, host and origin."""
        one = ROOT + "/sessions/{session_id}"
        routes = [
            _route(ROOT + "/sessions", {"POST": self._start}),
            _route(one, {"GET": self._status, "DELETE": self._cancel}),
            _route(one + "/events", {"GET": self._watch_session}),
            _route(ROOT + "/events", {"GET": self._watch}),
            _route(ROOT + "/health", {"GET": self._health}),
            _route(ROOT + "/version", {"GET": self._version}),
        ]
        cors = Middleware(
            CORSMiddleware,
            allow_origins=list(origins),
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=["Authorization", "Content-Type", "Last-Event-ID"],
            allow_private_network=True,
        )
        access = Middleware(Access, token=token, origins=origins, anywhere=anywhere)
        # CORS lies outside: a page that was named may read why it was refused.
        app = Starlette(
            routes=routes,
            middleware=[cors, access],
            exception_handlers={HTTPException: _no_route, Exception: _failed},
        )
        app.router.redirect_slashes = False
        return app

    async def _start(self, request: Request) -> Response:
        asked = _session_request(request, await _body(request))
        status = self._sessions.start(asked)
        return _json(status, 201, {"location": f"{ROOT}/sessions/{status.id}"})

    async def _status(self, request: Request) -> Response:
        return _json(self._sessions.status(request.path_params["session_id"]))

    async def _cancel(self, request: Request) -> Response:
        return _json(self._sessions.cancel(request.path_params["session_id"]), 202)

    async def _health(self, _request: Request) -> Response:
        return _json(self._sessions.health())

    async def _version(self, _request: Request) -> Response:
        software = f"facelight/{__version__}"
        return _json(SoftwareVersion(software=software, control=VERSION, events=EVENTS_VERSION))

    async def _watch_session(self, request: Request) -> Response:
        session_id = request.path_params["session_id"]
        self._sessions.status(session_id)

        def wanted(event: LoggedEvent) -> bool:
            return bool(event.session == session_id)

        return self._stream(
            _last_event_id(request) or 0, wanted, lambda: self._sessions.over(session_id)
        )

    async def _watch(self, request: Request) -> Response:
        last = _last_event_id(request)
        number = self._sessions.log.last if last is None else last
        return self._stream(number, lambda _: True, lambda: False)

    def _stream(
        self, number: int, wanted: Callable[[LoggedEvent], bool], ended: Callable[[], bool]
    ) -> Response:
        if self._streams >= MAX_STREAMS:
            raise ControlRefusal(
                ErrorCode.STREAMS, f"{MAX_STREAMS} streams are open already; close some"
            )

        async def counted() -> AsyncIterator[bytes]:
            self._streams += 1
            try:
                async for frame in self._sessions.log.frames(number, wanted, ended):
                    yield frame
            finally:
                self._streams -= 1

        headers = {"cache-control": "no-store"}
        return StreamingResponse(counted(), headers=headers, media_type="text/event-stream")


def _route(path: str, operations: Mapping[str, Operation]) -> Route:
    """Return the route of a path: one for all its methods, so that ``Allow`` names them."""

    async def endpoint(request: Request) -> Response:
        method = "GET" if request.method == "HEAD" else request.method
        try:
            return await operations[method](request)
        except ControlRefusal as refused:
            return refusal_response(refused)

    return Route(path, endpoint, methods=list(operations))


async def _no_route(_request: Request, error: Exception) -> Response:
    if isinstance(error, HTTPException) and error.status_code == 405:
        answer = refusal_response(
            ControlRefusal(ErrorCode.METHOD, "this path has other methods: see Allow")
        )
        answer.headers.update(error.headers or {})
        return answer
    return refusal_response(
        ControlRefusal(ErrorCode.NOT_FOUND, f"no such path; all begin with {ROOT}/")
    )


async def _failed(_request: Request, _error: Exception) -> Response:
    """Answer where we have a fault; the server logs it with its traceback."""
    return refusal_response(ControlRefusal(ErrorCode.INTERNAL, "a fault of ours: see the log"))


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise ControlRefusal(
                ErrorCode.TOO_LARGE, f"the body has more than {MAX_BODY_BYTES} bytes"
            )
    return bytes(body)


def _session_request(request: Request, body: bytes) -> ControlRequest:
    """Return what a body asks for; none at all asks for a session with nothing special."""
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not body and not media:
        return ControlRequest()
    if media != "application/json":
        raise ControlRefusal(ErrorCode.MEDIA_TYPE, "Content-Type: expected application/json")
    try:
        return ControlRequest.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(map(str, first["loc"])) or "body"
        raise ControlRefusal(ErrorCode.BODY, f"{where}: {first['msg']}") from error


def _last_event_id(request: Request) -> int | None:
    text = request.headers.get("last-event-id")
    if text is None:
        return None
    if not _NUMBER.fullmatch(text):
        raise ControlRefusal(ErrorCode.LAST_EVENT_ID, "Last-Event-ID: expected the id of an event")
    return int(text)


def _json(model: BaseModel, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    body = model.model_dump_json().encode()
    all_headers = {"cache-control": "no-store", **(headers or {})}
    return Response(body, status, all_headers, "application/json")
