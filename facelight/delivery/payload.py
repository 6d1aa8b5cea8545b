"""The only mapping from a clip to the wire."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from preprocess.clip.clip import Clip, ClipEntry, ImageType
from uploader.api.submission import Origin, Submission, build_submission
from uploader.api.wire import (
    IMAGE_TYPE_COLOUR,
    IMAGE_TYPE_INFRARED,
    ActiveIllumination,
    CropOffsets,
    FaceRectangle,
    ImageEntry,
    Metadata,
)

IMAGE_TYPES: Final[Mapping[ImageType, int]] = {
    "color": IMAGE_TYPE_COLOUR,
    "infrared": IMAGE_TYPE_INFRARED,
}


def metadata_of(clip: Clip) -> Metadata:
    """Return the Metadata part of a clip, one entry a frame in the clip's order."""
    entries = [_entry(entry) for entry in clip.entries]
    return Metadata.of(entries, IMAGE_TYPES[clip.image_type])


def submission_of(clip: Clip, origin: Origin) -> Submission:
    """Return the exact request for a clip.

    ``origin.provenance`` is that of the pixels: what is simulated is sent to no service elsewhere.

    Raises
    ------
    uploader.errors.PayloadError
        the clip breaks a rule of the service; names the file or field.
    """
    files = {file.name: file.content for file in clip.files}
    return build_submission(metadata_of(clip), files, origin)


def _entry(entry: ClipEntry) -> ImageEntry:
    target, crop = entry.target, entry.crop
    return ImageEntry(
        active_illumination_information=(
            ActiveIllumination(illuminated_color=entry.colour) if entry.colour else None
        ),
        file_name=entry.file_name,
        frame_number=entry.frame_number,
        image_creation_time_ms=entry.t_ms,
        target_face_rectangle=(
            FaceRectangle(
                top=target.top, left=target.left, width=target.width, height=target.height
            )
            if target
            else None
        ),
        image_crop_offsets=CropOffsets(
            crop_offset_x=crop.x_px,
            crop_offset_y=crop.y_px,
            full_frame_image_width=crop.full_width_px,
            full_frame_image_height=crop.full_height_px,
        ),
    )
