"""The request's metadata as this service reads it: written on its own, so that it sees the
mistakes of a client rather than sharing them.
"""  # noqa: D205

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from facelight.service.errors import Refusal, Refused

IMAGE_TYPES = ("Color", "Infrared", "Depth")
"""Names of ``imageType`` 0, 1 and 2; the second and third by inference."""

_Text = Annotated[str, Field(min_length=1, max_length=255)]
_Count = Annotated[int, Field(ge=0, le=2**53)]


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


class Illumination(_Part):
    """The declared light of one frame; the set of colour names is open."""

    illuminatedColor: Annotated[str, Field(min_length=1, max_length=64)]  # noqa: N815


class TargetRectangle(_Part):
    """Pixels of the submitted image; whether they lie inside it is judged with the image."""

    top: int
    left: int
    width: int
    height: int


class CropOffsets(_Part):
    """Where the submitted image lies in the camera's frame."""

    cropOffsetX: int  # noqa: N815
    cropOffsetY: int  # noqa: N815
    fullFrameImageWidth: int  # noqa: N815
    fullFrameImageHeight: int  # noqa: N815


class ImageEntry(_Part):
    """One submitted frame."""

    fileName: _Text  # noqa: N815
    frameNumber: _Count = 0  # noqa: N815
    imageCreationTimeInMilliSeconds: _Count  # noqa: N815
    activeIlluminationInformation: Illumination | None = None  # noqa: N815
    targetFaceRectangle: TargetRectangle | None = None  # noqa: N815
    imageCropOffsets: CropOffsets | None = None  # noqa: N815

    @property
    def colour(self) -> str | None:
        """The declared colour."""
        light = self.activeIlluminationInformation
        return None if light is None else light.illuminatedColor


class Payload(_Part):
    """What one request is about."""

    imageType: Literal[0, 1, 2]  # noqa: N815
    imageData: Annotated[list[ImageEntry], Field(min_length=1)]  # noqa: N815

    @property
    def image_type(self) -> str:
        """The modality by name."""
        return IMAGE_TYPES[self.imageType]


class Metadata(_Part):
    """The ``Metadata`` part."""

    metadata: Payload


def read_metadata(text: bytes, max_entries: int) -> Payload:
    """Read and check the ``Metadata`` part.

    Raises
    ------
    Refused
        the value is no metadata: message 2, with the field in its cause.
    """
    try:
        payload = Metadata.model_validate_json(text).metadata
    except ValidationError as error:
        raise Refused(Refusal.NO_METADATA, _first(error)) from None
    if len(payload.imageData) > max_entries:
        raise Refused(
            Refusal.NO_METADATA,
            f"metadata.imageData: {len(payload.imageData)} entries, expected at most {max_entries}",
        )
    _check_order(payload)
    return payload


def _first(error: ValidationError) -> str:
    problem = error.errors(include_url=False, include_input=False, include_context=False)[0]
    where = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in problem["loc"])
    return f"{where.lstrip('.') or 'Metadata'}: {problem['msg']}"


def _check_order(payload: Payload) -> None:
    """Frame numbers of a file rise without repeating, and creation times with them."""
    last: dict[str, tuple[int, int]] = {}
    for index, entry in enumerate(payload.imageData):
        now = (entry.frameNumber, entry.imageCreationTimeInMilliSeconds)
        before = last.get(entry.fileName)
        for name, position in (("frameNumber", 0), ("imageCreationTimeInMilliSeconds", 1)):
            if before is not None and now[position] <= before[position]:
                raise Refused(
                    Refusal.NO_METADATA,
                    f"metadata.imageData[{index}].{name}: {now[position]} is not above the "
                    f"{before[position]} of the entry before it in the same file",
                )
        last[entry.fileName] = now


_PARAMETER = re.compile(r';\s*([^\s=;"]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;"]*))')


def header_parameters(value: str) -> tuple[str, dict[str, str]]:
    """Split ``form-data; name = "Content"`` into its value and parameters, both lower case keyed.

    Spaces around ``=`` and unquoted values are taken as the contract prints them.
    """
    head = value.partition(";")[0].strip().lower()
    parameters: dict[str, str] = {}
    for match in _PARAMETER.finditer(value):
        quoted, plain = match[2], match[3]
        text = re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else (plain or "").strip()
        parameters.setdefault(match[1].lower(), text)
    return head, parameters
