"""What is delivered and what comes of it; the guard that turns away what the service would."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Literal, get_args

from uploader.api.decision import Decision, LivenessDecision, Target
from uploader.api.wire import Metadata, checked_file_name
from uploader.errors import PayloadError, UploaderError
from uploader.http.bad_requests import BY_CODE
from uploader.http.credentials import BearerToken
from uploader.http.endpoint import checked_session_id
from uploader.http.multipart import DIGEST_SCHEME, ContentFile, build_body, digest
from uploader.plain_text import shown

Provenance = Literal["camera", "simulated", "imported"]

MIN_FILE_BYTES: Final = 1024
MAX_VIDEO_BYTES: Final = 25_000_000
MAX_IMAGE_BYTES: Final = 6_000_000
"""KB and MB are not defined by the service: these satisfy both readings."""


@dataclass(frozen=True, slots=True)
class Submission:
    """The exact bytes of one request; they, the ids and the digest never change again."""

    body: bytes = field(repr=False)
    content_type: str
    client_request_id: str
    digest: str
    digest_scheme: str
    provenance: Provenance
    created: datetime
    """Wall clock, UTC."""
    session_id: str | None = None
    """The service's session, when the credential is a session's token."""
    token: BearerToken | None = None
    """The token of that session; without one the client's own credential is used."""

    @property
    def size(self) -> int:
        """Length of the body in bytes."""
        return len(self.body)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a submission comes from and which session it belongs to."""

    provenance: Provenance = "camera"
    session_id: str | None = None
    token: BearerToken | None = field(default=None, repr=False)
    created: datetime | None = None
    """None: now."""
    client_request_id: str | None = None
    """A GUID; None: a new one."""


@dataclass(frozen=True, slots=True)
class Failure:
    """An error as it stands in a result."""

    code: str
    message: str
    advice: str
    final: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a submission; exactly one of ``decision`` and ``error``, none after a 204."""

    status: int | None
    client_request_id: str
    request_id: str | None = None
    decision: LivenessDecision | None = None
    raw_decision: str | None = None
    model_version: str | None = None
    target: Target | None = None
    error: Failure | None = None
    latency_ms: int | None = None
    date: datetime | None = None
    """The service's clock."""

    @property
    def delivered(self) -> bool:
        """The service took the submission and classified it."""
        return self.error is None

    def to_json(self) -> dict[str, Any]:
        """Return the ``outcome`` of a ``result.json``."""
        error = self.error
        return {
            "status": self.status,
            "decision": None if self.decision is None else str(self.decision),
            "request_id": self.request_id,
            "client_request_id": self.client_request_id,
            "model_version": self.model_version,
            "said": self._said(),
            "error": None
            if error is None
            else {"code": error.code, "message": error.message, "advice": error.advice},
        }

    def _said(self) -> dict[str, Any] | None:
        """Return what the service said word for word; None where it decided nothing."""
        if self.raw_decision is None:
            return None
        target = self.target
        return {
            "decision": self.raw_decision,
            "target": None if target is None else asdict(target),
        }

    @classmethod
    def of_decision(
        cls, submission: Submission, decision: Decision | None, answer: tuple[int, str | None, int]
    ) -> Outcome:
        """Return the outcome of a success; ``answer`` is (status, request id, latency in ms)."""
        status, request_id, latency_ms = answer
        return cls(
            status=status,
            client_request_id=submission.client_request_id,
            request_id=request_id,
            decision=decision.decision if decision else None,
            raw_decision=decision.raw_decision if decision else None,
            model_version=decision.model_version if decision else None,
            target=decision.target if decision else None,
            latency_ms=latency_ms,
        )

    @classmethod
    def of_error(
        cls, submission: Submission, error: UploaderError, latency_ms: int | None = None
    ) -> Outcome:
        """Return the outcome of a failed attempt."""
        return cls(
            status=error.status,
            client_request_id=submission.client_request_id,
            request_id=error.request_id,
            error=Failure(error.code, error.message, error.advice, error.final),
            latency_ms=latency_ms,
            date=error.context.date,
        )


def build_submission(
    metadata: Metadata | None,
    files: Mapping[str, bytes] | Sequence[ContentFile],
    origin: Origin | None = None,
) -> Submission:
    """Build the exact request, or say why the service would refuse it.

    Parameters
    ----------
    metadata : the part that names the files.
    files : name -> bytes; every file the metadata names and no other. The parts follow the order
        in which the metadata first names them.
    origin : provenance, session and ids.

    Raises
    ------
    PayloadError
        ``code`` is that of the service's message (2, 3, 4, 6, 7, 8); the message names the file.
    """
    origin = origin or Origin()
    if metadata is None:
        raise _refused("metadata_missing", "no metadata")
    body = build_body(metadata.to_bytes(), _in_order(metadata, _by_name(files)))
    return Submission(
        body=body.data,
        content_type=body.content_type,
        client_request_id=_guid(origin.client_request_id),
        digest=digest(body.data),
        digest_scheme=DIGEST_SCHEME,
        provenance=_provenance(origin.provenance),
        created=(origin.created or datetime.now(UTC)).astimezone(UTC),
        session_id=origin.session_id and checked_session_id(origin.session_id),
        token=origin.token,
    )


def _by_name(files: Mapping[str, bytes] | Sequence[ContentFile]) -> dict[str, bytes]:
    pairs = files.items() if isinstance(files, Mapping) else [(f.name, f.data) for f in files]
    named: dict[str, bytes] = {}
    for name, data in pairs:
        try:
            checked_file_name(name)
        except ValueError as error:
            raise PayloadError(str(error), code="file_name_invalid") from error
        if name in named:
            raise PayloadError(f"{name}: given twice", code="file_name_invalid")
        named[name] = data
    return named


def _in_order(metadata: Metadata, files: dict[str, bytes]) -> list[ContentFile]:
    if not files:
        raise _refused("content_missing", "no file")
    wanted = metadata.file_names()
    for name in wanted:
        if name not in files:
            raise _refused("file_name_not_found", f"{name}: named by the metadata, not given")
    for name in files:
        if name not in wanted:
            raise _refused("file_name_not_found", f"{name}: given, not named by the metadata")
    ordered = [ContentFile(name, files[name]) for name in wanted]
    kinds = {_check_size(file) for file in ordered}
    if len(kinds) > 1 or (kinds == {"video"} and len(ordered) > 1):
        raise PayloadError(
            "a request holds one video or only images: " + ", ".join(wanted), code="files_mixed"
        )
    return ordered


def _check_size(file: ContentFile) -> str:
    size = len(file.data)
    if size < MIN_FILE_BYTES:
        raise _refused("image_too_small", f"{file.name}: {size} bytes, less than {MIN_FILE_BYTES}")
    kind = file_kind(file.data)
    if kind is None:
        raise _refused("decoding_error", f"{file.name}: neither WebP nor JPEG, PNG, GIF or BMP")
    limit = MAX_VIDEO_BYTES if kind == "video" else MAX_IMAGE_BYTES
    if size > limit:
        raise _refused("image_too_large", f"{file.name}: {size} bytes, more than {limit}")
    return kind


def file_kind(data: bytes) -> Literal["video", "image"] | None:
    """Tell a WebP (the service's video) from a still image by its first bytes."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "video"
    stills = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a", b"BM")
    return "image" if data.startswith(stills) else None


def _refused(code: str, problem: str) -> PayloadError:
    return PayloadError(problem, code=code, advice=BY_CODE[code].advice)


def _guid(given: str | None) -> str:
    if given is None:
        return str(uuid.uuid4())
    try:
        return str(uuid.UUID(given))
    except ValueError as error:
        raise PayloadError(f"client request id {shown(given, 60)!r}: expected a GUID") from error


def _provenance(given: str) -> Provenance:
    for known in get_args(Provenance):
        if given == known:
            return known  # type: ignore[no-any-return]
    raise PayloadError(f"provenance {shown(given, 40)!r}: expected {get_args(Provenance)}")
