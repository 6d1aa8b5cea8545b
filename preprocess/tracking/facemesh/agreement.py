"""Whether the mesh lies on the face that the detector sees: its place, its size, the right way up.

The mesh finds a face in every region that it is given: half a face at half its size, an upright one
on an inverted head. The detector tells where eyes and mouth are on its own, and which way up a face
is: of one that is upside down it is less sure than of the same one turned.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from capture.frame import ImageU8
from preprocess.face.face import Rect
from preprocess.face.landmarks import FACE_OVAL, eye_centres
from preprocess.tracking.facemesh.facemesh_graphs import Detection, FaceDetector, Region

Points = NDArray[np.float32]
MOUTH: Final = (13, 14)

SIZE_RATIOS: Final = (0.65, 1.5)
"""Mesh over detector, eyes to mouth; measured .9 to 1.15 on good meshes, .5 on half a face."""

APART: Final = 0.45
"""Between the two centres, in the detector's eyes-to-mouth distance; measured up to .13."""

REACHES: Final = (1.4, 1.8, 1.1, 0.6, 0.9)
"""Half of what is looked at to tell which way up, in sides of the mesh's region."""

MOST: Final = 0.3
"""What one scale may count: there the score depends on how a face meets the detector's grid."""

SURE: Final = 0.5
"""Lead at which no further scale is asked.

Measured on 133 faces, also with the region a fifth of its side too high or too low: at one scale
the turned face is ahead for up to 15 of them, after all looks for none; the least lead is .27, and
five looks do on average.
"""


def same(detection: Detection, points: Points) -> bool:
    """Return whether the box's centre lies inside the mesh's face oval box."""
    x, y = detection.centre_px
    oval = points[list(FACE_OVAL), :2]
    (x0, y0), (x1, y1) = oval.min(axis=0), oval.max(axis=0)
    return bool(x0 <= x <= x1 and y0 <= y <= y1)


def agrees(detection: Detection, points: Points) -> bool:
    """Return whether mesh and detector see one face of one size, whichever way up."""
    eyes, mouth = eye_centres(points).mean(axis=0), points[list(MOUTH), :2].mean(axis=0)
    seen_eyes, seen_mouth = np.array(detection.eyes_px), np.array(detection.mouth_px)
    seen = max(math.dist(seen_eyes, seen_mouth), 1e-6)
    apart = math.dist((eyes + mouth) / 2, (seen_eyes + seen_mouth) / 2) / seen
    low, high = SIZE_RATIOS
    return low <= math.dist(eyes, mouth) / seen <= high and apart <= APART


def upside_down(detector: FaceDetector, bgr: ImageU8, points: Points) -> bool:
    """Return whether the face is one that was turned by 180 degrees: four to ten looks."""
    region, lead = Region.around(points), 0.0
    for reach in REACHES:
        around = square(region, reach)
        upright = detector.score(bgr, around, turned=False)
        ahead = upright - detector.score(bgr, around, turned=True)
        lead += min(max(ahead, -MOST), MOST)
        if abs(lead) >= SURE:
            break
    return lead < 0


def square(region: Region, reach: float) -> Rect:
    """Return the square of ``reach`` region sides to each side; it may leave the frame."""
    half = max(1, round(reach * region.side_px))
    return Rect(round(region.x_px) - half, round(region.y_px) - half, 2 * half, 2 * half)
