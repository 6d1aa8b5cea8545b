"""Crops of one's own and their metadata into the file that the service takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from capture.frame import ImageU8
from preprocess.clip.clip import Candidate, Clip, CropOffset
from preprocess.clip.clip_builder import ClipBuilder
from preprocess.clip.clip_options import ClipOptions
from preprocess.errors import EncodeError
from preprocess.face.face import Rect

__all__ = ["Clip", "ClipOptions", "Crop", "CropOffset", "Rect", "pack_clip"]


@dataclass(frozen=True, slots=True, eq=False)
class Crop:
    """One picture of a clip.

    Attributes
    ----------
    pixels : (H, W, 3) uint8, BGR; all of one clip have the same size.
    t_ms : when it was taken, from the first frame of the session; strictly increasing.
    face : the face's rectangle in the pixels of the crop.
    offset : where the crop lies in the full frame, and that frame's size.
    colour : the screen's colour that alone lit it; None without light information.
    """

    pixels: ImageU8
    t_ms: int
    face: Rect
    offset: CropOffset
    colour: str | None = None


def pack_clip(crops: Sequence[Crop], options: ClipOptions | None = None) -> Clip:
    """Return the clip of these crops: every one of them, in their order, within the size limits.

    ``facelight.submission_of`` makes a request of it, ``metadata_of`` its Metadata part alone.

    Raises
    ------
    EncodeError
        no crop, crops of different sizes, times that do not increase, colours beside none.
    GeometryError
        a face outside its crop, a crop outside its frame.
    ClipRejected
        the file is smaller or larger than the service takes.
    """
    if not crops:
        raise EncodeError("no crop: a clip has at least one")
    count = len(crops)
    colours = tuple(dict.fromkeys(crop.colour for crop in crops if crop.colour is not None))
    every = replace(
        options or ClipOptions(),
        frames_per_colour=count,
        max_frames=count * max(1, len(colours)),
        min_frames=1,
        min_per_colour=1,
        spacing_ms=1,
    )
    with ClipBuilder(every, colours or None, count) as builder:
        for seq, crop in enumerate(crops):
            candidate = Candidate(
                seq, crop.t_ms * 1_000_000, crop.colour, crop.face, crop.offset, 0.0
            )
            builder.add(candidate, crop.pixels)
        return builder.finish()
