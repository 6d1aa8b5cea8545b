"""The target rectangle: the face from brow to chin with a margin, inside the frame."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from capture.options import option, options
from preprocess.errors import GeometryError
from preprocess.face.face import Rect
from preprocess.face.landmarks import BROWS, CHIN, FACE_OVAL


@options
class RectangleOptions:
    """How much air the rectangle has around brow, cheeks and chin."""

    margin: float = option(
        0.1,
        unit="share of brow-to-chin height",
        low=0.0,
        high=1.0,
        why="the mesh's brow and chin move by some 3 % of the face's height between frames",
    )


def face_rectangle(
    landmarks_px: NDArray[np.float32],
    size_wh: tuple[int, int],
    options: RectangleOptions | None = None,
) -> Rect:
    """Return the face's rectangle in whole pixels, clipped to the frame.

    Sides are the outermost points of the face oval below the brows, top and bottom are brow and
    chin; each moved outwards by the margin, so that a face of 128x128 px gives no smaller sides.

    Parameters
    ----------
    landmarks_px : (478, 3) float32 x, y, z in full-frame pixels.
    size_wh : width and height of the full frame.
    options : margins; the defaults when None.

    Raises
    ------
    GeometryError
        no pixel of the rectangle lies inside the frame.
    """
    margin = (options or RectangleOptions()).margin
    points = landmarks_px[[*FACE_OVAL, *BROWS, CHIN], :2].astype(np.float64)
    top = float(points[len(FACE_OVAL) : -1, 1].min())
    bottom = float(points[:, 1].max())
    air = margin * (bottom - top)
    left, right = float(points[:, 0].min()) - air, float(points[:, 0].max()) + air
    return clipped(left, top - air, right, bottom + air, size_wh)


def clipped(left: float, top: float, right: float, bottom: float, size_wh: tuple[int, int]) -> Rect:
    """Return the smallest whole-pixel rectangle around the box, clipped to the frame.

    Raises
    ------
    GeometryError
        nothing of the box lies inside the frame.
    """
    width, height = size_wh
    x0, y0 = max(0, math.floor(left)), max(0, math.floor(top))
    x1, y1 = min(width, math.ceil(right)), min(height, math.ceil(bottom))
    if x1 <= x0 or y1 <= y0:
        raise GeometryError(
            f"face box {left:.0f},{top:.0f},{right:.0f},{bottom:.0f} px lies outside "
            f"the {width}x{height} px frame"
        )
    return Rect(x0, y0, x1 - x0, y1 - y0)
