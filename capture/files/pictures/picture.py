"""A decoded libav frame becomes what every stage wants: upright, BGR, contiguous, read-only."""

from __future__ import annotations

from fractions import Fraction
from typing import cast

import cv2
import numpy as np
from av.sidedata.sidedata import SideDataContainer
from av.sidedata.sidedata import Type as SideDataType
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter

from capture.files.pictures.hdr import ToneMapper, hdr_curve
from capture.frame import ImageU8


class PictureConverter:
    """Converts the frames of one stream, with libswscale's tables kept between frames.

    ``VideoFrame.to_ndarray(format="bgr24")`` gives the same pixels, but builds the tables and
    starts threads for every frame, which a machine with busy cores feels. Pixels that are not
    square are resampled to square ones, HDR is mapped to SDR; both are noted.

    Parameters
    ----------
    pixel_aspect : width of a pixel over its height as the file tells it; None or 0: not told.
    """

    def __init__(self, pixel_aspect: Fraction | None = None) -> None:
        self._reformatter = VideoReformatter()
        self._rotation: int | None = None
        self._turn = (False, False, False)
        self._aspect = Fraction(pixel_aspect or 1)
        self._mapper: ToneMapper | None = None
        self._notes: dict[str, None] = {}

    @property
    def notes(self) -> tuple[str, ...]:
        """What was done to the pictures so far that their codes do not show."""
        return tuple(self._notes)

    def shown_size(self, width: int, height: int) -> tuple[int, int]:
        """Return the size with square pixels of a picture of so many coded ones, before any turn.

        A file of a few bytes can claim any shape of pixel: to be checked before `bgr`.
        """
        wide, tall = max(self._aspect, Fraction(1)), max(1 / self._aspect, Fraction(1))
        return round(width * wide), round(height * tall)

    def bgr(self, picture: VideoFrame) -> ImageU8:
        """Return (H, W, 3) uint8 BGR, upright, C-contiguous, read-only."""
        if picture.rotation != self._rotation:
            # not of every frame: side data ties a frame into a cycle, which keeps its 3 MB (1080p)
            # until the collector comes by
            self._rotation, self._turn = picture.rotation, orientation(picture)
        swap, flip_x, flip_y = self._turn
        pixels = self._squared(self._coded(picture))
        if swap:
            pixels = pixels.transpose(1, 0, 2)
        upright = np.ascontiguousarray(
            pixels[:: -1 if flip_y else 1, :: -1 if flip_x else 1], dtype=np.uint8
        )
        upright.flags.writeable = False
        return upright

    def _coded(self, picture: VideoFrame) -> ImageU8:
        """Return BGR as it lies in the file, before any turn."""
        curve = hdr_curve(picture)
        if curve is None:
            bgr = self._reformatter.reformat(picture, format="bgr24", threads=1)
            return cast("ImageU8", bgr.to_ndarray())
        if self._mapper is None or self._mapper.curve is not curve:
            self._mapper = ToneMapper(curve)
            self._notes[f"HDR ({curve.value}) was mapped to SDR"] = None
        return self._mapper.bgr(picture)

    def _squared(self, pixels: ImageU8) -> ImageU8:
        """Return the picture with square pixels: the shorter side of a pixel is drawn out."""
        if self._aspect == 1:
            return pixels
        height, width = pixels.shape[:2]
        size_wh = self.shown_size(width, height)
        ratio = f"{self._aspect.numerator}:{self._aspect.denominator}"
        was, made = f"{width}x{height}", "{}x{}".format(*size_wh)
        self._notes[f"pixels of {ratio} were made square: {was} to {made}"] = None
        return cast("ImageU8", cv2.resize(pixels, size_wh, interpolation=cv2.INTER_CUBIC))


def orientation(picture: VideoFrame) -> tuple[bool, bool, bool]:
    """Return what makes a picture upright: swap x and y, then mirror in x, then mirror in y.

    The display matrix maps a decoded pixel (x, y) to (a x + c y, b x + d y) on the screen; cameras
    write one of its eight orthogonal forms, and any other is taken for the nearest of them.
    """
    try:
        data = cast("SideDataContainer", picture.side_data)[SideDataType.DISPLAYMATRIX]
    except KeyError:
        return False, False, False
    a, b, _, c, d, *_ = (int(value) for value in np.frombuffer(bytes(data), np.int32))
    if abs(b) + abs(c) > abs(a) + abs(d):
        return True, c < 0, b < 0
    return False, a < 0, d < 0
