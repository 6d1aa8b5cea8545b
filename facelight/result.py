"""What became of one session: ``result.json`` as types.

`ResultRecord` is written by ``process``, ``demo`` and the deliveries, and read by the summary, the
pages, ``--resume`` and `read_result`. Its JSON schema stands in ``docs/schema/result.json``. Keys
that this version does not know (a later version wrote them) are kept as they are.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from facelight.errors import FacelightError
from facelight.terminal import encodable

RESULT_FILE: Final = "result.json"

Status: TypeAlias = Literal["accepted", "rejected", "error"]


def _held(value: object) -> object:
    """Let any text be held by a UTF-8 file: an undecodable name is no reason to lose a result."""
    return encodable(value) if isinstance(value, str) else value


Text: TypeAlias = Annotated[str, BeforeValidator(_held)]


class ResultError(FacelightError):
    """A ``result.json`` cannot be read; names the file and the field."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="allow", protected_namespaces=())


class CountsRecord(_Record):
    """How many frames of the session reached which stage."""

    frames: int
    faces: int
    accepted: int
    submitted: int
    per_colour: Mapping[str, int]
    bytes: int
    """Of the clip's files together."""
    quality: int | None
    """Of WebP or JPEG, 0 to 100; None where there is no clip."""


class EncodingRecord(_Record):
    """What the clip's encoder did, and what it gave up for size or time."""

    offered: int
    lost: int
    dropped: int
    skipped: int
    recoded: int
    method: int | None
    quality_low: int | None
    quality_high: int | None
    file_bytes: int
    fallbacks: tuple[str, ...]


class ColourRecord(_Record):
    """What one colour of the plan did to the face."""

    slots: int
    clean_frames: int
    amplitude: float
    snr: float
    clipped_share: float


class LightRecord(_Record):
    """Whether and when the face answered the screen; times in ms."""

    state: str
    rho: float
    p_value: float
    strength: float
    delay_ms: float | None
    delay_sd_ms: float | None
    declared_delay_ms: float | None
    delay_disagrees: bool
    exposure_ms: float | None
    exposure_sd_ms: float | None
    stamps_in_doubt: bool
    drift_ms: float | None
    drift_sd_ms: float | None
    flip_shifts_ms: tuple[tuple[float, float], ...]
    """Of each flip: how far its step lies from where the stamps put it, and the deviation."""
    background_ratio: float | None
    frames: int
    colours: Mapping[str, ColourRecord]
    policy: str | None = None
    """``reject`` or ``send``: what was in force for light that does not answer."""


class LabelTimingRecord(_Record):
    """The timing that labelled the frames: ms, and rows as shares of the picture's height."""

    latency_ms: float
    latency_uncertainty_ms: float
    exposure_ms: float
    readout_ms: float
    scanout_ms: float
    settle_ms: float
    row_top: float
    row_bottom: float


class TargetRecord(_Record):
    """The face that the service decided on, in its own words."""

    rectangle: tuple[int, int, int, int] | None
    file_name: Text | None
    frame_number: int | None
    time_offset_within_file: int | None
    image_type: Text | None


class SaidRecord(_Record):
    """What the service said word for word."""

    decision: Text
    target: TargetRecord | None


class DeliveryErrorRecord(_Record):
    """Why a submission was not delivered, and what to do."""

    code: Text
    message: Text
    advice: Text


class OutcomeRecord(_Record):
    """What came of the delivery; exactly one of ``decision`` and ``error``, none after a 204."""

    status: int | None
    decision: Text | None
    request_id: Text | None
    client_request_id: Text
    model_version: Text | None
    said: SaidRecord | None = None
    error: DeliveryErrorRecord | None


class ErrorRecord(_Record):
    """Why an input could not be processed; ``code`` is the error's type."""

    code: Text
    message: Text


class ResultRecord(_Record):
    """The content of one ``result.json``.

    An input that could not be processed has the first fields and ``error``; a session has all but
    ``error``.
    """

    name: Text
    input: Text
    """Path below the folder that was given, without secrets."""
    session_id: str | None
    status: Status
    reasons: tuple[str, ...]
    digest: str | None
    counts: CountsRecord | None
    settings_hash: str
    software: str
    outcome: OutcomeRecord | None
    recorded_id: Text | None = None
    notes: tuple[Text, ...] = ()
    input_sha256: str | None = None
    provenance: str | None = None
    detail: Text = ""
    label_runs: tuple[tuple[str, str | None, int], ...] = ()
    """``(label, colour, frames)``, one a run of equal labels."""
    encoding: EncodingRecord | None = None
    light: LightRecord | None = None
    delay_origin: str | None = None
    """``declared``, ``profile`` or ``measured``."""
    label_timing: LabelTimingRecord | None = None
    error: ErrorRecord | None = None
    spooled: str | None = None
    """The item of the spool that holds the submission."""
    spool_problem: Text | None = Field(default=None)
    """Delivered, but the spool could not note it."""

    def to_json(self) -> dict[str, Any]:
        """Return what the file holds: the fields that were set, in the order of this class."""
        return self.model_dump(mode="json", exclude_unset=True)

    def with_fields(self, **changes: Any) -> Self:
        """Return the record with other values, checked as at construction."""
        return type(self).model_validate(self.to_json() | changes)

    @property
    def delivered(self) -> bool:
        """Whether the service took the submission."""
        return self.outcome is not None and self.outcome.error is None


def json_bytes(record: ResultRecord) -> bytes:
    """Return a result as people read it, UTF-8."""
    return (json.dumps(record.to_json(), indent=1, ensure_ascii=False) + "\n").encode("utf-8")


def read_result(path: Path) -> ResultRecord:
    """Read a ``result.json``, or that of an output directory.

    Raises
    ------
    ResultError
        missing, unreadable or no result; names the file, and the field where one is wrong.
    """
    file = path / RESULT_FILE if path.is_dir() else path
    try:
        return ResultRecord.model_validate_json(file.read_bytes())
    except OSError as error:
        raise ResultError(f"{file}: cannot be read: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        problem = f"{where}: {first['msg']}" if where else first["msg"]
        raise ResultError(f"{file}: no result of a session: {problem}") from error
