"""A face in a frame, in full-frame pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Rect(NamedTuple):
    """``(left, top, width, height)`` in whole pixels, top-left origin, x right, y down."""

    left: int
    top: int
    width: int
    height: int

    @property
    def right(self) -> int:
        """First column right of the rectangle."""
        return self.left + self.width

    @property
    def bottom(self) -> int:
        """First row below the rectangle."""
        return self.top + self.height


@dataclass(frozen=True, slots=True)
class Pose:
    """Head pose in degrees, relative to the ray from camera to head (0, 0, 0 looks at the lens)."""

    yaw_deg: float
    pitch_deg: float
    roll_deg: float


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """The largest face of a frame.

    Attributes
    ----------
    rectangle : brow to chin with margins, clipped to the frame.
    landmarks_px : (478, 3) float32 x, y, z in full-frame pixels, FaceMesh order, read-only.
    inter_eye_px : distance of the eye centres in the image.
    pose : view-relative head pose.
    count : faces in the frame.
    second_face_ratio : area of the second largest face over this one's; 0 when alone.
    """

    rectangle: Rect
    landmarks_px: NDArray[np.float32]
    inter_eye_px: float
    pose: Pose
    count: int
    second_face_ratio: float
