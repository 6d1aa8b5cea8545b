"""Files of a request: what they are, within which limits, and their frames one by one.

Structure is read by this project's strict reader before any decoder allocates a canvas, so that
neither a huge canvas nor half a million frames costs more than the bytes that were sent.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from capture.frame import ImageU8
from facelight.service.errors import Refusal, Refused
from facelight.service.options import Limits
from preprocess.errors import PreprocessError
from preprocess.webp.riff import read_still, riff_body
from preprocess.webp.webp_reader import read_animation

if TYPE_CHECKING:
    from PIL.Image import Image

_IMAGE_FORMATS = ("JPEG", "PNG", "GIF", "BMP")


@dataclass(frozen=True, slots=True)
class MediaFile:
    """One checked file; ``offsets_ms`` holds the start of every frame inside it."""

    name: str
    data: bytes
    video: bool
    size_wh: tuple[int, int]
    offsets_ms: tuple[int, ...]


def open_file(name: str, data: bytes, size: int, limits: Limits) -> MediaFile:
    """Check one ``Content`` part and read its structure; no pixel is decoded.

    ``size`` is the number of bytes that were sent, of which ``data`` may hold only the first.

    Raises
    ------
    Refused
        message 8, 7 or 6: too small, too large, not decodable.
    """
    if size < limits.min_file_bytes:
        raise Refused(Refusal.TOO_SMALL, f"{name}: {size} bytes")
    video = data[:4] == b"RIFF" and data[8:12] == b"WEBP"
    most = limits.max_video_bytes if video else limits.max_image_bytes
    if size > most:
        raise Refused(Refusal.TOO_LARGE, f"{name}: {size} bytes, expected at most {most}")
    size_wh, durations_ms = _video_structure(name, data) if video else _image_structure(name, data)
    _check_pixels(name, size_wh, len(durations_ms), limits)
    starts = np.cumsum([0, *durations_ms[:-1]])
    return MediaFile(name, data, video, size_wh, tuple(int(t) for t in starts))


def decode_frames(file: MediaFile, numbers: Sequence[int]) -> Iterator[ImageU8]:
    """Yield the wanted frames, (H, W, 3) uint8 BGR, read-only; ``numbers`` rise.

    One frame is in memory at a time.

    Raises
    ------
    Refused
        message 6: a number beyond the file's frames, or damaged data.
    """
    if numbers[-1] >= len(file.offsets_ms):
        raise Refused(
            Refusal.NOT_DECODABLE,
            f"{file.name}: frameNumber {numbers[-1]}, the file has {len(file.offsets_ms)} frames",
        )
    formats = ("WEBP",) if file.video else _IMAGE_FORMATS
    with _opened(file.name, file.data, formats) as image:
        for number in numbers:
            yield _pixels(file, image, number)


def _pixels(file: MediaFile, image: Image, number: int) -> ImageU8:
    with _decoding(file.name):
        if number:
            image.seek(number)
        rgb = np.asarray(image.convert("RGB"))
    if rgb.shape[:2] != file.size_wh[::-1]:
        raise Refused(Refusal.NOT_DECODABLE, f"{file.name}: a frame of another size")
    bgr = np.ascontiguousarray(rgb[:, :, ::-1])
    bgr.setflags(write=False)
    return bgr


def _video_structure(name: str, data: bytes) -> tuple[tuple[int, int], tuple[int, ...]]:
    try:
        if data[12:16] == b"VP8X" and data[20:21] and data[20] & 0x02:
            animation = read_animation(data)
            return animation.canvas_wh, animation.durations_ms
        still = read_still(riff_body(data))
    except PreprocessError as error:
        raise Refused(Refusal.NOT_DECODABLE, f"{name}: {error}") from None
    return (still.width, still.height), (0,)


def _image_structure(name: str, data: bytes) -> tuple[tuple[int, int], tuple[int, ...]]:
    """Return the size of the first and only frame that counts."""
    with _opened(name, data, _IMAGE_FORMATS) as image:
        return (image.width, image.height), (0,)


def _check_pixels(name: str, size_wh: tuple[int, int], frames: int, limits: Limits) -> None:
    pixels = size_wh[0] * size_wh[1]
    if (
        max(size_wh) > limits.max_side_px
        or pixels > limits.max_pixels
        or pixels * frames > limits.max_decoded_pixels
    ):
        raise Refused(Refusal.TOO_LARGE, f"{name}: {frames} frames of {size_wh[0]}x{size_wh[1]} px")


@contextmanager
def _opened(name: str, data: bytes, formats: tuple[str, ...]) -> Iterator[Image]:
    from PIL import Image  # noqa: PLC0415

    with _decoding(name):
        image = Image.open(io.BytesIO(data), formats=formats)
    with image:
        yield image


@contextmanager
def _decoding(name: str) -> Iterator[None]:
    """Turn whatever a decoder makes of hostile bytes into the contract's answer."""
    from PIL import Image  # noqa: PLC0415

    try:
        yield
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Refused(Refusal.TOO_LARGE, f"{name}: {error}") from None
    except Exception as error:  # noqa: BLE001 - Pillow's plugins raise a dozen types
        raise Refused(Refusal.NOT_DECODABLE, f"{name}: {error}") from None
