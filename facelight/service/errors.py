"""What the service refuses, in the words of the contract."""

from __future__ import annotations

from enum import StrEnum

from facelight.errors import Exit, FacelightError


class Refusal(StrEnum):
    """The fourteen messages of a 400, in the order in which the contract prints them."""

    MODEL_VERSION = (
        "BadRequest, Incorrect model-version. "
        "Please specify one of the valid model versions found at"
    )
    NO_METADATA = (
        "BadRequest, A value for the 'Metadata' property was not provided. "
        "Required header example: Content-Type: application/json; charset=utf-8 "
        "Content-Disposition: form-data; name=Metadata"
    )
    NO_CONTENT = (
        "BadRequest, A value for the 'Content' property was not provided. "
        "Required header example: Content-Type: application/octet-stream; "
        "Content-Disposition: form-data; name=Content"
    )
    FILE_NOT_FOUND = "BadRequest, Filename specified in 'Metadata' is not found in the 'Content'"
    RECTANGLE_OUTSIDE = (
        "BadRequest, Target face rectangle specified is out of range "
        "and not contained within image."
    )
    NOT_DECODABLE = "BadRequest, Decoding error, content not in expected format."
    TOO_LARGE = "BadRequest, Image size is too large."
    TOO_SMALL = "BadRequest, Image size is too small."
    FACE_NOT_IN_RECTANGLE = "BadRequest, Face not found within target rectangle."
    TOO_FEW_FACES = "BadRequest, Face not found across sufficient frames."
    BLURRED = "BadRequest, Face is too blurred and cannot be clearly seen."
    OVER_EXPOSED = "BadRequest, Face is over exposed and cannot be clearly seen."
    UNDER_EXPOSED = "BadRequest, Face is under exposed and cannot be clearly seen."
    NOT_FRONTAL = (
        "BadRequest, Face is not frontal and liveness classification cannot be run on face."
    )


class ApiError(Exception):
    """An answer other than success.

    ``code`` None writes the gateway's envelope (``statusCode`` in place of ``code``). ``cause``
    tells an integrator what the message leaves out; it travels in a header of ours, so that the
    body stays what the contract prints.
    """

    def __init__(
        self,
        status: int,
        code: str | None,
        message: str,
        *,
        cause: str | None = None,
        retry_after_s: int | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.cause = cause
        self.retry_after_s = retry_after_s

    def body(self) -> dict[str, object]:
        """Return the JSON envelope."""
        key: dict[str, object] = (
            {"statusCode": self.status} if self.code is None else {"code": self.code}
        )
        return {"error": {**key, "message": self.message}}


class Refused(ApiError):
    """One of the fourteen 400s of detectLiveness."""

    def __init__(self, refusal: Refusal, cause: str | None = None) -> None:
        super().__init__(400, "BadRequest", refusal.value, cause=cause)
        self.refusal = refusal


class FaultError(FacelightError):
    """A fault specification that cannot be meant: names the flag's value and what was expected."""

    exit_code = Exit.USAGE


class ServeError(FacelightError):
    """The service cannot listen where it was told to."""


def unauthorized(cause: str) -> ApiError:
    """Return the 401 of the contract."""
    return ApiError(
        401,
        "Unspecified",
        "Access denied due to invalid subscription key. Make sure you are subscribed to an API "
        "you are trying to call and provide the right key.",
        cause=cause,
    )


def out_of_quota(days: int) -> ApiError:
    """Return the 403 of the contract."""
    return ApiError(
        403, None, f"Out of call volume quota. Quota will be replenished in {days} days."
    )


def timed_out(cause: str | None = None) -> ApiError:
    """Return the 408 of the contract."""
    return ApiError(408, "OperationTimeOut", "OperationTimeOut.", cause=cause)


def too_many(seconds: int, cause: str | None = None) -> ApiError:
    """Return the 429 of the contract: the waiting time stands in the text alone."""
    return ApiError(
        429, None, f"Rate limit is exceeded. Try again in {seconds} seconds.", cause=cause
    )


def server_error(status: int, retry_after_s: int | None) -> ApiError:
    """Return a 5xx; the contract documents no text for it."""
    return ApiError(
        status, "InternalServerError", f"Injected fault {status}.", retry_after_s=retry_after_s
    )


def wrong_media_type(code: str = "UnsupportedMediaType") -> ApiError:
    """Return the 415 of the contract; session operations give it the code ``BadArgument``."""
    return ApiError(415, code, "Invalid Media Type.")


def session_not_found() -> ApiError:
    """Return the 404 of the contract."""
    return ApiError(
        404,
        "SessionNotFound",
        "Session Id is not found. The session id is expired or does not exist.",
    )
