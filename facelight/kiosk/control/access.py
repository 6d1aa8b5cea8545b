"""Who may use the control port: the holder of the token, from a page that was named, on this host.

A web page of elsewhere can make a browser on the kiosk's machine send requests to loopback. It
cannot know the token; ``Origin`` and ``Host`` are checked besides, so that neither a page that was
not named nor a name that was made to point at loopback (DNS rebinding) gets any answer to read.
"""

from __future__ import annotations

import hmac
import ipaddress
import re
from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from facelight.kiosk.control.errors import ControlRefusal
from facelight.kiosk.control.models import ErrorCode
from uploader.http.credentials import BearerToken

_PORT = re.compile(r":\d{1,5}$")


class Access:
    """ASGI middleware before everything else.

    Parameters
    ----------
    token : what ``Authorization: Bearer`` must carry.
    origins : of the pages that may drive the kiosk from a browser.
    anywhere : the port is open to other machines: any address is a good ``Host``, no name is.
    """

    def __init__(
        self, app: ASGIApp, token: BearerToken, origins: Collection[str], *, anywhere: bool
    ) -> None:
        self._app = app
        self._token = token.reveal().encode()
        self._origins = frozenset(origins)
        self._anywhere = anywhere

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request pass, or answer why not."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            self._check(scope["method"], Headers(scope=scope))
        except ControlRefusal as refused:
            await refusal_response(refused)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _check(self, method: str, headers: Headers) -> None:
        host = headers.get("host", "")
        if not good_host(host, anywhere=self._anywhere):
            raise ControlRefusal(
                ErrorCode.HOST, "Host: expected localhost or an address of this machine"
            )
        origin = headers.get("origin")
        if origin is not None and origin not in self._origins:
            raise ControlRefusal(
                ErrorCode.ORIGIN, "Origin: this page is not in kiosk.control_origins"
            )
        if method == "OPTIONS" and origin is not None:
            return  # a preflight carries no credential; it is answered by the layer for CORS
        scheme, _, given = headers.get("authorization", "").partition(" ")
        sent = given.strip().encode("utf-8", "surrogatepass")
        if scheme.lower() != "bearer" or not hmac.compare_digest(sent, self._token):
            raise ControlRefusal(
                ErrorCode.TOKEN, "Authorization: expected 'Bearer' and kiosk.control_token_file"
            )


def good_host(host: str, *, anywhere: bool) -> bool:
    """Return whether a ``Host`` is ``localhost`` or an address; loopback unless ``anywhere``."""
    name = _PORT.sub("", host)
    if name.lower() == "localhost":
        return True
    try:
        address = ipaddress.ip_address(name.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return anywhere or address.is_loopback


def refusal_response(refused: ControlRefusal) -> Response:
    """Return the answer."""
    headers = {"cache-control": "no-store"}
    if refused.code is ErrorCode.TOKEN:
        headers["www-authenticate"] = "Bearer"
    if refused.code in (ErrorCode.BUSY, ErrorCode.OUT_OF_ORDER, ErrorCode.STREAMS):
        headers["retry-after"] = "5"
    return Response(refused.body(), refused.status, headers, "application/json")
