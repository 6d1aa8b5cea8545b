"""One request judged: files, rectangles, faces, quality and light, in that order.

Faces, blur, exposure and pose come from the very stages that gate a frame before it is sent. The
decision comes from the light alone: it tells whether a face was lit as declared, and nothing about
masks, screens or injected video. **This is no liveness detector.**
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from operator import attrgetter
from typing import Any, Final

from capture.frame import Frame
from capture.light.timeline import Label, LabelKind
from facelight.service.errors import Refusal, Refused, timed_out
from facelight.service.judging.decode import MediaFile, decode_frames, open_file
from facelight.service.judging.focus import FocusFace
from facelight.service.options import MODEL_VERSION, Limits, Shape
from facelight.service.parse import Upload
from facelight.service.wire import ImageEntry, Payload, read_metadata
from preprocess.face.face import Face, Rect
from preprocess.face.pose import Intrinsics, pose_from_landmarks
from preprocess.gate.gate import judge as judge_frame
from preprocess.gate.thresholds import Thresholds
from preprocess.light.agreement import KNOWN_COLOURS, agreement
from preprocess.light.samples import CROP_OPTIONS, ChromaSample, sample_light
from preprocess.measures.measurer import Measurer
from preprocess.measures.measures import Measures
from preprocess.reasons import Reason

SERVICE_THRESHOLDS: Final = Thresholds(
    face_side_drop_px=120.0,
    ied_drop_px=45.0,
    blur_drop_pct=1.9,
    over_grey_drop=0.04,
    over_two_drop=0.05,
    over_any_drop=0.4,
    highlight_drop_codes=240.0,
    frame_bright_drop_codes=112.0,
    yaw_drop_deg=28.0,
    pitch_drop_deg=28.0,
    roll_drop_deg=28.0,
)
"""The gate's drop levels with the slack that compression and a second tracker need: what the
client's gate lets through at its own level must not come back as a 400."""

ENOUGH: Final = 0.5
"""Share of the frames that must show the face, and of those that must show it well."""

REFUSAL_OF_REASON: Final[Mapping[Reason, Refusal]] = {
    Reason.OVER_EXPOSED: Refusal.OVER_EXPOSED,
    Reason.UNDER_EXPOSED: Refusal.UNDER_EXPOSED,
    Reason.BACKLIT: Refusal.UNDER_EXPOSED,
    Reason.BLURRED: Refusal.BLURRED,
    Reason.NOT_FRONTAL: Refusal.NOT_FRONTAL,
}
"""What the service says of a face that it found; over-exposure is asked first, as clipping takes
contrast away. The gate's other reasons are kiosk manners of which the contract knows nothing."""

DECISIONS: Final[Mapping[str, str]] = {
    "ok": "realface",
    "weak": "realface",
    "mismatch": "spoofface",
}
"""Decision of an agreement's state; every other state is ``uncertain``."""

UNCERTAIN: Final = "uncertain"


@dataclass(frozen=True, slots=True)
class Observation:
    """What one frame shows; the pixels are gone."""

    entry: ImageEntry
    offset_ms: int
    rectangle: Rect | None
    measures: Measures
    reason: Reason | None
    sample: ChromaSample | None

    @property
    def found(self) -> bool:
        """Whether the focus face is there and large enough to be detected."""
        return self.rectangle is not None


@dataclass(frozen=True, slots=True)
class Judgement:
    """A decision and the frame that it is reported on."""

    decision: str
    target: Rect
    file_name: str
    frame_number: int
    offset_ms: int
    image_type: str

    def wire(self, shape: Shape) -> dict[str, Any]:
        """Return the 200's body in either documented shape."""
        rectangle = {
            "top": self.target.top,
            "left": self.target.left,
            "width": self.target.width,
            "height": self.target.height,
        }
        if shape is Shape.FLAT:
            return {
                "livenessDecision": self.decision,
                "targetFaceRectangle": rectangle,
                "targetFileName": self.file_name,
                "targetFrameNumber": self.frame_number,
                "modelVersionUsed": MODEL_VERSION,
            }
        return {
            "livenessDecision": self.decision,
            "target": {
                "faceRectangle": rectangle,
                "fileName": self.file_name,
                "timeOffsetWithinFile": self.offset_ms,
                "imageType": self.image_type,
            },
            "modelVersionUsed": MODEL_VERSION,
        }


def judge(
    upload: Upload, limits: Limits, given_up: Callable[[], bool] = lambda: False
) -> Judgement:
    """Judge one request; blocks for seconds, to be called on a worker thread.

    Parameters
    ----------
    given_up : asked at every frame; True ends the work.

    Raises
    ------
    Refused
        one of the contract's messages 2 and 4 to 14, for its real cause.
    ApiError
        408 when it takes too long, or is given up.
    """
    payload = read_metadata(upload.metadata, limits.max_entries)
    files = _open_files(payload, upload, limits)
    for index, entry in enumerate(payload.imageData):
        _check_geometry(index, entry, files[entry.fileName])
    deadline_s = time.monotonic() + limits.judge_timeout_s
    observations: list[Observation] = []
    for observation in _observe(payload, files):
        if time.monotonic() > deadline_s or given_up():
            raise timed_out(f"judged {len(observations)} frames in {limits.judge_timeout_s} s")
        observations.append(observation)
    _check_faces(observations)
    good = _good_frames(observations)
    best = min(good, key=_blur)
    return Judgement(
        decision=_decide(good),
        target=_target(best),
        file_name=best.entry.fileName,
        frame_number=best.entry.frameNumber,
        offset_ms=best.offset_ms,
        image_type=payload.image_type,
    )


def _open_files(payload: Payload, upload: Upload, limits: Limits) -> dict[str, MediaFile]:
    """Open the named files in the order in which the metadata first names them."""
    files: dict[str, MediaFile] = {}
    for entry in payload.imageData:
        if entry.fileName in files:
            continue
        part = upload.contents.get(entry.fileName)
        if part is None:
            raise Refused(Refusal.FILE_NOT_FOUND, f"{entry.fileName}: no such Content part")
        files[entry.fileName] = open_file(entry.fileName, bytes(part.data), part.size, limits)
    return files


def _check_geometry(index: int, entry: ImageEntry, file: MediaFile) -> None:
    width, height = file.size_wh
    box = target_rectangle(entry)
    if box is not None and not (
        0 <= box.left < box.right <= width and 0 <= box.top < box.bottom <= height
    ):
        raise Refused(
            Refusal.RECTANGLE_OUTSIDE,
            f"imageData[{index}].targetFaceRectangle: {tuple(box)} in {width}x{height} px",
        )
    crop = entry.imageCropOffsets
    if crop is not None and not (
        0 <= crop.cropOffsetX <= crop.fullFrameImageWidth - width
        and 0 <= crop.cropOffsetY <= crop.fullFrameImageHeight - height
    ):
        raise Refused(
            Refusal.RECTANGLE_OUTSIDE,
            f"imageData[{index}].imageCropOffsets: the {width}x{height} px image leaves the frame",
        )


def target_rectangle(entry: ImageEntry) -> Rect | None:
    """Return the entry's rectangle as a ``Rect``."""
    box = entry.targetFaceRectangle
    return None if box is None else Rect(box.left, box.top, box.width, box.height)


def _observe(payload: Payload, files: Mapping[str, MediaFile]) -> Iterator[Observation]:
    """Walk the frames file by file, each decoded once and let go of."""
    order = {name: place for place, name in enumerate(files)}
    entries = sorted(payload.imageData, key=lambda e: order[e.fileName])
    targets = [box for e in entries if (box := target_rectangle(e)) is not None]
    measurer = Measurer()
    last_ns = -1
    seq = 0
    with FocusFace(targets[0] if len(targets) == 1 else None) as focus:
        for name, group in groupby(entries, key=attrgetter("fileName")):
            wanted = list(group)
            file = files[name]
            numbers = [entry.frameNumber for entry in wanted]
            for entry, pixels in zip(wanted, decode_frames(file, numbers), strict=True):
                last_ns = max(last_ns + 1, entry.imageCreationTimeInMilliSeconds * 1_000_000)
                frame = Frame(seq, last_ns, last_ns, pixels)
                face = focus.find(frame, target_rectangle(entry))
                offset_ms = file.offsets_ms[entry.frameNumber]
                yield _observation(frame, face, entry, offset_ms, measurer)
                seq += 1


def _observation(
    frame: Frame, face: Face | None, entry: ImageEntry, offset_ms: int, measurer: Measurer
) -> Observation:
    lit = KNOWN_COLOURS.get((entry.colour or "").strip().lower())
    label = Label(LabelKind.CLEAN, entry.colour, lit) if entry.colour else None
    if face is not None:
        face = replace(face, pose=_pose(face, entry, frame.size_wh))
    measures = measurer.measure(frame, face, lit)
    reasons = judge_frame(measures, label, SERVICE_THRESHOLDS).reasons
    detected = face is not None and not {Reason.FACE_TOO_SMALL, Reason.NO_FACE} & set(reasons)
    return Observation(
        entry=entry,
        offset_ms=offset_ms,
        rectangle=face.rectangle if face is not None and detected else None,
        measures=measures,
        reason=next((r for r in REFUSAL_OF_REASON if r in reasons), None),
        sample=None
        if face is None
        else sample_light(frame.pixels, face, frame.t_frame_ns, CROP_OPTIONS),
    )


def _pose(face: Face, entry: ImageEntry, size_wh: tuple[int, int]) -> Any:
    """Pose towards the camera, whose axis a crop does not have in its middle."""
    crop = entry.imageCropOffsets
    if crop is None:
        return pose_from_landmarks(face.landmarks_px, size_wh)
    whole = Intrinsics.guess((crop.fullFrameImageWidth, crop.fullFrameImageHeight))
    camera = Intrinsics(
        whole.fx_px, whole.fy_px, whole.cx_px - crop.cropOffsetX, whole.cy_px - crop.cropOffsetY
    )
    return pose_from_landmarks(face.landmarks_px, size_wh, camera)


def _check_faces(observations: list[Observation]) -> None:
    targeted = [o for o in observations if o.entry.targetFaceRectangle is not None]
    if targeted and not any(o.found for o in targeted):
        raise Refused(
            Refusal.FACE_NOT_IN_RECTANGLE, f"none of {len(targeted)} rectangles holds a face"
        )
    found = sum(o.found for o in observations)
    if found < _enough(len(observations)):
        raise Refused(Refusal.TOO_FEW_FACES, f"face in {found} of {len(observations)} frames")


def _good_frames(observations: list[Observation]) -> list[Observation]:
    found = [o for o in observations if o.found]
    good = [o for o in found if o.reason is None]
    if len(good) >= _enough(len(found)):
        return good
    counts = Counter(o.reason for o in found if o.reason is not None)
    worst = max(REFUSAL_OF_REASON, key=lambda reason: counts[reason])
    raise Refused(REFUSAL_OF_REASON[worst], f"{counts[worst]} of {len(found)} frames with a face")


def _enough(frames: int) -> int:
    return max(1, math.ceil(ENOUGH * frames))


def _decide(good: list[Observation]) -> str:
    lit = [(o.sample, o.entry.colour) for o in good if o.sample is not None and o.entry.colour]
    if not lit:
        return UNCERTAIN
    samples = [sample for sample, _ in lit]
    colours = [colour for _, colour in lit]
    return DECISIONS.get(agreement(samples, colours).state, UNCERTAIN)


def _blur(observation: Observation) -> float:
    blur = observation.measures.blur_pct
    return blur if math.isfinite(blur) else math.inf


def _target(best: Observation) -> Rect:
    """Return the rectangle that the client gave for the frame, else where the face was found."""
    given = target_rectangle(best.entry)
    if given is not None:
        return given
    if best.rectangle is None:
        raise AssertionError("a good frame has a face")
    return best.rectangle
