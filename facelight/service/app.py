"""The operations of the contract as an ASGI application.

Order of a request, as at a gateway: credentials and call rate, injected faults, then the operation.
A fault therefore costs a session token none of its calls - but for a dropped answer (``drop:after``
and ``drop:during``), which loses the result of a request that was carried out.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from functools import partial
from typing import TypeAlias

import anyio
import anyio.to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from capture.clock import Clock, SystemClock
from facelight.service.audit import MAX_TEXT, RecordedCall, audit_page, read_page
from facelight.service.auth import Authenticator
from facelight.service.body_room import BodyRoom, BodyShare
from facelight.service.errors import ApiError, Refusal, Refused, timed_out, wrong_media_type
from facelight.service.faults import DropWhen, Fault, FaultDice, FaultKind
from facelight.service.judging.judge import Judgement, judge
from facelight.service.options import API_ROOT, MODEL_VERSIONS, ServiceOptions
from facelight.service.parse import BodyReader, Upload
from facelight.service.responses import (
    Dropped,
    Json,
    error_response,
    printable,
    request_path,
    stamp,
)
from facelight.service.session_store import Calendar, SessionStore
from facelight.service.sessions import MAX_BODY_BYTES, StoredSession, read_session_request
from facelight.service.wire import header_parameters

log = logging.getLogger(__name__)

Operation: TypeAlias = Callable[["ReceivedCall"], Awaitable[Response]]


class ReceivedCall:
    """One request on its way, with the moment it came and the id of its answer."""

    def __init__(self, request: Request, now_ns: int) -> None:
        self.request = request
        self.received_ns = now_ns
        self.id = str(uuid.uuid4())
        self.session: StoredSession | None = None


class Service:
    """The state behind the application: sessions, faults, and what may run at a time."""

    def __init__(
        self,
        options: ServiceOptions | None = None,
        clock: Clock | None = None,
        epoch: datetime | None = None,
    ) -> None:
        self.options = options or ServiceOptions()
        self._clock = clock or SystemClock()
        self._calendar = Calendar(self._clock, epoch)
        self._store = SessionStore(self._calendar, self.options.sessions)
        self._gate = Authenticator(
            self.options.key, self._store, self._clock, self.options.calls_per_minute
        )
        self._dice = FaultDice(self.options.faults, self.options.fault_seed)
        self._room = BodyRoom(self.options.bodies * self.options.limits.max_body_bytes)
        self._ending = threading.Event()
        self._idle = threading.Condition()
        self._at_work = 0
        self._workers = anyio.CapacityLimiter(self.options.workers)

    def application(self) -> Starlette:
        """Return the ASGI application."""
        sessions = f"{API_ROOT}/sessions"
        app = Starlette(
            routes=[
                self._route(API_ROOT, "POST", self._detect),
                self._route(sessions, "POST", self._create),
                self._route(sessions, "GET", self._list),
                self._route(sessions + "/{session_id}", "GET", self._show),
                self._route(sessions + "/{session_id}", "DELETE", self._delete),
                self._route(sessions + "/{session_id}/audit", "GET", self._audit),
            ],
            exception_handlers={HTTPException: self._no_route},
        )
        app.router.redirect_slashes = False
        return app

    def _route(self, path: str, method: str, operation: Operation) -> Route:
        async def endpoint(request: Request) -> Response:
            return await self._answer(request, operation)

        return Route(path, endpoint, methods=[method])

    async def _answer(self, request: Request, operation: Operation) -> Response:
        call = ReceivedCall(request, self._clock.now_ns())
        try:
            response = await self._guarded(call, operation)
        except ApiError as error:
            response = self._refusal(error, operation)
        except asyncio.CancelledError:
            # the service ends and its grace is over: hang up rather than answer
            return Dropped(DropWhen.BEFORE)
        except ClientDisconnect:
            response = self._refusal(timed_out("the client hung up"), operation)
        except Exception:
            log.exception("request %s failed", call.id)
            response = error_response(
                ApiError(500, "InternalServerError", "Internal server error.")
            )
        return stamp(response, call.id, self._elapsed_ms(call))

    def _refusal(self, error: ApiError, operation: Operation) -> Response:
        """Return an error as the contract prints it: the 408 of a detection is plain text."""
        return error_response(error, plain=error.status == 408 and operation == self._detect)

    async def _guarded(self, call: ReceivedCall, operation: Operation) -> Response:
        headers = call.request.headers
        if operation == self._detect:
            call.session = self._gate.caller(headers)
        else:
            self._gate.require_key(headers)
        fault = self._dice.draw()
        if fault is not None:
            return await self._faulty(fault, call, operation)
        return await operation(call)

    async def _faulty(self, fault: Fault, call: ReceivedCall, operation: Operation) -> Response:
        log.info("request %s meets fault %s", call.id, fault)
        if fault.kind is FaultKind.STATUS:
            raise fault.error()
        if fault.kind is FaultKind.STALL:
            await asyncio.sleep(fault.seconds or 0.0)
            return await operation(call)
        if fault.when is DropWhen.BEFORE:
            return Dropped(fault.when)
        try:
            response = await operation(call)
        except ApiError as error:
            response = self._refusal(error, operation)
        return Dropped(fault.when, stamp(response, call.id, self._elapsed_ms(call)))

    async def _detect(self, call: ReceivedCall) -> Response:
        if call.session is not None:
            self._store.begin_call(call.session)
        with self._room.share() as share:
            reader = await self._read_body(call, share)
            try:
                judgement = await self._judge(call, reader)
            except ApiError as error:
                self._record(call, reader, error.status, error.body())
                raise
        body = judgement.wire(self.options.shape)
        withheld = call.session is not None and not call.session.request.send_results_to_client
        self._record(call, reader, 204 if withheld else 200, body)
        return Response(status_code=204) if withheld else Json(body)

    async def _read_body(self, call: ReceivedCall, share: BodyShare) -> BodyReader:
        reader = BodyReader(call.request.headers.get("content-type"), self.options.limits)
        try:
            async with asyncio.timeout(self.options.limits.body_timeout_s):
                await reader.read(self._arriving(call, share))
        except TimeoutError:
            raise timed_out("the body did not arrive in time") from None
        return reader

    async def _arriving(self, call: ReceivedCall, share: BodyShare) -> AsyncIterator[bytes]:
        """Yield the body as it comes and has room; TimeoutError when nothing comes for too long."""
        chunks = call.request.stream()
        while True:
            try:
                async with asyncio.timeout(self.options.limits.idle_timeout_s):
                    chunk = await anext(chunks)
            except StopAsyncIteration:
                return
            if share.held + len(chunk) <= self.options.limits.max_body_bytes:
                await share.take(len(chunk))  # beyond it the body is refused anyway
            yield chunk

    async def _judge(self, call: ReceivedCall, reader: BodyReader) -> Judgement:
        version = call.request.query_params.get("model-version")
        if version is not None and version not in MODEL_VERSIONS:
            raise Refused(Refusal.MODEL_VERSION, f"model-version: expected {MODEL_VERSIONS}")
        work = partial(self._judged, reader.upload())
        try:
            return await anyio.to_thread.run_sync(
                work, limiter=self._workers, abandon_on_cancel=True
            )
        except asyncio.CancelledError:
            self._ending.set()  # the thread ends at its next frame
            raise

    def _judged(self, upload: Upload) -> Judgement:
        """Judge on a thread; `idle` says whether one is still at it."""
        with self._idle:
            self._at_work += 1
        try:
            return judge(upload, self.options.limits, self._ending.is_set)
        finally:
            with self._idle:
                self._at_work -= 1
                self._idle.notify_all()

    def idle(self, patience_s: float) -> bool:
        """Wait for threads that judge what was given up; False: one is still inside a decoder."""
        with self._idle:
            return self._idle.wait_for(lambda: self._at_work == 0, patience_s)

    def _record(
        self, call: ReceivedCall, reader: BodyReader, status: int, body: dict[str, object]
    ) -> None:
        """Write the audit entry of a call that a token made; the key's calls have no session."""
        if call.session is None:
            return
        agent = call.request.headers.get("user-agent")
        call.session.entries.append(
            RecordedCall(
                id=len(call.session.entries) + 1,
                session_id=call.session.id,
                request_id=call.id,
                received=self._calendar.text(call.received_ns),
                url=request_path(call.request, MAX_TEXT),
                content_length=reader.length,
                content_type=printable(call.request.headers.get("content-type", ""), MAX_TEXT),
                user_agent=None if agent is None else printable(agent, MAX_TEXT),
                response_body=body,
                status=status,
                latency_ms=self._elapsed_ms(call),
                digest=reader.digest,
            )
        )

    async def _create(self, call: ReceivedCall) -> Response:
        _require_json(call.request, present=True)
        body = bytearray()
        async for chunk in call.request.stream():
            body += chunk
            if len(body) > MAX_BODY_BYTES:
                break
        request = read_session_request(bytes(body), self.options.sessions)
        session, token = self._store.create(request)
        return Json({"sessionId": session.id, "authToken": token})

    async def _list(self, call: ReceivedCall) -> Response:
        _require_json(call.request, present=False)
        page = self._store.page(read_page(call.request.query_params))
        return Json([self._store.item(session) for session in page])

    async def _show(self, call: ReceivedCall) -> Response:
        _require_json(call.request, present=False)
        return Json(self._store.wire(self._session(call)))

    async def _delete(self, call: ReceivedCall) -> Response:
        self._store.delete(call.request.path_params["session_id"])
        return Response(status_code=200)

    async def _audit(self, call: ReceivedCall) -> Response:
        _require_json(call.request, present=False)
        page = read_page(call.request.query_params)
        return Json(audit_page(self._session(call).entries, page))

    def _session(self, call: ReceivedCall) -> StoredSession:
        return self._store.get(call.request.path_params["session_id"])

    async def _no_route(self, request: Request, _: Exception) -> Response:
        call = ReceivedCall(request, self._clock.now_ns())
        response = error_response(ApiError(404, "404", "Resource not found"))
        return stamp(response, call.id, self._elapsed_ms(call))

    def _elapsed_ms(self, call: ReceivedCall) -> int:
        return (self._clock.now_ns() - call.received_ns) // 1_000_000


def _require_json(request: Request, *, present: bool) -> None:
    """Session operations take JSON alone; a GET need not name a type.

    The contract's own samples send a body with a GET; the type of it is what curl and Ruby write
    where none is given.
    """
    content_type = header_parameters(request.headers.get("content-type") or "")[0]
    if not present and content_type in {"", "application/x-www-form-urlencoded"}:
        return
    if content_type != "application/json":
        raise wrong_media_type("BadArgument")
