"""The FaceMesh adapter of the tracker protocol (mediapipe 0.10.21, models inside its wheel)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from types import TracebackType
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from capture.frame import Frame, ImageU8
from preprocess.errors import GeometryError, TrackerError
from preprocess.face.face import Face, Rect
from preprocess.face.landmarks import FACE_OVAL, inter_eye_px
from preprocess.face.pose import pose_from_landmarks
from preprocess.face.rectangle import face_rectangle
from preprocess.tracking.facemesh.agreement import agrees, same, square, upside_down
from preprocess.tracking.facemesh.facemesh_graphs import (
    Detection,
    FaceDetector,
    FaceMeshGraph,
    Region,
)
from preprocess.tracking.facemesh.mediapipe_graph import load_mediapipe
from preprocess.tracking.tracker_options import TrackerOptions

Points = NDArray[np.float32]
BOX_OVER_OVAL: Final = 1.15
TURN_RAD: Final = math.radians(6)
"""Between two looks at a frame without a face, to one side and the other in turn: how a face meets
the detector's grid decides whether a difficult one is found."""

SURROUNDINGS: Final = 1.5
"""Half of what is searched around a followed face, in sides of its region."""


class FaceMeshTracker:
    """Largest face of each frame: a mesh follows it, a detector seeks it and watches for others.

    The detector runs while there is no face and on every ``watch_every``-th frame. There it
    confirms the followed face, counts the others and hands over to a clearly larger one. Between
    watches ``count`` and ``second_face_ratio`` keep their last values. While there is no face, the
    frame is searched at a smaller scale as well, turned a little, and one of its nine overlapping
    quarters in turn, so that a person too near or too far away is seen as such. The same frames
    give the same faces.

    A mesh counts where the detector's own eyes and mouth agree with it: when a face is found, at
    every watch, and at once where the mesh has grown or shrunk by ``regrown`` since. A new face is
    also looked at turned by 180 degrees: one that is upside down is followed as such, with a roll
    beyond 90 degrees.
    """

    def __init__(self, options: TrackerOptions | None = None) -> None:
        self._options = options or TrackerOptions()
        self._version = str(load_mediapipe().__version__)
        self._detector = FaceDetector(min(self._options.kept_score, self._options.found_score))
        self._mesh = FaceMeshGraph()
        self._open = True
        self._last_ns: int | None
        self._points: Points | None
        self._until_watch: int
        self._doubted: int
        self._quarter: int
        self._turn_rad: float
        self._others: tuple[float, ...]
        self._agreed_px: float
        self.reset()

    @property
    def backend(self) -> str:
        """Name, version and model of the backend."""
        return f"mediapipe/{self._version} face_landmark_with_attention, face_detection_full_range"

    def track(self, frame: Frame) -> Face | None:
        """Return the largest face or None."""
        self._guard(frame)
        points = self._follow(frame.pixels)
        self._until_watch -= 1
        if points is None or self._until_watch <= 0 or self._regrown(points):
            points = self._watch(frame.pixels, points)
        self._points = points
        return None if points is None else self._face(points, frame.size_wh)

    def reset(self) -> None:
        """Begin another session, as a fresh tracker would, without loading the models again."""
        self._last_ns = None
        self._points = None
        self._until_watch = 0
        self._doubted = 0
        self._quarter = 0
        self._turn_rad = TURN_RAD
        self._others = ()
        self._agreed_px = 0.0

    def close(self) -> None:
        """Release the models; idempotent."""
        if self._open:
            self._open = False
            self._mesh.close()
            self._detector.close()

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
        if not self._open:
            raise TrackerError("the face tracker is closed: open a fresh one for each session")
        if self._last_ns is not None and frame.t_frame_ns <= self._last_ns:
            raise TrackerError(
                f"frame {frame.seq}: t_frame_ns {frame.t_frame_ns} is not after {self._last_ns}"
            )
        self._last_ns = frame.t_frame_ns

    def _follow(self, bgr: ImageU8) -> Points | None:
        if self._points is None:
            return None
        return self._look(bgr, Region.around(self._points))

    def _look(self, bgr: ImageU8, region: Region) -> Points | None:
        height, width = bgr.shape[:2]
        points, presence = self._mesh.landmarks(bgr, region)
        if presence < self._options.presence:
            return None
        x, y, _ = points.sum(axis=0) / len(points)
        return points if 0 <= x < width and 0 <= y < height else None

    def _regrown(self, points: Points) -> bool:
        """Return whether the mesh has another size than when the detector agreed with it."""
        ratio = Region.around(points).side_px / max(self._agreed_px, 1e-6)
        return max(ratio, 1 / max(ratio, 1e-6)) > self._options.regrown

    def _watch(self, bgr: ImageU8, points: Points | None) -> Points | None:
        """Confirm the followed face, or seek one; count the others."""
        self._until_watch = self._options.watch_every
        seen = self._detector.detect(bgr)
        if points is not None and not self._confirmed(bgr, points, seen):
            points = None
        points = self._largest(bgr, points, seen)
        for view, turn_rad in self._further_looks(bgr) if points is None else ():
            seen = self._detector.detect(bgr, view, turn_rad)
            points = self._largest(bgr, None, seen)
            if points is not None:
                break
        self._others = ()
        if points is not None:
            self._agreed_px = Region.around(points).side_px
            own = _area(seen, points)
            self._others = tuple(d.area_px2 / own for d in self._new(seen) if not same(d, points))
        return points

    def _confirmed(self, bgr: ImageU8, points: Points, seen: list[Detection]) -> bool:
        """Return False where the detector sees another face there, or several times none."""
        own = [d for d in seen if same(d, points)]
        if not own:
            near = self._detector.detect(bgr, square(Region.around(points), SURROUNDINGS))
            own = [d for d in near if same(d, points)]
        if not own:
            self._doubted += 1
            return self._doubted < self._options.doubts
        self._doubted = 0
        return any(agrees(d, points) for d in own)

    def _further_looks(self, bgr: ImageU8) -> Iterator[tuple[Rect | None, float]]:
        """Yield the parts of the frame, and by how much turned, that are tried before "no face"."""
        self._turn_rad = -self._turn_rad
        quarter = self._next_quarter(bgr)
        yield _wide(bgr), 0.0
        yield None, self._turn_rad
        yield quarter, 0.0

    def _next_quarter(self, bgr: ImageU8) -> Rect:
        row, column = divmod(self._quarter, 3)
        self._quarter = (self._quarter + 1) % 9
        width, height = max(1, bgr.shape[1] // 2), max(1, bgr.shape[0] // 2)
        return Rect(column * width // 2, row * height // 2, width, height)

    def _largest(self, bgr: ImageU8, points: Points | None, seen: list[Detection]) -> Points | None:
        own = 0.0 if points is None else _area(seen, points)
        for detection in self._new(seen):
            if detection.area_px2 <= own * self._options.take_over:
                break
            if points is not None and same(detection, points):
                break
            found = self._found(bgr, detection)
            if found is not None:
                self._doubted = 0
                return found
        return points

    def _found(self, bgr: ImageU8, detection: Detection) -> Points | None:
        """Return the mesh on a new detection, None where the two do not agree."""
        points = self._twice(bgr, detection.region)
        if points is None or not agrees(detection, points):
            return None
        if not upside_down(self._detector, bgr, points):
            return points
        region = Region.around(points)
        return self._twice(bgr, replace(region, angle_rad=region.angle_rad + math.pi))

    def _twice(self, bgr: ImageU8, region: Region) -> Points | None:
        """Look once more from the landmarks themselves: the box of the detector is coarse."""
        found = self._look(bgr, region)
        if found is None:
            return None
        again = self._look(bgr, Region.around(found))
        return found if again is None else again

    def _new(self, seen: list[Detection]) -> list[Detection]:
        return [d for d in seen if d.score >= self._options.found_score]

    def _face(self, points: Points, size_wh: tuple[int, int]) -> Face | None:
        try:
            rectangle = face_rectangle(points, size_wh, self._options.rectangle)
        except GeometryError:
            return None  # the head has left the frame, its mesh reaches into it
        return Face(
            rectangle=rectangle,
            landmarks_px=points,
            inter_eye_px=inter_eye_px(points),
            pose=pose_from_landmarks(points, size_wh, self._options.intrinsics),
            count=1 + len(self._others),
            second_face_ratio=max(self._others, default=0.0),
        )


def _wide(bgr: ImageU8) -> Rect:
    """Return the frame with a margin around it: what fills it becomes small enough to be found."""
    height, width = bgr.shape[:2]
    x, y = width * 3 // 14, height * 3 // 14
    return Rect(-x, -y, width + 2 * x, height + 2 * y)


def _area(seen: list[Detection], points: Points) -> float:
    """Return the area of the face's detection, else what the detector would give it.

    Measured on 9 portraits: its box has .9 to 1.25 times the area of the oval's box.
    """
    boxes = [d.area_px2 for d in seen if same(d, points)]
    oval = points[list(FACE_OVAL), :2]
    return max(boxes) if boxes else BOX_OVER_OVAL * float(np.prod(np.ptp(oval, axis=0)))
