"""Where things are among the 478 points of FaceMesh (468 of the canonical mesh, 10 of the irises).

Left and right are the image's: the eye with corners 33 and 133 lies left in an unmirrored picture.
Source of the indices: ``canonical_face_model`` of mediapipe (Apache-2.0) and
``mediapipe.python.solutions.face_mesh_connections``; eye and mouth pairs as in OFIQ's definitions
of EyesOpen and MouthClosed, moved to the nearest mesh points.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

POINTS: Final = 478

LEFT_EYE_CORNERS: Final = (33, 133)
RIGHT_EYE_CORNERS: Final = (362, 263)
LEFT_EYE: Final = (*(33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7),)
"""The 16 points around the eye, clockwise in the image from the outer corner."""
RIGHT_EYE: Final = (
    *(362, 398, 384, 385, 386, 387, 388, 466, 263, 249, 390, 373, 374, 380, 381, 382),
)
"""The same of the other eye, from the inner corner."""
LEFT_LIDS: Final = ((159, 145), (160, 144), (158, 153))
RIGHT_LIDS: Final = ((386, 374), (385, 380), (387, 373))
INNER_LIPS: Final = ((13, 14), (82, 87), (312, 317))
CHIN: Final = 152
BROWS: Final = (70, 63, 105, 66, 107, 336, 296, 334, 293, 300)
"""Upper edge of both brows."""

FACE_OVAL: Final = (
    *(10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377),
    *(152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109),
)
"""The 36 points of ``FACEMESH_FACE_OVAL`` as a ring, clockwise in the image from the forehead."""

RIGID: Final = (
    *(4, 6, 10, 33, 263, 54, 284, 67, 297, 117, 346, 119, 348, 121, 350, 127, 356, 129, 358),
    *(132, 361, 133, 362, 136, 365, 143, 372, 147, 376, 198, 420, 205, 425),
)
"""The 33 points that expression moves least: pose and head speed are read from them."""

_HALF = {
    33: (-4.45, 2.66, 3.17),
    54: (-6.28, 6.62, 1.43),
    67: (-3.52, 8.01, 3.73),
    117: (-5.26, 0.95, 2.97),
    119: (-3.30, 0.86, 3.87),
    121: (-1.82, 1.47, 4.22),
    127: (-7.74, 2.36, -2.01),
    129: (-1.79, -0.98, 4.85),
    132: (-7.27, -2.89, -2.25),
    133: (-1.86, 2.59, 3.76),
    136: (-5.09, -7.18, 0.71),
    143: (-6.41, 2.24, 1.56),
    147: (-6.23, -1.94, 1.66),
    198: (-1.25, 0.23, 5.68),
    205: (-3.83, -1.54, 4.14),
}
_MIDDLE = {4: (0.0, -0.46, 7.59), 6: (0.0, 2.47, 5.79), 10: (0.0, 8.26, 4.48)}
_TWINS = {
    33: 263,
    54: 284,
    67: 297,
    117: 346,
    119: 348,
    121: 350,
    127: 356,
    129: 358,
    132: 361,
    133: 362,
    136: 365,
    143: 372,
    147: 376,
    198: 420,
    205: 425,
}


def _rigid_model() -> NDArray[np.float64]:
    points = dict(_MIDDLE)
    for index, (x, y, z) in _HALF.items():
        points[index] = (x, y, z)
        points[_TWINS[index]] = (-x, y, z)
    model = np.array([points[index] for index in RIGID])
    model.flags.writeable = False
    return model


RIGID_MODEL_CM: Final = _rigid_model()
"""(33, 3) float64, rows as ``RIGID``: x right, y up, z to the viewer, in cm (canonical model)."""


_EYE_CORNERS: Final = np.array([LEFT_EYE_CORNERS, RIGHT_EYE_CORNERS])
_EYES_AND_CHIN: Final = np.array([*LEFT_EYE_CORNERS, *RIGHT_EYE_CORNERS, CHIN])


def eye_centres(landmarks_px: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Return (2, 2) float64 x, y of the eyes' centres, left in the image first.

    The centre is the midpoint of the two corners, not the iris: gaze must not move it.
    """
    corners = landmarks_px[_EYE_CORNERS, :2].astype(np.float64)
    return np.asarray((corners[:, 0] + corners[:, 1]) / 2)


def eye_mouth_axis(landmarks_px: NDArray[np.float32]) -> tuple[float, float]:
    """Return T, the distance from the eyes' midpoint to the chin, and the eyes' row, in pixels.

    T is the vertical unit of OFIQ (ISO/IEC 29794-5).
    """
    *eyes, chin = landmarks_px[_EYES_AND_CHIN, :2].tolist()
    x, y = (sum(corner[axis] for corner in eyes) / 4 for axis in (0, 1))
    return math.hypot(chin[0] - x, chin[1] - y), y


def inter_eye_px(landmarks_px: NDArray[np.float32]) -> float:
    """Return the distance of the eyes' centres in the image, in pixels."""
    (a, b), (c, d) = landmarks_px[_EYE_CORNERS, :2].tolist()
    return math.hypot(c[0] + d[0] - a[0] - b[0], c[1] + d[1] - a[1] - b[1]) / 2
