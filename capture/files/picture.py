"""A decoded libav frame becomes what every stage wants: upright, BGR, contiguous, read-only."""

from __future__ import annotations

from typing import cast

import numpy as np
from av.sidedata.sidedata import SideDataContainer
from av.sidedata.sidedata import Type as SideDataType
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter

from capture.frame import ImageU8


class PictureConverter:
    """Converts the frames of one stream, with libswscale's tables kept between frames.

    ``VideoFrame.to_ndarray(format="bgr24")`` gives the same pixels, but builds the tables and
    starts threads for every frame, which a machine with busy cores feels.
    """

    def __init__(self) -> None:
        self._reformatter = VideoReformatter()
        self._rotation: int | None = None
        self._turn = (False, False, False)

    def bgr(self, picture: VideoFrame) -> ImageU8:
        """Return (H, W, 3) uint8 BGR, upright, C-contiguous, read-only."""
        if picture.rotation != self._rotation:
            # not of every frame: side data ties a frame into a cycle, which keeps its 3 MB (1080p)
            # until the collector comes by
            self._rotation, self._turn = picture.rotation, orientation(picture)
        swap, flip_x, flip_y = self._turn
        pixels = self._reformatter.reformat(picture, format="bgr24", threads=1).to_ndarray()
        if swap:
            pixels = pixels.transpose(1, 0, 2)
        upright = np.ascontiguousarray(
            pixels[:: -1 if flip_y else 1, :: -1 if flip_x else 1], dtype=np.uint8
        )
        upright.flags.writeable = False
        return upright


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
