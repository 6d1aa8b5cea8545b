"""The two mediapipe graphs behind the tracker: a detector for the whole frame, a mesh for one face.

``solutions.FaceMesh`` seeks with the short-range detector, which loses faces below 10 % of the
frame's longer side (200 px at 1920, the service takes 128), and keeps ghosts for as long as the
mesh believes in them. These are the same two models with the region given by us: landmarks equal
FaceMesh's to .02 px, at half its time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from capture.frame import ImageU8
from preprocess.errors import TrackerError
from preprocess.face.face import Rect
from preprocess.face.landmarks import POINTS
from preprocess.reduction import shrunk
from preprocess.tracking.facemesh.mediapipe_graph import Graph, load_mediapipe, quiet_backend

REGION_SCALE: Final = 1.5
"""Region over face box, as in mediapipe's FaceLandmarkLandmarksToRoi and FrontDetectionToRoi."""

DETECTOR_SIDE_PX: Final = 192
"""Input of the full-range detector; the graph samples, so frames are reduced to twice that."""

_DETECTOR_GRAPH: Final = "modules/face_detection/face_detection_full_range_cpu.binarypb"
_MESH_GRAPH: Final = """
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
_THRESHOLD: Final = "facelandmarkcpu__ThresholdingCalculator"
_NOTHING: Final = np.zeros((64, 64, 3), np.uint8)

_LANDMARK: Final = np.dtype(
    {"names": ["x", "y", "z"], "formats": ["<f4"] * 3, "offsets": [3, 8, 13], "itemsize": 17}
)
"""A landmark in protobuf's encoding: tag, length, then x, y and z, each a tag and a float."""


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
        low, high = points_px.min(axis=0)[:2], points_px.max(axis=0)[:2]
        x, y = (low + high) / 2
        across = points_px[263, :2] - points_px[33, :2]
        side = REGION_SCALE * float((high - low).max())
        return Region(float(x), float(y), side, math.atan2(float(across[1]), float(across[0])))


@dataclass(frozen=True, slots=True)
class Detection:
    """A face box of the detector, in pixels of the frame.

    Attributes
    ----------
    eyes_px, mouth_px : x, y of the eyes' midpoint and of the mouth's centre.
    """

    left_px: float
    top_px: float
    width_px: float
    height_px: float
    angle_rad: float
    score: float
    eyes_px: tuple[float, float]
    mouth_px: tuple[float, float]

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
        mediapipe = load_mediapipe()
        from mediapipe.framework import calculator_pb2  # noqa: PLC0415
        from mediapipe.modules.face_detection import face_detection_pb2  # noqa: PLC0415

        path = Path(mediapipe.__file__).parent / _DETECTOR_GRAPH
        config = calculator_pb2.CalculatorGraphConfig.FromString(path.read_bytes())
        options = face_detection_pb2.FaceDetectionOptions(min_score_thresh=least_score)
        config.graph_options[0].Pack(options)
        self._getter: Any = mediapipe.packet_getter
        with quiet_backend():
            self._graph = Graph(config, ["detections"])
            self.detect(_NOTHING)

    def detect(
        self, bgr: ImageU8, within: Rect | None = None, turn_rad: float = 0.0
    ) -> list[Detection]:
        """Return the faces, largest first, in pixels of the frame.

        Parameters
        ----------
        bgr : (H, W, 3) uint8.
        within : look at this part of the frame only, which makes its faces larger to the detector;
            what of it lies outside the frame is black, which makes them smaller.
        turn_rad : turn what is looked at by this angle, counter-clockwise in the image; the faces
            are those of the frame as it is.
        """
        part = within or Rect(0, 0, bgr.shape[1], bgr.shape[0])
        view = _view(bgr, part)
        if turn_rad == 0:
            return self._detected(view, part)
        return [
            _turned_back(d, part, turn_rad) for d in self._detected(_turn(view, turn_rad), part)
        ]

    def score(self, bgr: ImageU8, within: Rect, *, turned: bool) -> float:
        """Return the best score in a part, upright or turned by 180 degrees; 0 without a face."""
        view = _view(bgr, within)
        found = self._detected(np.ascontiguousarray(view[::-1, ::-1]) if turned else view, within)
        return max((detection.score for detection in found), default=0.0)

    def _detected(self, seen: ImageU8, part: Rect) -> list[Detection]:
        packet = self._graph.run({"image": _image_packet(seen)}).get("detections")
        if packet is None or packet.is_empty():
            return []
        found = [_detection(d, part) for d in self._getter.get_proto_list(packet)]
        return sorted(found, key=lambda d: (-d.area_px2, d.left_px, d.top_px))

    def close(self) -> None:
        """Release the graph."""
        self._graph.close()


class FaceMeshGraph:
    """The attention mesh on a given region."""

    def __init__(self) -> None:
        mediapipe = load_mediapipe()
        self._getter: Any = mediapipe.packet_getter
        with_attention = {"with_attention": mediapipe.packet_creator.create_bool(True)}
        with quiet_backend():
            self._graph = Graph(_mesh_config(mediapipe), ["landmarks", _PRESENCE], with_attention)
            self.landmarks(_NOTHING, Region(32.0, 32.0, 64.0, 0.0))

    def landmarks(self, bgr: ImageU8, region: Region) -> tuple[NDArray[np.float32], float]:
        """Return (478, 3) float32 landmarks in pixels of the frame, and the face's probability.

        Only the part of the frame under the region is converted.
        """
        from mediapipe.framework.formats import rect_pb2  # noqa: PLC0415
        from mediapipe.python import packet_creator  # noqa: PLC0415

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
        packets = {
            "image": _image_packet(bgr[y0:y1, x0:x1]),
            "roi": packet_creator.create_proto(rect),
        }
        found = self._graph.run(packets)
        if "landmarks" not in found or found["landmarks"].is_empty():
            return np.empty((0, 3), np.float32), 0.0
        points = _points(self._getter.get_proto(found["landmarks"]), (w, h), (x0, y0))
        return points, float(self._getter.get_float(found[_PRESENCE]))

    def close(self) -> None:
        """Release the graph."""
        self._graph.close()


def _mesh_config(mediapipe: Any) -> Any:
    """Return the mesh's graph, which tells of every region, however little it is a face."""
    from google.protobuf import text_format  # type: ignore[import-untyped]  # noqa: PLC0415
    from mediapipe.calculators.util import thresholding_calculator_pb2  # noqa: PLC0415
    from mediapipe.framework import calculator_pb2  # noqa: PLC0415

    config = calculator_pb2.CalculatorGraphConfig
    whole = mediapipe.ValidatedGraphConfig()
    whole.initialize(graph_config=text_format.Parse(_MESH_GRAPH, config()))
    expanded = config.FromString(whole.binary_config)
    (node,) = (node for node in expanded.node if node.name == _THRESHOLD)
    options = thresholding_calculator_pb2.ThresholdingCalculatorOptions.ext
    node.options.Extensions[options].threshold = 0.0
    return expanded


def _image_packet(bgr: ImageU8) -> Any:
    """Return a packet that refers to the RGB of a part of a frame."""
    import cv2  # noqa: PLC0415
    from mediapipe.python import packet_creator  # noqa: PLC0415
    from mediapipe.python._framework_bindings.image_frame import ImageFormat  # noqa: PLC0415

    rgb = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)
    rgb.flags.writeable = False  # else mediapipe copies it once more
    return packet_creator.create_image_frame(rgb, image_format=ImageFormat.SRGB)


def _points(found: Any, size_wh: tuple[int, int], at_xy: tuple[int, int]) -> NDArray[np.float32]:
    """Return (478, 3) float32 landmarks in pixels of the frame, from a ``NormalizedLandmarkList``.

    Read from the message's bytes: asked for one by one, 1,434 numbers cost .2 ms.
    """
    content = found.SerializeToString()
    if len(content) != POINTS * _LANDMARK.itemsize:
        count = len(found.landmark)
        raise TrackerError(f"the mesh gave {count} landmarks, expected {POINTS} with x, y and z")
    raw = np.frombuffer(content, _LANDMARK)
    w, h = size_wh
    points = np.empty((POINTS, 3), np.float32)
    points[:, 0] = raw["x"].astype(np.float64) * w + at_xy[0]
    points[:, 1] = raw["y"].astype(np.float64) * h + at_xy[1]
    points[:, 2] = raw["z"].astype(np.float64) * w
    points.flags.writeable = False
    return points


def _view(bgr: ImageU8, part: Rect) -> ImageU8:
    """Return a part of the frame at the detector's size, black where it leaves the frame."""
    height, width = bgr.shape[:2]
    left, top = max(part.left, 0), max(part.top, 0)
    right, bottom = min(part.right, width), min(part.bottom, height)
    inside = bgr[top:bottom, left:right]
    if inside.shape[:2] == (part.height, part.width):
        return shrunk(inside, 2 * DETECTOR_SIDE_PX)
    factor = min(1.0, 2 * DETECTOR_SIDE_PX / max(part.width, part.height))
    view = np.zeros((round(part.height * factor), round(part.width * factor), 3), np.uint8)
    if not inside.size:
        return view
    small = shrunk(inside, max(1, round(factor * max(inside.shape[:2]))))
    y, x = round((top - part.top) * factor), round((left - part.left) * factor)
    rows, columns = min(small.shape[0], view.shape[0] - y), min(small.shape[1], view.shape[1] - x)
    view[y : y + rows, x : x + columns] = small[:rows, :columns]
    return view


def _turn(view: ImageU8, angle_rad: float) -> ImageU8:
    import cv2  # noqa: PLC0415

    height, width = view.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), math.degrees(angle_rad), 1.0)
    turned = cv2.warpAffine(view, turn, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(turned, np.uint8)


def _turned_back(seen: Detection, part: Rect, angle_rad: float) -> Detection:
    """Return a detection of a part that was turned about its centre, in pixels of the frame."""
    x0, y0 = part.left + part.width / 2, part.top + part.height / 2
    cos, sin = math.cos(angle_rad), math.sin(angle_rad)

    def back(point: tuple[float, float]) -> tuple[float, float]:
        x, y = point[0] - x0, point[1] - y0
        return x0 + cos * x - sin * y, y0 + sin * x + cos * y

    x, y = back(seen.centre_px)
    return replace(
        seen,
        left_px=x - seen.width_px / 2,
        top_px=y - seen.height_px / 2,
        angle_rad=seen.angle_rad + angle_rad,
        eyes_px=back(seen.eyes_px),
        mouth_px=back(seen.mouth_px),
    )


def _detection(found: Any, part: Rect) -> Detection:
    box, keys = found.location_data.relative_bounding_box, found.location_data.relative_keypoints
    across = (keys[1].x - keys[0].x) * part.width, (keys[1].y - keys[0].y) * part.height
    right, left, _, mouth = (
        (key.x * part.width + part.left, key.y * part.height + part.top) for key in keys[:4]
    )
    return Detection(
        left_px=box.xmin * part.width + part.left,
        top_px=box.ymin * part.height + part.top,
        width_px=box.width * part.width,
        height_px=box.height * part.height,
        angle_rad=math.atan2(across[1], across[0]),
        score=float(found.score[0]),
        eyes_px=((right[0] + left[0]) / 2, (right[1] + left[1]) / 2),
        mouth_px=mouth,
    )
