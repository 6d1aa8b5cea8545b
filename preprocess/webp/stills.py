"""Pixels to one compressed still and back, by Pillow, which releases the GIL meanwhile."""

from __future__ import annotations

import io
from dataclasses import dataclass, field

import numpy as np
from PIL import Image

from capture.frame import ImageU8
from preprocess.errors import EncodeError
from preprocess.webp import budget
from preprocess.webp.riff import Still, read_still, riff_body

RAISED_QUALITY = 100
"""For clips so plain that they would stay under the smallest size that is taken."""


def encode_still(pixels: ImageU8, quality: int, method: int) -> Still:
    """Return (H, W, 3) uint8 BGR, or BGRA with 4 channels, as a lossy still.

    Raises
    ------
    EncodeError
        where libwebp refuses, for example a side above 16383 pixels.
    """
    return _encode(_picture(pixels), quality, method)


def decode_still(still: Still) -> ImageU8:
    """Return the pixels of ``still``: (H, W, 3) uint8, BGR."""
    return np.asarray(_decode(still))[:, :, ::-1]


@dataclass(slots=True)
class Ladder:
    """One frame at some qualities: the wanted one, and lower ones where bytes are short.

    Qualities below the first are made from the pixels while these are at hand (``build``), and
    from the first still when the clip turns out to need others (``recode``).
    """

    quality: int
    lowest: int
    method: int
    rungs: dict[int, Still] = field(default_factory=dict)

    @property
    def sizes(self) -> dict[int, int]:
        """Bytes of the frame's chunks for each quality made so far."""
        return {quality: len(still.chunks) for quality, still in self.rungs.items()}

    def build(self, pixels: ImageU8, share_bytes: int) -> None:
        """Encode ``pixels``; where the result is above the share, as well as fits into it."""
        self._fit(_picture(pixels), share_bytes, budget.CLOSE)

    def recode(self, share_bytes: int) -> None:
        """Make the qualities that the share asks for out of the best still."""
        self._fit(_decode(self.rungs[self.quality]), share_bytes, budget.CLOSER)

    def raise_quality(self) -> None:
        """Add the highest quality, out of the best still."""
        best = _decode(self.rungs[self.quality])
        self.rungs[RAISED_QUALITY] = _encode(best, RAISED_QUALITY, self.method)

    def _fit(self, picture: Image.Image, share_bytes: int, close: float) -> None:
        def size_at(quality: int) -> int:
            self.rungs[quality] = _encode(picture, quality, self.method)
            return len(self.rungs[quality].chunks)

        if self.quality not in self.rungs:
            size_at(self.quality)
        budget.close_in(size_at, self.sizes, share_bytes, lowest=self.lowest, close=close)


def _picture(pixels: ImageU8) -> Image.Image:
    """Take the pixels as they are; Pillow reorders them while it copies."""
    height, width, channels = pixels.shape
    mode, order = ("RGBA", "BGRA") if channels == 4 else ("RGB", "BGR")
    return Image.frombuffer(mode, (width, height), np.ascontiguousarray(pixels), "raw", order, 0, 1)


def _encode(picture: Image.Image, quality: int, method: int) -> Still:
    buffer = io.BytesIO()
    try:
        picture.save(buffer, "WEBP", quality=quality, method=method)
    except (OSError, ValueError) as error:
        raise EncodeError(f"WebP still of {picture.width}x{picture.height}: {error}") from error
    return read_still(riff_body(buffer.getvalue()))


def _decode(still: Still) -> Image.Image:
    picture = Image.open(io.BytesIO(still.as_file()))
    return picture.convert("RGBA" if still.alpha else "RGB")
