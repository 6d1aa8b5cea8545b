"""Head pose from 33 rigid landmarks, relative to the ray from the camera to the head.

A face at the frame's edge that looks into the lens has pose (0, 0, 0): the service judges how much
of the face the camera sees, not how the head stands in the room. Camera and head frames are
x right, y up, z to the viewer; positive yaw turns the nose to the image's right, positive pitch
lowers it, positive roll tilts the head anticlockwise in the image. R = Rz(roll) Ry(yaw) Rx(pitch).

Two estimates of opposite weakness are averaged. Perspective-n-point fits everybody with one head
shape and reads turned heads too frontal; rigid alignment with the mesh's own depth takes the
person's shape, but its depth knows no perspective and drifts at the frame's edge. Mean errors on
re-rendered portraits (yaw, pitch, roll, off-centre; ``bench/quality``): 2.0 2.0 .6 .5 degrees,
1.4 1.5 .5 3.0, and 1.7 1.6 .5 1.6 together.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from preprocess.face.face import Pose
from preprocess.face.landmarks import RIGID, RIGID_MODEL_CM

DEFAULT_VERTICAL_FOV_DEG = 63.0
"""What mediapipe assumes of an unknown camera; 40 to 80 degrees move the pose by at most .7."""

FLATTEST = 0.1
"""Depth over width below which z carries nothing; a face has .5."""

_FLIP = np.diag([1.0, -1.0, -1.0])
_RIGID = np.array(RIGID)
_STRAIGHT = np.zeros(4)
_CENTRED_MODEL_CM = RIGID_MODEL_CM - RIGID_MODEL_CM.mean(axis=0)
_CAMERA_MODEL_CM = RIGID_MODEL_CM @ _FLIP


@dataclass(frozen=True, slots=True)
class Intrinsics:
    """Pinhole camera in pixels; distortion is neglected (below the landmarks' own error)."""

    fx_px: float
    fy_px: float
    cx_px: float
    cy_px: float

    @staticmethod
    def guess(size_wh: tuple[int, int]) -> Intrinsics:
        """Return those of a camera that sees 63 degrees from top to bottom."""
        width, height = size_wh
        focal = height / 2 / math.tan(math.radians(DEFAULT_VERTICAL_FOV_DEG / 2))
        return Intrinsics(focal, focal, width / 2, height / 2)

    def matrix(self) -> NDArray[np.float64]:
        """Return the (3, 3) float64 camera matrix."""
        return np.array(
            [[self.fx_px, 0.0, self.cx_px], [0.0, self.fy_px, self.cy_px], [0.0, 0.0, 1.0]]
        )


def pose_from_landmarks(
    landmarks_px: NDArray[np.float32],
    size_wh: tuple[int, int],
    intrinsics: Intrinsics | None = None,
) -> Pose:
    """Return the view-relative pose of a face; NaN angles where no pose explains the landmarks.

    Parameters
    ----------
    landmarks_px : (478, 3) or (468, 3) float32 x, y, z in full-frame pixels; where z is flat, as of
        a tracker without depth, perspective-n-point speaks alone.
    size_wh : width and height of the full frame.
    intrinsics : the calibrated camera; guessed from the frame's height when None.
    """
    solved = solve_rigid(landmarks_px, intrinsics or Intrinsics.guess(size_wh))
    if solved is None:
        return Pose(math.nan, math.nan, math.nan)
    rotation = ray_rotation(solved[1]).T @ solved[0]
    points = landmarks_px.take(_RIGID, axis=0).astype(np.float64)
    wide, _, deep = points.max(axis=0) - points.min(axis=0)
    if deep > FLATTEST * wide:
        rotation = _mean(rotation, align_rigid(points))
    return angles_of(rotation)


def align_rigid(points_px: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the rotation (3, 3) of the canonical head onto (33, 3) points, y down, z away.

    Least squares after centring (Kabsch 1976); what it reads is view-relative already, for the
    mesh's depth is that of the region cut out around the face.
    """
    seen = (points_px - points_px.sum(axis=0) / len(points_px)) @ _FLIP
    return _nearest_rotation(seen.T @ _CENTRED_MODEL_CM)


def _mean(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    return _nearest_rotation(one + other)


def _nearest_rotation(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    import cv2  # noqa: PLC0415

    _, left, right = cv2.SVDecomp(matrix)  # numpy's takes ten times as long for a 3x3
    if cv2.determinant(left @ right) < 0:
        left[:, 2] = -left[:, 2]
    return np.asarray(left @ right, dtype=np.float64)


def solve_rigid(
    landmarks_px: NDArray[np.float32], intrinsics: Intrinsics
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Return rotation (3, 3) and translation (3,) in cm of the canonical head, y up, z to viewer.

    SQPNP gives the global minimum of an algebraic error, the iterative solver refines it in pixels.
    """
    import cv2  # noqa: PLC0415

    image = np.ascontiguousarray(landmarks_px.take(_RIGID, axis=0)[:, :2], dtype=np.float64)
    if not np.isfinite(image).all() or (image.max(axis=0) - image.min(axis=0)).max() < 1.0:
        return None
    model, camera = _CAMERA_MODEL_CM, intrinsics.matrix()
    found, turn, shift = cv2.solvePnP(model, image, camera, _STRAIGHT, flags=cv2.SOLVEPNP_SQPNP)
    if found:
        found, turn, shift = cv2.solvePnP(
            model, image, camera, _STRAIGHT, turn, shift, True, cv2.SOLVEPNP_ITERATIVE
        )
    if not found:
        return None
    rotation = np.asarray(cv2.Rodrigues(turn)[0], dtype=np.float64)
    return _FLIP @ rotation @ _FLIP, _FLIP @ np.asarray(shift, dtype=np.float64).ravel()


def ray_rotation(translation: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the rotation without roll that turns a head at ``translation`` to face the camera."""
    x, y, z = -translation / np.linalg.norm(translation)
    pitch, yaw = -math.asin(max(-1.0, min(1.0, y))), math.atan2(x, z)
    return rotation_of(Pose(math.degrees(yaw), math.degrees(pitch), 0.0))


def angles_of(rotation: NDArray[np.float64]) -> Pose:
    """Return yaw, pitch and roll in degrees of a rotation R = Rz(roll) Ry(yaw) Rx(pitch)."""
    return Pose(
        yaw_deg=math.degrees(math.asin(max(-1.0, min(1.0, -float(rotation[2, 0]))))),
        pitch_deg=math.degrees(math.atan2(rotation[2, 1], rotation[2, 2])),
        roll_deg=math.degrees(math.atan2(rotation[1, 0], rotation[0, 0])),
    )


def rotation_of(pose: Pose) -> NDArray[np.float64]:
    """Return Rz(roll) Ry(yaw) Rx(pitch), (3, 3) float64."""
    a, b, c = (math.radians(v) for v in (pose.yaw_deg, pose.pitch_deg, pose.roll_deg))
    ry = np.array([[math.cos(a), 0, math.sin(a)], [0, 1, 0], [-math.sin(a), 0, math.cos(a)]])
    rx = np.array([[1, 0, 0], [0, math.cos(b), -math.sin(b)], [0, math.sin(b), math.cos(b)]])
    rz = np.array([[math.cos(c), -math.sin(c), 0], [math.sin(c), math.cos(c), 0], [0, 0, 1]])
    return np.asarray(rz @ ry @ rx)
