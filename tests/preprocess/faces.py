"""Faces made of numbers: landmarks of a plain head, and the fake tracker that reports them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from capture.frame import Frame, ImageU8
from preprocess.errors import TrackerError
from preprocess.face.face import Face, Pose
from preprocess.face.landmarks import BROWS, CHIN, FACE_OVAL, RIGID, RIGID_MODEL_CM, inter_eye_px
from preprocess.face.pose import Intrinsics, pose_from_landmarks, rotation_of
from preprocess.face.rectangle import face_rectangle

EYE_DISTANCE_CM = 6.3
_PLACED_CM: dict[int, tuple[float, float]] = {
    159: (-3.15, 2.95), 145: (-3.15, 2.25), 160: (-3.5, 2.9), 144: (-3.5, 2.3),
    158: (-2.8, 2.9), 153: (-2.8, 2.3), 386: (3.15, 2.95), 374: (3.15, 2.25),
    385: (3.5, 2.9), 380: (3.5, 2.3), 387: (2.8, 2.9), 373: (2.8, 2.3),
    13: (0, -3.3), 14: (0, -3.4), 82: (-0.6, -3.3), 87: (-0.6, -3.4),
    312: (0.6, -3.3), 317: (0.6, -3.4), CHIN: (0, -8.0),
}  # fmt: skip


def photograph(path: Path) -> ImageU8:
    """Return a picture of the footage as BGR."""
    pixels = cv2.imread(str(path))
    assert pixels is not None, path
    return pixels.astype(np.uint8, copy=False)


def head_cm() -> NDArray[np.float64]:
    """Return (478, 3) points of a plain head in cm, x right, y up, z to the viewer."""
    points = np.zeros((478, 3))
    around = np.linspace(0, 2 * np.pi, len(FACE_OVAL), endpoint=False)
    points[list(FACE_OVAL), 0] = 7.5 * np.sin(around)
    points[list(FACE_OVAL), 1] = 0.2 + 8.2 * np.cos(around)
    for place, index in enumerate(BROWS):
        points[index, :2] = (-5.0 + 10.0 * place / (len(BROWS) - 1), 4.0)
    for index, (x, y) in _PLACED_CM.items():
        points[index, :2] = (x, y)
    points[list(RIGID)] = RIGID_MODEL_CM
    return points


def landmarks(
    centre: tuple[float, float] = (640.0, 360.0), ied_px: float = 100.0, pose: Pose | None = None
) -> NDArray[np.float32]:
    """Return (478, 3) float32 landmarks of the plain head, seen from far away."""
    turned = head_cm() @ rotation_of(pose or Pose(0, 0, 0)).T
    scaled = turned * (ied_px / EYE_DISTANCE_CM) * (1, -1, -1)
    points: NDArray[np.float32] = (scaled + np.array([*centre, 0.0])).astype(np.float32)
    return points


def projected(
    pose: Pose, place_cm: tuple[float, float, float], size_wh: tuple[int, int] = (1280, 720)
) -> NDArray[np.float32]:
    """Return the landmarks a pinhole camera sees of a head in camera space, without depth."""
    camera = Intrinsics.guess(size_wh)
    world = head_cm() @ rotation_of(pose).T + place_cm
    x = camera.cx_px + camera.fx_px * world[:, 0] / -world[:, 2]
    y = camera.cy_px - camera.fy_px * world[:, 1] / -world[:, 2]
    points: NDArray[np.float32] = np.stack([x, y, np.zeros_like(x)], axis=1).astype(np.float32)
    return points


def face(points: NDArray[np.float32] | None = None, size_wh: tuple[int, int] = (1280, 720)) -> Face:
    """Return the face of the landmarks."""
    points = landmarks() if points is None else points
    return Face(
        rectangle=face_rectangle(points, size_wh),
        landmarks_px=points,
        inter_eye_px=inter_eye_px(points),
        pose=pose_from_landmarks(points, size_wh),
        count=1,
        second_face_ratio=0.0,
    )


def frontal(**changes: object) -> Face:
    """Return a face looking at the lens, with fields replaced."""
    return replace(face(), **{"pose": Pose(0.0, 0.0, 0.0), **changes})  # type: ignore[arg-type]


def textured(size_wh: tuple[int, int] = (1280, 720), seed: int = 0) -> ImageU8:
    """Return a picture full of sharp edges in all directions: overlapping discs of skin tones."""
    rng = np.random.default_rng(seed)
    width, height = size_wh
    big = np.full((height, width, 3), 128, np.uint8)
    for _ in range(width * height // 600):
        centre = tuple(int(v) for v in rng.integers(0, (width, height)))
        tone = float(rng.uniform(60, 210))
        colour = (0.7 * tone, 0.85 * tone, tone)
        cv2.circle(big, centre, int(rng.integers(6, 22)), colour, -1, cv2.LINE_AA)
    return big


def frame(pixels: ImageU8 | None = None, seq: int = 0, t_ns: int | None = None) -> Frame:
    """Return a frame; its time is seq at 30 a second unless given."""
    at = seq * 33_333_333 if t_ns is None else t_ns
    return Frame(seq, at, at, textured() if pixels is None else pixels)


class FakeTracker:
    """A tracker that reports what a function of the frame says."""

    def __init__(self, look: Callable[[Frame], Face | None] = lambda _: face()) -> None:
        self._look = look
        self._open = True
        self._last_ns: int | None = None
        self.resets = 0

    @property
    def backend(self) -> str:
        return "fake/1"

    def track(self, frame: Frame) -> Face | None:
        if not self._open:
            raise TrackerError("the face tracker is closed")
        if self._last_ns is not None and frame.t_frame_ns <= self._last_ns:
            raise TrackerError(f"frame {frame.seq}: time does not increase")
        self._last_ns = frame.t_frame_ns
        return self._look(frame)

    def reset(self) -> None:
        self.resets += 1
        self._last_ns = None

    def close(self) -> None:
        self._open = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
