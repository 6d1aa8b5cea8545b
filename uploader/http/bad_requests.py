"""The fourteen documented 400 messages, and the advice for each.

The texts are those of the service's documentation, without the leading ``BadRequest, ``.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BadRequest:
    """One documented message."""

    number: int
    code: str
    message: str
    advice: str
    for_person: bool
    """The advice is for the person in front of the camera; otherwise for the integrator."""

    @property
    def key(self) -> str:
        """The part of the message that identifies it, case-folded."""
        return self.message.partition(" Required header example")[0].casefold()


BAD_REQUESTS = (
    BadRequest(
        1,
        "incorrect_model_version",
        "Incorrect model-version. Please specify one of the valid model versions found at",
        "set a model version the service knows, or none",
        False,
    ),
    BadRequest(
        2,
        "metadata_missing",
        "A value for the 'Metadata' property was not provided. Required header example: "
        "Content-Type: application/json; charset=utf-8 Content-Disposition: form-data; "
        "name=Metadata",
        "the request lost its Metadata part; report it",
        False,
    ),
    BadRequest(
        3,
        "content_missing",
        "A value for the 'Content' property was not provided. Required header example: "
        "Content-Type: application/octet-stream; Content-Disposition: form-data; name=Content",
        "the request lost its Content part; report it",
        False,
    ),
    BadRequest(
        4,
        "file_name_not_found",
        "Filename specified in 'Metadata' is not found in the 'Content'",
        "every fileName of the metadata needs a Content part of that name",
        False,
    ),
    BadRequest(
        5,
        "rectangle_out_of_range",
        "Target face rectangle specified is out of range and not contained within image.",
        "keep the face rectangle inside the submitted image",
        False,
    ),
    BadRequest(
        6,
        "decoding_error",
        "Decoding error, content not in expected format.",
        "send an animated WebP, or JPEG, PNG, GIF or BMP images",
        False,
    ),
    BadRequest(
        7,
        "image_too_large",
        "Image size is too large.",
        "lower the target size: 25 MB for a video, 6 MB for an image",
        False,
    ),
    BadRequest(
        8,
        "image_too_small",
        "Image size is too small.",
        "send at least 1 KB; check that the camera gives a picture",
        False,
    ),
    BadRequest(
        9,
        "face_not_in_rectangle",
        "Face not found within target rectangle.",
        "look at the screen and keep your whole face in the frame",
        True,
    ),
    BadRequest(
        10,
        "face_not_in_enough_frames",
        "Face not found across sufficient frames.",
        "stay in front of the camera until the colours have ended",
        True,
    ),
    BadRequest(
        11,
        "face_blurred",
        "Face is too blurred and cannot be clearly seen.",
        "hold still, and wipe the lens if it happens again",
        True,
    ),
    BadRequest(
        12,
        "face_over_exposed",
        "Face is over exposed and cannot be clearly seen.",
        "move away from the bright light",
        True,
    ),
    BadRequest(
        13,
        "face_under_exposed",
        "Face is under exposed and cannot be clearly seen.",
        "come closer to the screen or turn on a light",
        True,
    ),
    BadRequest(
        14,
        "face_not_frontal",
        "Face is not frontal and liveness classification cannot be run on face.",
        "look straight at the screen",
        True,
    ),
)

BY_CODE = {entry.code: entry for entry in BAD_REQUESTS}


def recognise(message: str) -> BadRequest | None:
    """Return the documented message that ``message`` contains; case and spacing do not matter."""
    text = " ".join(message.split()).casefold()
    return next((entry for entry in BAD_REQUESTS if entry.key in text), None)
