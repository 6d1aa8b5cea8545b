"""The one error tree of the package.

::

    UploaderError
    ├── EndpointError            a URL, region or model version that cannot be used
    ├── CredentialError          no key or token, both, unreadable, malformed
    │   ├── TokenExpiredError    a session's token has run out, or its session is deleted
    │   └── TokenSourceError     the file, command or URL gave no token
    ├── PayloadError             what the service would refuse, refused here (messages 2-5, 7, 8)
    ├── ProvenanceError          a simulated session for a service that is not local
    ├── ServiceError             the service answered, and not with success
    │   ├── BadRequestError      400, one ``code`` for each documented message
    │   ├── UnauthorizedError    401
    │   ├── QuotaExceededError   403 with a time
    │   ├── ForbiddenError       403 otherwise
    │   ├── NotFoundError        404
    │   ├── ServiceTimeoutError  408
    │   ├── ContentTooLargeError  413
    │   ├── UnsupportedMediaTypeError  415
    │   ├── RateLimitedError     429
    │   ├── ServerError          5xx
    │   ├── RedirectRefusedError 3xx
    │   └── UnexpectedStatusError  any other status
    ├── TransportError           no answer
    │   ├── ConnectError         unreachable: DNS, refused, TLS
    │   │   ├── ConnectTimeoutError
    │   │   └── ProxyRefusedError  the proxy on the way wants credentials, or forbids it
    │   ├── ConnectionLostError  broken off while sending or receiving
    │   ├── WriteTimeoutError
    │   ├── ReadTimeoutError
    │   └── TotalTimeoutError    the attempt's own deadline
    ├── AnswerError              an answer that cannot be used
    │   ├── MalformedAnswerError
    │   └── OversizedAnswerError
    └── SpoolError
        ├── SpoolFullError       a limit on bytes, items or age, or the disk itself
        ├── SpoolBusyError       another process delivers from this spool
        ├── SpoolKeyError        device key missing, wrong or readable by others
        ├── SpoolDamagedError    the database cannot be read; ``facelight spool repair``
        ├── ItemError            an item is damaged, or unknown
        └── DiskError            writing, syncing or renaming failed; nothing was accepted
            └── ItemUnreadableError  an item's file cannot be read for now; it stays queued
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Context:
    """What is known about the exchange that failed."""

    status: int | None = None
    request_id: str | None = None
    """``apim-request-id`` of the answer."""
    client_request_id: str | None = None
    retry_after_s: float | None = None
    """The wait the service asked for."""
    service_code: str | None = None
    """``error.code`` as the service wrote it."""
    date: datetime | None = None
    """The service's clock, from the header ``Date``."""


class UploaderError(Exception):
    """Root. ``str()`` is one printable line: what happened, then what to do about it."""

    code: str = "uploader"
    """A stable word for scripts and records."""
    advice: str = ""
    """What to tell the person or the integrator."""
    final: ClassVar[bool] = False
    """True when the same bytes can never succeed."""

    def __init__(
        self,
        message: str,
        context: Context | None = None,
        *,
        code: str | None = None,
        advice: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.context = context or Context()
        if code is not None:
            self.code = code
        if advice is not None:
            self.advice = advice

    def __str__(self) -> str:
        status = f"HTTP {self.status}: " if self.status is not None else ""
        advice = f" ({self.advice})" if self.advice else ""
        return f"{status}{self.message}{advice}"

    @property
    def status(self) -> int | None:
        """HTTP status, None when there was no answer."""
        return self.context.status

    @property
    def request_id(self) -> str | None:
        """The service's id of the request."""
        return self.context.request_id

    @property
    def client_request_id(self) -> str | None:
        """Our id of the request."""
        return self.context.client_request_id

    @property
    def retry_after_s(self) -> float | None:
        """Seconds the service asked to wait, None when it named none."""
        return self.context.retry_after_s


class EndpointError(UploaderError):
    """A URL, region or model version that cannot be used."""

    code = "endpoint"


class CredentialError(UploaderError):
    """No key or token, both at once, unreadable or malformed."""

    code = "credential"


class TokenExpiredError(CredentialError):
    """A session's token is not accepted (401): it has run out, or its session was deleted."""

    code = "token_expired"
    advice = "the submission is kept; read the session's fate on the application server"


class TokenSourceError(CredentialError):
    """The file, command or URL of the application server gave no usable token."""

    code = "token_source"


class PayloadError(UploaderError):
    """What the service would refuse with a 400, refused before it is sent."""

    code = "payload"
    final = True


class ProvenanceError(UploaderError):
    """A simulated session must not be presented to a real service."""

    code = "simulated"
    advice = "pass --allow-simulated if that is what you want"
    final = True


class ServiceError(UploaderError):
    """The service answered, and not with success."""

    code = "service"


class BadRequestError(ServiceError):
    """400; ``code`` is one word for each documented message, ``bad_request`` for any other."""

    code = "bad_request"
    advice = "the request is wrong in a way the documentation does not name; report it"
    final = True


class UnauthorizedError(ServiceError):
    """401: the key or token is not accepted; no attempt helps until it is changed."""

    code = "unauthorized"
    advice = "check the key or token and the endpoint; the submission is kept"


class QuotaExceededError(ServiceError):
    """403 with the time after which the quota is replenished."""

    code = "quota_exceeded"
    advice = "the volume of this plan is used up; the submission is kept"


class ForbiddenError(ServiceError):
    """403 without a time: network rules or permissions of the resource."""

    code = "forbidden"
    advice = "the resource refuses this device; check its network rules and permissions"


class NotFoundError(ServiceError):
    """404, 410: no such session, or no such service at this endpoint."""

    code = "not_found"
    advice = "check the endpoint and the session id"


class ServiceTimeoutError(ServiceError):
    """408: the service gave up."""

    code = "service_timeout"
    advice = "worth another try"


class UnsupportedMediaTypeError(ServiceError):
    """415: a fault of ours or of something between, never of the person."""

    code = "unsupported_media_type"
    advice = "a fault of the client or of a proxy between; report it, the submission is kept"
    final = True


class ContentTooLargeError(ServiceError):
    """413: the service, or a proxy before it, takes less; the same bytes can never succeed."""

    code = "content_too_large"
    advice = "send less: process again with a smaller --target-bytes"
    final = True


class RateLimitedError(ServiceError):
    """429: too many calls."""

    code = "rate_limited"
    advice = "worth another try after the time named"


class ServerError(ServiceError):
    """5xx."""

    code = "server_error"
    advice = "worth another try"


class RedirectRefusedError(ServiceError):
    """3xx: never followed, it would carry the credential and the pictures to another host."""

    code = "redirect_refused"
    advice = "the endpoint redirects; set the endpoint it should be"


class UnexpectedStatusError(ServiceError):
    """A status the contract does not know."""

    code = "unexpected_status"
    advice = "check the endpoint; the submission is kept"


class TransportError(UploaderError):
    """There was no answer."""

    code = "transport"
    advice = "check the network; worth another try"


class ConnectError(TransportError):
    """The service cannot be reached: name not found, refused, no route, TLS failed."""

    code = "unreachable"


class ConnectTimeoutError(ConnectError):
    """The connection was not made in time."""

    code = "connect_timeout"


class ProxyRefusedError(ConnectError):
    """The proxy on the way wants other credentials, or does not let this host through."""

    code = "proxy_refused"
    advice = "check http.proxy and its credentials; the submission is kept"


class ConnectionLostError(TransportError):
    """The connection broke off while sending or receiving; the service may have the request."""

    code = "connection_lost"


class WriteTimeoutError(TransportError):
    """The service stopped taking the request."""

    code = "write_timeout"


class ReadTimeoutError(TransportError):
    """The request was sent and no answer came in time."""

    code = "read_timeout"


class TotalTimeoutError(TransportError):
    """The whole attempt took longer than allowed, although bytes still trickled."""

    code = "total_timeout"


class AnswerError(UploaderError):
    """There was an answer that cannot be used."""

    code = "answer"
    advice = "something between may have altered it; worth another try"


class MalformedAnswerError(AnswerError):
    """Not HTTP, not JSON, or JSON of another shape."""

    code = "malformed_answer"


class OversizedAnswerError(AnswerError):
    """Longer than any answer of the service, before or after decompression."""

    code = "oversized_answer"


class SpoolError(UploaderError):
    """The spool cannot do what was asked."""

    code = "spool"


class SpoolFullError(SpoolError):
    """A limit on bytes, items or age is reached, or the disk is full."""

    code = "spool_full"
    advice = "restore the network or run `facelight spool flush`; raise the limits if meant"


class SpoolBusyError(SpoolError):
    """Another process delivers from this spool."""

    code = "spool_busy"


class SpoolKeyError(SpoolError):
    """The device key is missing, wrong, malformed or readable by others; nothing is deleted."""

    code = "device_key"


class SpoolDamagedError(SpoolError):
    """The spool's database cannot be read; the sealed files are beside it, untouched."""

    code = "spool_damaged"
    advice = (
        "run `facelight spool repair`, or move spool.db away yourself: the sealed files are "
        "adopted at the next start"
    )


class ItemError(SpoolError):
    """An item is unknown, damaged, or its content is gone."""

    code = "spool_item"


class DiskError(SpoolError):
    """Writing, syncing or renaming failed; the submission was not accepted."""

    code = "disk"
    advice = "check the disk that holds the spool"


class ItemUnreadableError(DiskError):
    """The disk does not give an item's file at the moment; the item stays queued."""

    code = "item_unreadable"
