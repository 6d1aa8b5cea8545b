"""Submissions and files for the tests of the uploader."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from uploader.api.submission import Origin, Submission, build_submission
from uploader.api.wire import (
    ActiveIllumination,
    CropOffsets,
    FaceRectangle,
    ImageEntry,
    Metadata,
)
from uploader.errors import UploaderError
from uploader.http.credentials import SubscriptionKey

KEY = SubscriptionKey("0123456789abcdef0123456789abcdef")
WEBP = b"RIFF\x00\x10\x00\x00WEBPVP8X" + bytes(range(256)) * 8
JPEG = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 8
CREATED = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)


def entry(
    number: int = 0, name: str = "video.webp", colour: str | None = "Red", t_ms: int | None = None
) -> ImageEntry:
    return ImageEntry(
        active_illumination_information=None
        if colour is None
        else ActiveIllumination(illuminated_color=colour),
        file_name=name,
        frame_number=number,
        image_creation_time_ms=1000 + 35 * number if t_ms is None else t_ms,
        target_face_rectangle=FaceRectangle(top=50, left=50, width=100, height=100),
        image_crop_offsets=CropOffsets(
            crop_offset_x=100,
            crop_offset_y=100,
            full_frame_image_width=1920,
            full_frame_image_height=1080,
        ),
    )


def metadata(count: int = 2, name: str = "video.webp") -> Metadata:
    return Metadata.of([entry(number, name) for number in range(count)])


def submission(extra: bytes = b"", origin: Origin | None = None) -> Submission:
    """Return a submission whose content is unique to ``extra``."""
    origin = origin or Origin(created=CREATED)
    return build_submission(metadata(), {"video.webp": WEBP + extra}, origin)


def error_of(call: Callable[[], Any]) -> UploaderError | None:
    """Return the error of our own tree that ``call`` raises, None when it raises none."""
    try:
        call()
    except UploaderError as error:
        return error
    return None
