"""What the encoder hands on: files, and one entry for each frame inside them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from preprocess.face.face import Rect

ImageType = Literal["color", "infrared"]
"""Kind of camera, by the contract's names of ``imageType`` 0 and 1."""


@dataclass(frozen=True, slots=True)
class CropOffset:
    """Where the submitted image's top-left corner lies in the full frame, and that frame's size."""

    x_px: int
    y_px: int
    full_width_px: int
    full_height_px: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """An accepted frame that may be submitted.

    Attributes
    ----------
    seq : sequence number of the source frame.
    t_frame_ns : its time on the session clock.
    colour : the colour that lit it, None without light information.
    target : the face in the pixels of the crop.
    crop : the crop's place in the full frame.
    badness : the smaller the better the frame; the blur in % of inter-eye distance.
    """

    seq: int
    t_frame_ns: int
    colour: str | None
    target: Rect
    crop: CropOffset
    badness: float


@dataclass(frozen=True, slots=True)
class ClipFile:
    """One file of the submission; ``name`` is plain ASCII."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class ClipEntry:
    """One submitted frame: frame ``frame_number`` of ``file_name``."""

    file_name: str
    frame_number: int
    t_ms: int
    colour: str | None
    target: Rect | None
    crop: CropOffset
    seq: int


@dataclass(frozen=True, slots=True)
class Clip:
    """Container bytes (or image files) with one entry for each frame, in time order."""

    files: tuple[ClipFile, ...]
    entries: tuple[ClipEntry, ...]
    size_wh: tuple[int, int]
    quality: int | None
    dropped: int = 0
    image_type: ImageType = "color"
