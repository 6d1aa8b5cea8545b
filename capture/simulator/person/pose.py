"""Camera and head in the room: a pinhole, where a head is and how it is turned.

World frame, in cm: the camera's pinhole at the origin, x to the image's right, y up, z from the
scene towards the camera, so that everything visible has negative z.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import cos, radians, sin

import numpy as np
from numpy.typing import NDArray

from capture.simulator.person.shape import CENTRE_CM

EYES_CM = np.array([0.0, 2.6, 3.9])
"""Midpoint of the eyes in the head frame: the point that a head's position names."""

ZERO_PITCH_DEG = -5.0
"""Tilt of the head frame at pitch 0: FaceMesh and PnP read this head 5 degrees too low without."""


@dataclass(frozen=True, slots=True)
class Lens:
    """A pinhole with the principal point in the middle of the frame."""

    size_wh: tuple[int, int]
    focal_px: float


@dataclass(frozen=True, slots=True)
class HeadPose:
    """Attitude (R = Rz Ry Rx, in head frame axes) and place of a head.

    ``eyes_cm`` is where the midpoint of the eyes lies in the world while the head looks straight
    ahead; rotation is about the centre of the skull.
    """

    yaw_deg: float
    pitch_deg: float
    roll_deg: float
    eyes_cm: tuple[float, float, float]

    @property
    def attitude(self) -> NDArray[np.float64]:
        """(3, 3) of the angles alone: what a pose estimator should find."""
        return turn(self.yaw_deg, self.pitch_deg, self.roll_deg)

    @property
    def rotation(self) -> NDArray[np.float64]:
        """(3, 3) head frame to world."""
        return turn(self.yaw_deg, self.pitch_deg + ZERO_PITCH_DEG, self.roll_deg)

    @property
    def centre_cm(self) -> NDArray[np.float64]:
        """(3,) world position of the centre of the skull."""
        return np.subtract(self.eyes_cm, EYES_CM - CENTRE_CM, dtype=np.float64)

    def to_world(self, points_cm: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return world coordinates of (..., 3) points in the head frame."""
        world: NDArray[np.float64] = (points_cm - CENTRE_CM) @ self.rotation.T
        return world + self.centre_cm


@lru_cache(maxsize=256)
def turn(yaw_deg: float, pitch_deg: float, roll_deg: float) -> NDArray[np.float64]:
    """Return Rz(roll) Ry(yaw) Rx(pitch), (3, 3), read-only."""
    yaw, pitch, roll = radians(yaw_deg), radians(pitch_deg), radians(roll_deg)
    cy, sy, cp, sp, cr, sr = cos(yaw), sin(yaw), cos(pitch), sin(pitch), cos(roll), sin(roll)
    turned = np.array(
        [
            [cr * cy, cr * sy * sp - sr * cp, cr * sy * cp + sr * sp],
            [sr * cy, sr * sy * sp + cr * cp, sr * sy * cp - cr * sp],
            [-sy, cy * sp, cy * cp],
        ]
    )
    turned.flags.writeable = False
    return turned


def project(lens: Lens, points_cm: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (..., 2) pixels (x, y) of world points (..., 3) in front of the camera."""
    width, height = lens.size_wh
    depth = -points_cm[..., 2]
    x = (width - 1) / 2 + lens.focal_px * points_cm[..., 0] / depth
    y = (height - 1) / 2 - lens.focal_px * points_cm[..., 1] / depth
    return np.stack([x, y], axis=-1)
