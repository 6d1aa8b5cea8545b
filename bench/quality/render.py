"""Turn a photographed head: its own mesh as a textured surface under a pinhole camera."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from capture.frame import ImageU8
from preprocess.face.face import Pose
from preprocess.face.landmarks import FACE_OVAL, inter_eye_px
from preprocess.face.pose import rotation_of

FOV_DEG = 63.0
HEAD_IED_PX = 110.0
MESH_POINTS = 468


LEFT_EYE = (33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7)
RIGHT_EYE = (263, 466, 388, 387, 386, 385, 384, 398, 362, 382, 381, 380, 374, 373, 390, 249)
MOUTH = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 324, 318, 402, 317, 14, 87, 178, 88, 95)
RINGS = ((1.3, 0.6), (1.9, 1.2))
"""Hair, ears and neck: the oval widened by the first, set back by the second number of IED."""


@lru_cache(maxsize=1)
def triangles() -> NDArray[np.int32]:
    """Return (n, 3) vertex indices: FaceMesh's tesselation, eyes and mouth closed, two rings."""
    from mediapipe.python.solutions.face_mesh_connections import FACEMESH_TESSELATION

    near: dict[int, set[int]] = {}
    for a, b in FACEMESH_TESSELATION:
        near.setdefault(a, set()).add(b)
        near.setdefault(b, set()).add(a)
    found = [sorted((a, b, c)) for a in near for b in near[a] for c in near[a] & near[b]]
    for hole in (LEFT_EYE, RIGHT_EYE, MOUTH):
        found += [[hole[0], hole[k], hole[k + 1]] for k in range(1, len(hole) - 1)]
    inner = list(FACE_OVAL)
    for ring in range(len(RINGS)):
        outer = [MESH_POINTS + ring * len(FACE_OVAL) + k for k in range(len(FACE_OVAL))]
        for k, here in enumerate(inner):
            following = (k + 1) % len(inner)
            found += [[here, inner[following], outer[k]]]
            found += [[inner[following], outer[following], outer[k]]]
        inner = outer
    return np.unique(np.array(found, dtype=np.int32), axis=0)


@dataclass(frozen=True, eq=False)
class Head:
    """A head cut out of a photo: texture, its points in the photo, and in head space.

    ``points`` are (540, 3) in units of the inter-eye distance, x right, y up, z to the viewer,
    around the mesh's middle: the mesh and the rings around it. ``texture`` is the photo reduced by
    ``reduction`` to the size at which it is painted, ``backdrop`` what lies behind the head.
    """

    texture: ImageU8
    backdrop: ImageU8
    reduction: float
    source_px: NDArray[np.float32]
    points: NDArray[np.float64]

    @staticmethod
    def of(photo: ImageU8, landmarks_px: NDArray[np.float32]) -> Head:
        """Return the head of a photo."""
        ied = inter_eye_px(landmarks_px)
        mesh = landmarks_px[:MESH_POINTS].astype(np.float64)
        middle, oval = mesh.mean(axis=0), mesh[list(FACE_OVAL)]
        rings = [
            middle + (oval - middle) * (wide, wide, 1) + (0, 0, back * ied) for wide, back in RINGS
        ]
        points = np.concatenate([mesh, *rings])
        reduction = min(1.0, HEAD_IED_PX / ied)
        size = round(photo.shape[1] * reduction), round(photo.shape[0] * reduction)
        texture = np.asarray(cv2.resize(photo, size, interpolation=cv2.INTER_AREA), np.uint8)
        return Head(
            texture,
            np.asarray(cv2.GaussianBlur(texture, (0, 0), 40) // 2 + 60, np.uint8),
            reduction,
            points[:, :2].astype(np.float32),
            (points - middle) / ied * (1, -1, -1),
        )


def render(
    head: Head, turn: Pose, size_wh: tuple[int, int] = (1280, 720), off_deg: float = 0.0
) -> ImageU8:
    """Return a picture of the head, turned against its photo, ``off_deg`` right of the axis.

    The head turns along with the ray to it: seen from the camera it looks the same anywhere.
    """
    width, height = size_wh
    focal = height / 2 / math.tan(math.radians(FOV_DEG / 2))
    distance = focal / HEAD_IED_PX
    off = math.radians(off_deg)
    centre = distance * np.array([math.sin(off), 0.0, -math.cos(off)])
    ray = rotation_of(Pose(-off_deg, 0.0, 0.0))
    world = head.points @ (ray @ rotation_of(turn)).T + centre
    x = width / 2 + focal * world[:, 0] / -world[:, 2]
    y = height / 2 - focal * world[:, 1] / -world[:, 2]
    return _painted(head, np.stack([x, y], axis=1), -world[:, 2], size_wh)


def _painted(
    head: Head, image_px: NDArray[np.float64], depth: NDArray[np.float64], size_wh: tuple[int, int]
) -> ImageU8:
    """Paint the triangles from far to near, each pixel from its place in the photo."""
    width, height = size_wh
    faces = triangles()
    faces = faces[np.argsort(-depth[faces].mean(axis=1), kind="stable")]
    owner = np.zeros((height, width), np.int32)
    shifted = np.round(image_px * 16).astype(np.int32)
    for number, corners in enumerate(faces, 1):
        cv2.fillConvexPoly(owner, shifted[corners], (number,), shift=4)
    rows, cols = np.nonzero(owner)
    which = owner[rows, cols] - 1
    maps = _affines(image_px[faces], head.source_px[faces])[which]
    at = np.stack([cols, rows, np.ones_like(rows)], axis=1).astype(np.float64)
    source = np.einsum("nij,nj->ni", maps, at).astype(np.float32)
    away = np.full((2, height, width), -1.0, np.float32)
    away[:, rows, cols] = source.T * head.reduction
    drawn = cv2.remap(
        head.texture, away[0], away[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    around = cv2.resize(head.backdrop, size_wh)
    return np.where(owner[..., None] > 0, drawn, around).astype(np.uint8)


def _affines(image_px: NDArray[np.float64], source_px: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return (n, 2, 3) maps from image to photo; a triangle seen edge-on owns no pixel."""
    corners = np.concatenate([image_px, np.ones((*image_px.shape[:2], 1))], axis=2)
    return np.asarray((np.linalg.pinv(corners) @ source_px).transpose(0, 2, 1))
