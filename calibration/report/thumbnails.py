"""Small pictures of frames that change sides where limits are moved; a bounded number."""

from __future__ import annotations

import base64
import io
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import islice, zip_longest
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from calibration.tuning.limits import Limit
from calibration.tuning.material.csvfile import rows_of
from calibration.tuning.material.delivered_sessions import FRAMES, RESULT
from calibration.tuning.tuner import Tuning
from capture.files.pictures.images import is_image, natural_key, read_image
from capture.files.source import open_source
from capture.frame import ImageU8
from preprocess.webp.stills import decode_still
from preprocess.webp.webp_reader import read_animation

VIDEO: Final = "video.webp"
AT_MOST: Final = 120
HEIGHT_PX: Final = 128
QUALITY: Final = 72
NEAREST: Final = 3
BETWEEN: Final = 6
DECODED_FRAMES: Final = 1500
"""Frames of videos decoded on the way to the wanted ones: some seconds."""

_MARGIN: Final = 0.35
"""Of the face's size, on each side."""


def thumbnails(tuning: Tuning) -> dict[int, str]:
    """Return frame -> JPEG as a data URI, for at most ``AT_MOST`` frames around the limits.

    Frames deep inside long videos, and sessions whose clip is gone, are left out.

    Raises
    ------
    capture.errors.CaptureError
        an input that could be measured cannot be read any more.
    """
    wanted = list(islice(candidates(tuning), AT_MOST))
    by_item: defaultdict[int, list[int]] = defaultdict(list)
    for frame in wanted:
        by_item[int(tuning.material.item[frame])].append(frame)
    costs = {item: int(tuning.material.seq[frames].max()) + 1 for item, frames in by_item.items()}
    left = DECODED_FRAMES
    found: dict[int, str] = {}
    for item in sorted(by_item, key=lambda item: (costs[item], item)):
        path = tuning.material.items[item].path
        if not is_image(path) and not (path / RESULT).is_file():
            if costs[item] > left:
                continue
            left -= costs[item]
        for frame, pixels in _pictures(path, tuning, sorted(by_item[item])):
            found[frame] = data_uri(pixels)
    return found


def candidates(tuning: Tuning) -> Iterator[int]:
    """Yield frames, each once, in turn for every limit: those that its move flips come first."""
    seen: set[int] = set()
    rows = [
        _around(tuning, number, limit, one.level)
        for number, (limit, one) in enumerate(zip(tuning.limits, tuning.chosen.levels, strict=True))
    ]
    for turn in zip_longest(*rows):
        for frame in turn:
            if frame is not None and frame not in seen:
                seen.add(frame)
                yield frame


def _around(tuning: Tuning, number: int, limit: Limit, level: float) -> list[int]:
    """Return frames between default and level, then the nearest on either side of both."""
    badness = tuning.badness[number]
    told = (tuning.material.good | tuning.material.bad_for(limit.reason)) & np.isfinite(badness)
    frames = np.flatnonzero(told)
    frames = frames[np.argsort(badness[frames], kind="stable")]
    values = badness[frames]
    ends = sorted(
        int(np.searchsorted(values, limit.badness_of(v), side="right"))
        for v in (limit.default, level)
    )
    flipped = frames[ends[0] : ends[1]]
    chosen = flipped[np.linspace(0, len(flipped) - 1, min(BETWEEN, len(flipped))).astype(int)]
    near = [frames[max(0, end - NEAREST) : end + NEAREST] for end in ends]
    return [int(frame) for frame in np.concatenate([chosen, *near])]


def data_uri(pixels: ImageU8) -> str:
    """Return (H, W, 3) uint8 BGR as a small JPEG."""
    picture = Image.fromarray(np.ascontiguousarray(pixels[..., ::-1]))
    picture.thumbnail((3 * HEIGHT_PX, HEIGHT_PX))
    content = io.BytesIO()
    picture.save(content, "JPEG", quality=QUALITY)
    return "data:image/jpeg;base64," + base64.b64encode(content.getvalue()).decode("ascii")


def _pictures(path: Path, tuning: Tuning, frames: Sequence[int]) -> Iterator[tuple[int, ImageU8]]:
    if is_image(path):
        pixels = read_image(path)
        yield from ((frame, _cut(pixels, tuning.material.box[frame])) for frame in frames)
        return
    number_of = {int(tuning.material.seq[frame]): frame for frame in frames}
    if (path / RESULT).is_file():
        yield from ((number_of[seq], pixels) for seq, pixels in _submitted(path, set(number_of)))
        return
    with open_source(path) as source:
        while number_of and (read := source.camera.read()) is not None:
            found = number_of.pop(read.seq, None)
            if found is not None:
                yield found, _cut(read.pixels, tuning.material.box[found])


def _submitted(folder: Path, wanted: set[int]) -> Iterator[tuple[int, ImageU8]]:
    """Yield seq and crop of submitted frames; the k-th submitted row is the k-th picture."""
    rows = [int(row["seq"]) for _, row in rows_of(folder / FRAMES, ()) if row["frame_number"]]
    places = [(place, seq) for place, seq in enumerate(rows) if seq in wanted]
    video = folder / VIDEO
    if video.is_file():
        stills = read_animation(video.read_bytes()).frames
        yield from ((seq, decode_still(stills[place].still)) for place, seq in places)
        return
    images = folder / "images"
    if images.is_dir():
        files = sorted(filter(is_image, images.iterdir()), key=lambda file: natural_key(file.name))
        yield from ((seq, read_image(files[place])) for place, seq in places)


def _cut(pixels: ImageU8, box: NDArray[np.float64]) -> ImageU8:
    """Return the face with some of what is around it; all of it where there is no face."""
    if np.isnan(box).any():
        return pixels
    left, top, width, height = box
    reach = _MARGIN * max(width, height)
    x0, y0 = max(0, int(left - reach)), max(0, int(top - reach))
    return pixels[y0 : int(top + height + reach) + 1, x0 : int(left + width + reach) + 1]
