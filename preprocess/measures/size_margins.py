"""Size of the face, its place in the frame, its neighbours."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from preprocess.face.face import Face
from preprocess.face.landmarks import BROWS, FACE_OVAL, eye_centres, eye_mouth_axis

REFERENCE_LONG_PX, REFERENCE_SHORT_PX = 1920, 1080
_OVAL, _BROWS = np.array(FACE_OVAL), np.array(BROWS)


def size_scale(size_wh: tuple[int, int]) -> float:
    """Return by how much the frame exceeds 1920x1080, at least 1.

    The service's smallest face is 128 px up to 1920x1080 and proportionally larger above; long and
    short side are compared apart and the larger ratio wins, so portrait frames count alike.
    """
    long, short = max(size_wh), min(size_wh)
    return max(1.0, long / REFERENCE_LONG_PX, short / REFERENCE_SHORT_PX)


def face_side_px(face: Face, size_wh: tuple[int, int]) -> float:
    """Return the shorter of ear to ear and brow to chin in px, divided by ``size_scale``."""
    oval = face.landmarks_px.take(_OVAL, axis=0)
    brow = float(face.landmarks_px.take(_BROWS, axis=0)[:, 1].min())
    width, height = float(oval[:, 0].max() - oval[:, 0].min()), float(oval[:, 1].max()) - brow
    return min(width, height) / size_scale(size_wh)


def corrected_ied_px(face: Face) -> float:
    """Return the inter-eye distance over cos(yaw), cos not below .5 (OFIQ, InterEyeDistance)."""
    yaw = face.pose.yaw_deg
    cos = math.cos(math.radians(yaw)) if math.isfinite(yaw) else 1.0
    return face.inter_eye_px / max(cos, 0.5)


def frame_margins(face: Face, size_wh: tuple[int, int]) -> tuple[float, float, float, float]:
    """Return left and right in IED, above and below in T (OFIQ, crop of the face image).

    Left and right run from the outer eye's centre, above and below from the eyes' midpoint.
    """
    width, height = size_wh
    x = eye_centres(face.landmarks_px)[:, 0].tolist()
    t_px, eyes_y = eye_mouth_axis(face.landmarks_px)
    ied, t_px = max(face.inter_eye_px, 1e-6), max(t_px, 1e-6)
    x0, x1 = min(x), max(x)
    return x0 / ied, (width - x1) / ied, eyes_y / t_px, (height - eyes_y) / t_px


def cut_share(landmarks_px: NDArray[np.float32], size_wh: tuple[int, int]) -> float:
    """Return the share of the face oval's convex hull that lies outside the frame, 0..1."""
    import cv2  # noqa: PLC0415

    oval = landmarks_px.take(_OVAL, axis=0)[:, :2]
    width, height = size_wh
    low, high = oval.min(axis=0), oval.max(axis=0)
    if low[0] >= 0 and low[1] >= 0 and high[0] <= width and high[1] <= height:
        return 0.0
    hull = cv2.convexHull(np.ascontiguousarray(oval, dtype=np.float32))
    frame = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32)
    whole = float(cv2.contourArea(hull))
    inside = float(cv2.intersectConvexConvex(hull, frame)[0])
    return min(max(1 - inside / whole, 0.0), 1.0) if whole > 0 else math.nan
