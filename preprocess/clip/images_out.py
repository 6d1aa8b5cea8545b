"""Pixels to one JPEG or PNG file within the limits of an image file."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image

from capture.frame import ImageU8
from preprocess.clip.clip_options import ClipOptions
from preprocess.errors import ClipRejected, EncodeError
from preprocess.reasons import Reason
from preprocess.webp import budget

ENDINGS = {"jpeg": "jpg", "png": "png"}

_PNG_SMALLEST, _PNG_STORED = 9, 0


@dataclass(frozen=True, slots=True)
class ImageFile:
    """An encoded frame; ``quality`` is None for PNG. It may still be outside the limits."""

    content: bytes
    quality: int | None


def encode_image(pixels: ImageU8, options: ClipOptions) -> ImageFile:
    """Return (H, W, 3) uint8 BGR as a file that is within the limits wherever one can be.

    JPEG falls in quality down to ``quality_min`` for the upper limit; PNG takes zlib's strongest
    effort. For the lower limit JPEG rises to quality 100 without chroma subsampling, and PNG
    stores without compression.

    Raises
    ------
    EncodeError
        where the encoder refuses the picture.
    """
    height, width = pixels.shape[:2]
    picture = Image.frombuffer(
        "RGB", (width, height), np.ascontiguousarray(pixels), "raw", "BGR", 0, 1
    )
    try:
        encode = _jpeg if options.container == "jpeg" else _png
        return encode(picture, options)
    except (OSError, ValueError) as error:
        raise EncodeError(f"{options.container} of {width}x{height}: {error}") from error


def check_image(seq: int, image: ImageFile, options: ClipOptions) -> None:
    """Check the file of frame ``seq`` against the limits.

    Raises
    ------
    ClipRejected
        ``TOO_LARGE_FILE`` or ``TOO_SMALL_FILE``.
    """
    size, kind = len(image.content), options.container
    if size > options.file_limit_bytes:
        cure = "use jpeg or webp" if kind == "png" else "lower quality_min"
        raise ClipRejected(
            (Reason.TOO_LARGE_FILE,),
            f"frame {seq}: {size} bytes as {kind}, at most {options.file_limit_bytes} are taken:"
            f" {cure}, or submit a smaller crop",
        )
    if size < options.min_bytes:
        raise ClipRejected(
            (Reason.TOO_SMALL_FILE,),
            f"frame {seq}: {size} bytes as {kind}, at least {options.min_bytes} are needed:"
            " the picture is plain; is the lens covered?",
        )


def _jpeg(picture: Image.Image, options: ClipOptions) -> ImageFile:
    made: dict[int, bytes] = {}

    def size_at(quality: int) -> int:
        made[quality] = _save(picture, "JPEG", quality=quality)
        return len(made[quality])

    limit = options.file_limit_bytes
    first = {options.quality: size_at(options.quality)}
    sizes = budget.close_in(size_at, first, limit, lowest=options.quality_min)
    (quality,) = budget.allot([sizes], limit) or [min(sizes)]
    if sizes[quality] < options.min_bytes:
        return ImageFile(_save(picture, "JPEG", quality=100, subsampling=0), 100)
    return ImageFile(made[quality], quality)


def _png(picture: Image.Image, options: ClipOptions) -> ImageFile:
    content = _save(picture, "PNG", compress_level=options.png_level)
    if len(content) > options.file_limit_bytes:
        content = _save(picture, "PNG", compress_level=_PNG_SMALLEST)
    elif len(content) < options.min_bytes:
        content = _save(picture, "PNG", compress_level=_PNG_STORED)
    return ImageFile(content, None)


def _save(picture: Image.Image, kind: str, **how: int) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **how)
    return buffer.getvalue()
