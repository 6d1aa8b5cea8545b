"""The two mediapipe graphs behind the tracker: a detector for the whole frame, a mesh for one face.

``solutions.FaceMesh`` seeks with the short-range detector, which loses faces below 10 % of the
frame's longer side (200 px at 1920, the service takes 128), and keeps ghosts for as long as the
mesh believes in them. These are the same two models with the region given by us: landmarks equal
FaceMesh's to .02 px, at half its time.
"""

from __future__ import annotations

import math
import os
import re
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from capture.frame import ImageU8
from preprocess.errors import TrackerError
from preprocess.face import Rect
from preprocess.landmarks import POINTS

REGION_SCALE: Final = 1.5
"""Region over face box, as in mediapipe's FaceLandmarkLandmarksToRoi and FrontDetectionToRoi."""

DETECTOR_SIDE_PX: Final = 192
"""Input of the full-range detector; frames are reduced by area to twice that, never sampled."""

# It runs in the thread that asks: handed to threads of its own a frame takes a tenth longer.
_MESH_GRAPH: Final = """
executor { name: "" type: "ApplicationThreadExecutor" }
input_stream: "image"
input_stream: "roi"
input_side_packet: "with_attention"
output_stream: "landmarks"
node {
  calculator: "FaceLandmarkCpu"
  input_stream: "IMAGE:image"
  input_stream: "ROI:roi"
  input_side_packet: "WITH_ATTENTION:with_attention"
  output_stream: "LANDMARKS:landmarks"
}
"""
_PRESENCE: Final = "facelandmarkcpu__face_presence_score"
_CHATTER: Final = re.compile(
    rb"^(INFO: Created TensorFlow|WARNING: All log messages before absl|[IWE]\d{4} \d\d:\d\d:|"
    rb"[IWE]0000 )"
)
_STDERR: Final = 2
_NOTHING: Final = np.zeros((64, 64, 3), np.uint8)
_stderr_lock = threading.RLock()


@dataclass(frozen=True, slots=True)
class Region:
    """A square in pixels of the frame, turned by ``angle_rad`` clockwise in the image."""

    x_px: float
    y_px: float
    side_px: float
    angle_rad: float

    @staticmethod
    def around(points_px: NDArray[np.float32]) -> Region:
        """Return the region in which the mesh looks for the face of these landmarks."""
        low, high = points_px[:, :2].min(axis=0), points_px[:, :2].max(axis=0)
        x, y = (low + high) / 2
        across = points_px[263, :2] - points_px[33, :2]
        side = REGION_SCALE * float((high - low).max())
        return Region(float(x), float(y), side, math.atan2(float(across[1]), float(across[0])))


@dataclass(frozen=True, slots=True)
class Detection:
    """A face box of the detector, in pixels of the frame."""

    left_px: float
    top_px: float
    width_px: float
    height_px: float
    angle_rad: float
    score: float

    @property
    def area_px2(self) -> float:
        """Area of the box."""
        return self.width_px * self.height_px

    @property
    def centre_px(self) -> tuple[float, float]:
        """Centre of the box."""
        return self.left_px + self.width_px / 2, self.top_px + self.height_px / 2

    @property
    def region(self) -> Region:
        """Where the mesh should look for this face."""
        x, y = self.centre_px
        return Region(x, y, REGION_SCALE * max(self.width_px, self.height_px), self.angle_rad)


class FaceDetector:
    """Full-range BlazeFace: faces from 5 % of the frame's longer side."""

    def __init__(self, least_score: float) -> None:
        from mediapipe.python.solutions.face_detection import FaceDetection  # noqa: PLC0415

        with quiet_backend():
            self._graph: Any = FaceDetection(
                model_selection=1, min_detection_confidence=least_score
            )
            self.detect(_NOTHING)

    def detect(self, bgr: ImageU8, within: Rect | None = None) -> list[Detection]:
        """Return the faces, largest first, in pixels of the frame.

        Parameters
        ----------
        bgr : (H, W, 3) uint8.
        within : look at this part of the frame only, which makes its faces larger to the detector.
        """
        import cv2  # noqa: PLC0415

        part = within or Rect(0, 0, bgr.shape[1], bgr.shape[0])
        seen = bgr[part.top : part.bottom, part.left : part.right]
        shrink = 2 * DETECTOR_SIDE_PX / max(part.width, part.height)
        if shrink < 1:
            size = max(1, round(part.width * shrink)), max(1, round(part.height * shrink))
            seen = np.asarray(cv2.resize(seen, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
        result = self._graph.process(cv2.cvtColor(seen, cv2.COLOR_BGR2RGB))
        found = [_detection(d, part) for d in result.detections or ()]
        return sorted(found, key=lambda d: (-d.area_px2, d.left_px, d.top_px))

    def close(self) -> None:
        """Release the graph."""
        self._graph.close()


class FaceMeshGraph:
    """The attention mesh on a given region."""

    def __init__(self) -> None:
        from google.protobuf import text_format  # type: ignore[import-untyped]  # noqa: PLC0415
        from mediapipe.framework import calculator_pb2  # noqa: PLC0415
        from mediapipe.python.solution_base import PacketDataType, SolutionBase  # noqa: PLC0415

        with quiet_backend():
            self._graph: Any = SolutionBase(
                graph_config=text_format.Parse(_MESH_GRAPH, calculator_pb2.CalculatorGraphConfig()),
                side_inputs={"with_attention": True},
                outputs=["landmarks", _PRESENCE],
                stream_type_hints={
                    "image": PacketDataType.IMAGE_FRAME,
                    "roi": PacketDataType.PROTO,
                    "landmarks": PacketDataType.PROTO,
                    _PRESENCE: PacketDataType.FLOAT,
                },
                calculator_params={"facelandmarkcpu__ThresholdingCalculator.threshold": 0.0},
            )
            self.landmarks(_NOTHING, Region(32.0, 32.0, 64.0, 0.0))

    def landmarks(self, bgr: ImageU8, region: Region) -> tuple[NDArray[np.float32], float]:
        """Return (478, 3) float32 landmarks in pixels of the frame, and the face's probability.

        Only the part of the frame under the region is converted and copied.
        """
        import cv2  # noqa: PLC0415
        from mediapipe.framework.formats import rect_pb2  # noqa: PLC0415

        height, width = bgr.shape[:2]
        reach = region.side_px * math.sqrt(0.5) + 2
        x0 = min(max(math.floor(region.x_px - reach), 0), width - 1)
        y0 = min(max(math.floor(region.y_px - reach), 0), height - 1)
        x1 = max(min(math.ceil(region.x_px + reach), width), x0 + 1)
        y1 = max(min(math.ceil(region.y_px + reach), height), y0 + 1)
        w, h = x1 - x0, y1 - y0
        rect = rect_pb2.NormalizedRect(
            x_center=(region.x_px - x0) / w,
            y_center=(region.y_px - y0) / h,
            width=region.side_px / w,
            height=region.side_px / h,
            rotation=region.angle_rad,
        )
        rgb = cv2.cvtColor(bgr[y0:y1, x0:x1], cv2.COLOR_BGR2RGB)
        result = self._graph.process({"image": rgb, "roi": rect})
        if result.landmarks is None:
            return np.empty((0, 3), np.float32), 0.0
        points = np.array(
            [(p.x * w + x0, p.y * h + y0, p.z * w) for p in result.landmarks.landmark], np.float32
        )
        if points.shape != (POINTS, 3):
            raise TrackerError(f"the mesh gave {points.shape[0]} landmarks, expected {POINTS}")
        points.flags.writeable = False
        return points, float(getattr(result, _PRESENCE))

    def close(self) -> None:
        """Release the graph."""
        self._graph.close()


def _detection(found: Any, part: Rect) -> Detection:
    box, keys = found.location_data.relative_bounding_box, found.location_data.relative_keypoints
    across = (keys[1].x - keys[0].x) * part.width, (keys[1].y - keys[0].y) * part.height
    return Detection(
        left_px=box.xmin * part.width + part.left,
        top_px=box.ymin * part.height + part.top,
        width_px=box.width * part.width,
        height_px=box.height * part.height,
        angle_rad=math.atan2(across[1], across[0]),
        score=float(found.score[0]),
    )


@contextmanager
def quiet_backend() -> Iterator[None]:
    """Keep mediapipe's start-up messages off stderr; everything else written meanwhile passes.

    They come from C++ before its log is set up, where no setting of ours reaches them. Other
    threads' lines are held for as long as it takes, then written unchanged. The graphs open on
    threads of their own: only a first run inside is sure to have drawn all of it.
    """
    with _stderr_lock:
        try:
            saved = os.dup(_STDERR)
        except OSError:  # a windowed program without stderr
            saved = -1
        if saved < 0:
            yield
            return
        with tempfile.TemporaryFile() as held:
            _flush()
            os.dup2(held.fileno(), _STDERR)
            try:
                yield
            finally:
                _flush()
                os.dup2(saved, _STDERR)
                os.close(saved)
                held.seek(0)
                for line in held:
                    if not _CHATTER.match(line):
                        os.write(_STDERR, line)


def _flush() -> None:
    if sys.stderr is not None:
        sys.stderr.flush()
