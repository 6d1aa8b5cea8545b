"""The FaceMesh adapter of the tracker protocol (mediapipe 0.10.21, models inside its wheel)."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from capture.frame import Frame
from capture.options import option
from preprocess.errors import GeometryError, TrackerError
from preprocess.face import Face
from preprocess.landmarks import FACE_OVAL, POINTS, inter_eye_px
from preprocess.pose import Intrinsics, pose_from_landmarks
from preprocess.rectangle import RectangleOptions, face_rectangle

_QUIET: Final = {"GLOG_minloglevel": "3", "TF_CPP_MIN_LOG_LEVEL": "3", "ABSL_MIN_LOG_LEVEL": "3"}


@dataclass(frozen=True, slots=True)
class TrackerOptions:
    """What the tracker looks for."""

    max_faces: int = option(
        2, unit="faces", low=1, high=8, why="one to judge, one to know that there is another"
    )
    detection_confidence: float = option(
        0.5, unit="probability", low=0.0, high=1.0, why="mediapipe's default"
    )
    tracking_confidence: float = option(
        0.5, unit="probability", low=0.0, high=1.0, why="mediapipe's default"
    )
    rectangle: RectangleOptions = field(default_factory=RectangleOptions)
    intrinsics: Intrinsics | None = None


class FaceMeshTracker:
    """Largest face of each frame, from a mesh that follows faces from frame to frame."""

    def __init__(self, options: TrackerOptions | None = None) -> None:
        import mediapipe  # noqa: PLC0415

        self._options = options or TrackerOptions()
        self._version = mediapipe.__version__
        self._mesh: Any = mediapipe.solutions.face_mesh.FaceMesh(
            static_image_mode=False,
            refine_landmarks=True,
            max_num_faces=self._options.max_faces,
            min_detection_confidence=self._options.detection_confidence,
            min_tracking_confidence=self._options.tracking_confidence,
        )
        self._last_ns: int | None = None

    @property
    def backend(self) -> str:
        """Name, version and model of the backend."""
        return f"mediapipe-facemesh/{self._version} face_landmark_with_attention"

    def track(self, frame: Frame) -> Face | None:
        """Return the largest face or None."""
        import cv2  # noqa: PLC0415

        self._guard(frame)
        result = self._mesh.process(cv2.cvtColor(frame.pixels, cv2.COLOR_BGR2RGB))
        found = [_to_px(f, frame.size_wh) for f in result.multi_face_landmarks or ()]
        return self._largest(found, frame.size_wh)

    def close(self) -> None:
        """Release the model; idempotent."""
        mesh, self._mesh = self._mesh, None
        if mesh is not None:
            mesh.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _guard(self, frame: Frame) -> None:
        if self._mesh is None:
            raise TrackerError("the face tracker is closed: open a fresh one for each session")
        if self._last_ns is not None and frame.t_frame_ns <= self._last_ns:
            raise TrackerError(
                f"frame {frame.seq}: t_frame_ns {frame.t_frame_ns} is not after {self._last_ns}"
            )
        self._last_ns = frame.t_frame_ns

    def _largest(self, found: list[NDArray[np.float32]], size_wh: tuple[int, int]) -> Face | None:
        people = _apart(sorted(found, key=_area, reverse=True))
        for place, landmarks in enumerate(people):
            try:
                rectangle = face_rectangle(landmarks, size_wh, self._options.rectangle)
            except GeometryError:
                continue  # a ghost outside the frame is no face of this frame
            rest = people[place + 1 :]
            return Face(
                rectangle=rectangle,
                landmarks_px=landmarks,
                inter_eye_px=inter_eye_px(landmarks),
                pose=pose_from_landmarks(landmarks, size_wh, self._options.intrinsics),
                count=1 + len(rest),
                second_face_ratio=_area(rest[0]) / _area(landmarks) if rest else 0.0,
            )
        return None


def _area(landmarks_px: NDArray[np.float32]) -> float:
    return float(np.prod(np.ptp(landmarks_px[list(FACE_OVAL), :2], axis=0)))


def _apart(found: list[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
    """Return the faces, largest first, without the mesh's second copy of the same one.

    Two people's face centres are never nearer than the larger one's inter-eye distance.
    """
    kept: list[NDArray[np.float32]] = []
    for face in found:
        centre = face[:, :2].mean(axis=0)
        if all(np.hypot(*(centre - k[:, :2].mean(axis=0))) > inter_eye_px(k) for k in kept):
            kept.append(face)
    return kept


def _to_px(face: Any, size_wh: tuple[int, int]) -> NDArray[np.float32]:
    width, height = size_wh
    points = np.array(
        [(p.x * width, p.y * height, p.z * width) for p in face.landmark], dtype=np.float32
    )
    if points.shape != (POINTS, 3):
        raise TrackerError(f"FaceMesh gave {points.shape[0]} landmarks, expected {POINTS}")
    points.flags.writeable = False
    return points


for _name, _value in _QUIET.items():
    os.environ.setdefault(_name, _value)
