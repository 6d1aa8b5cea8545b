"""The request's metadata as the service names it; the only place with the request's field names.

Strict when writing: exact types, no unknown keys, ranges, and what one entry says about another.
Lenient when reading (``Metadata.parse``): unknown keys are ignored and numbers may be text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from uploader.errors import PayloadError
from uploader.plain_text import shown

IMAGE_TYPE_COLOUR: Final = 0
IMAGE_TYPE_INFRARED: Final = 1
"""By inference; the documentation shows 0 only."""
IMAGE_TYPE_DEPTH: Final = 2
"""By inference."""

MAX_SIDE_PX: Final = 1 << 16
MAX_FRAMES: Final = 10_000
MAX_TIME_MS: Final = (1 << 63) - 1

_FILE_NAME = re.compile(r"[A-Za-z0-9_(][A-Za-z0-9 ._()+=-]{0,254}")


def checked_file_name(name: str) -> str:
    """Return ``name`` when it is 1 to 255 plain ASCII characters that no header or path minds."""
    if not _FILE_NAME.fullmatch(name) or name != name.rstrip(" ."):
        raise ValueError(
            f"file name {shown(name, 60)!r}: expected 1 to 255 letters, digits, spaces or ._()+=-"
        )
    return name


Pixel = Annotated[int, Field(ge=0, le=MAX_SIDE_PX)]
Side = Annotated[int, Field(ge=1, le=MAX_SIDE_PX)]
FileName = Annotated[str, Field(min_length=1, max_length=255), AfterValidator(checked_file_name)]
ColourName = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[ -~]+$")]


class _Wire(BaseModel):
    model_config = ConfigDict(
        strict=True,
        extra="forbid",
        frozen=True,
        alias_generator=to_camel,
        populate_by_name=True,
        serialize_by_alias=True,
    )


class ActiveIllumination(_Wire):
    """The light that a frame was exposed under."""

    illuminated_color: ColourName


class FaceRectangle(_Wire):
    """Pixels of the submitted image, top-left origin."""

    top: Pixel
    left: Pixel
    width: Side
    height: Side


class CropOffsets(_Wire):
    """Where the submitted image lies in the camera's full frame, in pixels."""

    crop_offset_x: Pixel
    crop_offset_y: Pixel
    full_frame_image_width: Side
    full_frame_image_height: Side

    @model_validator(mode="after")
    def _inside(self) -> Self:
        inside = (
            self.crop_offset_x < self.full_frame_image_width
            and self.crop_offset_y < self.full_frame_image_height
        )
        if not inside:
            raise ValueError("cropOffset lies outside the full frame")
        return self


class ImageEntry(_Wire):
    """One submitted frame."""

    active_illumination_information: ActiveIllumination | None = None
    file_name: FileName
    frame_number: Annotated[int, Field(ge=0, le=MAX_FRAMES)]
    """Index inside its file, counted over every frame of the animation."""
    image_creation_time_ms: Annotated[
        int, Field(ge=0, le=MAX_TIME_MS, alias="imageCreationTimeInMilliSeconds")
    ]
    """A monotonic clock in ms, not the wall clock."""
    target_face_rectangle: FaceRectangle | None = None
    image_crop_offsets: CropOffsets | None = None

    @model_validator(mode="after")
    def _face_in_full_frame(self) -> Self:
        face, crop = self.target_face_rectangle, self.image_crop_offsets
        if face is None or crop is None:
            return self
        right = crop.crop_offset_x + face.left + face.width
        bottom = crop.crop_offset_y + face.top + face.height
        if right > crop.full_frame_image_width or bottom > crop.full_frame_image_height:
            raise ValueError(
                "targetFaceRectangle: expected inside the full frame "
                f"({crop.full_frame_image_width}x{crop.full_frame_image_height}), "
                f"reaches ({right}, {bottom})"
            )
        return self


class Payload(_Wire):
    """All frames of one request; one kind of image."""

    image_type: Annotated[int, Field(ge=0, le=2)] = IMAGE_TYPE_COLOUR
    image_data: Annotated[tuple[ImageEntry, ...], Field(min_length=1, max_length=MAX_FRAMES)]

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        last: dict[str, ImageEntry] = {}
        for index, entry in enumerate(self.image_data):
            before = last.get(entry.file_name)
            if before is not None:
                _later(before, entry, index)
            last[entry.file_name] = entry
        return self


class Metadata(_Wire):
    """The ``Metadata`` part."""

    metadata: Payload

    @classmethod
    def of(cls, entries: list[ImageEntry], image_type: int = IMAGE_TYPE_COLOUR) -> Metadata:
        """Return the part for ``entries``; raises `PayloadError` naming the entry and field."""
        try:
            payload = Payload.model_validate({"imageType": image_type, "imageData": tuple(entries)})
        except ValidationError as error:
            raise PayloadError(f"metadata: {told(error)}", code="metadata_invalid") from error
        return cls(metadata=payload)

    @classmethod
    def parse(cls, data: bytes | str) -> Metadata:
        """Read a part leniently; raises `PayloadError`."""
        try:
            return cls.model_validate_json(data, strict=False, extra="ignore")
        except ValidationError as error:
            raise PayloadError(f"metadata: {told(error)}", code="metadata_invalid") from error

    def to_bytes(self) -> bytes:
        """Return the canonical JSON: fields in the documented order, no spaces, pure ASCII."""
        plain = self.model_dump(mode="json", by_alias=True, exclude_none=True)
        return json.dumps(plain, separators=(",", ":"), ensure_ascii=True).encode("ascii")

    def file_names(self) -> list[str]:
        """Return the distinct file names in the order in which they are first named."""
        return list(dict.fromkeys(entry.file_name for entry in self))

    def __iter__(self) -> Iterator[ImageEntry]:  # type: ignore[override]
        return iter(self.metadata.image_data)


def told(error: ValidationError) -> str:
    """Return pydantic's first complaint as one line that names the field, without the value."""
    first: Any = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    message = shown(str(first["msg"]).removeprefix("Value error, "), 200)
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    return f"{where}: {message}{more}" if where else f"{message}{more}"


def _later(before: ImageEntry, entry: ImageEntry, index: int) -> None:
    if entry.frame_number <= before.frame_number:
        raise ValueError(
            f"imageData.{index}.frameNumber: expected more than {before.frame_number}, "
            f"got {entry.frame_number}"
        )
    if entry.image_creation_time_ms <= before.image_creation_time_ms:
        raise ValueError(
            f"imageData.{index}.imageCreationTimeInMilliSeconds: expected more than "
            f"{before.image_creation_time_ms}, got {entry.image_creation_time_ms}"
        )
