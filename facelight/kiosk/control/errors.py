"""What the control port answers where it cannot do what was asked."""

from __future__ import annotations

from facelight.errors import FacelightError
from facelight.kiosk.control.models import ErrorBody, ErrorCode, ErrorDetail

STATUS = {
    ErrorCode.BODY: 422,
    ErrorCode.LANGUAGE: 422,
    ErrorCode.MEDIA_TYPE: 415,
    ErrorCode.TOKEN: 401,
    ErrorCode.HOST: 403,
    ErrorCode.ORIGIN: 403,
    ErrorCode.UNKNOWN_SESSION: 404,
    ErrorCode.NOT_FOUND: 404,
    ErrorCode.METHOD: 405,
    ErrorCode.BUSY: 409,
    ErrorCode.TOO_LATE: 409,
    ErrorCode.TOO_LARGE: 413,
    ErrorCode.LAST_EVENT_ID: 400,
    ErrorCode.STREAMS: 503,
    ErrorCode.OUT_OF_ORDER: 503,
    ErrorCode.ENDING: 503,
    ErrorCode.INTERNAL: 500,
}


class ControlError(FacelightError):
    """The control port cannot be opened; nothing was shown."""


class ControlRefusal(FacelightError):
    """A request that is turned away; ``session`` is the one that stands in its way, if any."""

    def __init__(self, code: ErrorCode, message: str, session: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.session = session

    @property
    def status(self) -> int:
        """The HTTP status."""
        return STATUS[self.code]

    def body(self) -> bytes:
        """Return the JSON body."""
        detail = ErrorDetail(code=self.code, message=str(self), session=self.session)
        return ErrorBody(error=detail).model_dump_json().encode()
