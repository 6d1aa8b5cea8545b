"""Answers: JSON, the headers of every answer, and connections that break."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from facelight.service.errors import ApiError
from facelight.service.faults import DropWhen

STAND_IN: Final = "local stand-in for development; no liveness detector"
"""Value of the header that every answer carries."""

TRANSPORT: Final = "facelight.transport"
"""ASGI extension of our server: the connection's transport, for injected drops."""

_GONE_S = 5.0


class Json(JSONResponse):
    """JSON with the charset that the service names."""

    media_type = "application/json; charset=utf-8"


class Dropped(Response):
    """Breaks the connection instead of answering, or half-way through the answer."""

    def __init__(self, when: DropWhen, lost: Response | None = None) -> None:
        super().__init__()
        self._when = when
        self._lost = lost

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send nothing or half, then hang up and wait until the server has noticed."""
        transport = scope["extensions"][TRANSPORT]
        if self._when is DropWhen.DURING and self._lost is not None:
            body = bytes(self._lost.body)
            head = {"status": self._lost.status_code, "headers": self._lost.raw_headers}
            await send({"type": "http.response.start", **head})
            half = {"body": body[: len(body) // 2], "more_body": True}
            await send({"type": "http.response.body", **half})
            transport.close()
        else:
            transport.abort()
        # cancelled when the service ends meanwhile: the connection has gone already
        with contextlib.suppress(TimeoutError, asyncio.CancelledError):
            async with asyncio.timeout(_GONE_S):
                while (await receive())["type"] != "http.disconnect":
                    pass


def error_response(error: ApiError, *, plain: bool = False) -> Response:
    """Return the envelope of an error; what it leaves out goes into ``x-facelight-cause``.

    ``plain``: the message alone, as text.
    """
    response: Response
    if plain:
        response = PlainTextResponse(error.message, error.status)
    else:
        response = Json(error.body(), error.status)
    if error.cause is not None:
        response.headers["x-facelight-cause"] = printable(error.cause)
    if error.retry_after_s is not None:
        response.headers["retry-after"] = str(error.retry_after_s)
    return response


def stamp(response: Response, request_id: str, elapsed_ms: int) -> Response:
    """Add the headers of every answer."""
    response.headers["apim-request-id"] = request_id
    response.headers["x-envoy-upstream-service-time"] = str(elapsed_ms)
    response.headers["x-ms-region"] = "local"
    response.headers["x-facelight-stand-in"] = STAND_IN
    return response


def printable(text: str, most: int = 300) -> str:
    """Return text that a header can hold: printable ASCII, bounded."""
    return "".join(c if " " <= c <= "~" else "?" for c in text[:most])


def request_path(request: Request, most: int) -> str:
    """Return path and query as they were sent, bounded."""
    raw: Any = request.scope.get("raw_path") or request.scope["path"].encode()
    query = request.scope["query_string"]
    whole = raw + b"?" + query if query else raw
    return printable(whole.decode("latin-1"), most)
