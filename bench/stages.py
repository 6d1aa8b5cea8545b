"""Where each millisecond goes: every stage of a frame, beside the bare cost of its library."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Sequence
from typing import ParamSpec, TypeVar

import cv2
import mediapipe as mp
import numpy as np
from PIL import Image

from bench.figures import Section, markdown, spread
from bench.footage import people
from capture.clock import VirtualClock
from capture.frame import Frame, ImageU8
from capture.live.reading.jpeg import JpegDecoder
from capture.simulator.camera.simulated_camera import SimulatedCamera
from capture.simulator.scene.simulated_screen import FlipHistory
from capture.simulator.sim_spec import parse_spec
from preprocess.clip.clip import CropOffset
from preprocess.clip.crop import CropFollower, CropOptions, window_for
from preprocess.face.face import Face
from preprocess.gate.gate import judge
from preprocess.gate.thresholds import Thresholds
from preprocess.light.samples import sample_light
from preprocess.measures.measurer import Measurer
from preprocess.tracking.facemesh.facemesh import FaceMeshTracker
from preprocess.webp.muxer import mux
from preprocess.webp.stills import encode_still

FRAMES = 120
WARM_UP = 10
FRAME_NS = 33_333_333
QUALITY, METHOD = 90, 2

P = ParamSpec("P")
T = TypeVar("T")


class Stages:
    """Times of named stages, ms, in the order in which they were first seen."""

    def __init__(self) -> None:
        self.ms: dict[str, list[float]] = {}

    def time(self, name: str, work: Callable[P, T], *args: P.args, **more: P.kwargs) -> T:
        """Do it, note how long it took, return what it returned."""
        start = time.perf_counter()
        found = work(*args, **more)
        self.ms.setdefault(name, []).append((time.perf_counter() - start) * 1e3)
        return found


def run() -> Section:
    """Measure 720p and 1080p frames of the same person."""
    columns, names, told = [], list[str](), ""
    for size_wh in ((1280, 720), (1920, 1080)):
        frames, told = people(size_wh, FRAMES)
        stages, crop_wh = _measured(frames)
        names = [*stages.ms]
        columns.append((size_wh, crop_wh, stages))
    head = ["stage, ms: median (5 % to 95 %)"]
    head += [f"{size[0]}x{size[1]}, crop {crop[0]}x{crop[1]}" for size, crop, _ in columns]
    rows = [(name, *(spread(found.ms[name], 2) for _, _, found in columns)) for name in names]
    body = f"{told}; {FRAMES - WARM_UP} frames one after the other, in one thread; bare library"
    body += " calls in italics.\n\n" + markdown(head, rows)
    return Section(body)


def _measured(frames: Sequence[ImageU8]) -> tuple[Stages, tuple[int, int]]:
    size_wh = frames[0].shape[1], frames[0].shape[0]
    jpegs = [cv2.imencode(".jpg", f, [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes() for f in frames]
    decoder, measurer, thresholds = JpegDecoder(), Measurer(), Thresholds()
    mesh = mp.solutions.face_mesh.FaceMesh(max_num_faces=1, refine_landmarks=True)
    stages, stills = Stages(), []
    with FaceMeshTracker() as tracker:
        first = _face(tracker, Frame(0, 1, 1, frames[0]))
        window = window_for([first], size_wh, CropOptions())
        follower = CropFollower(window, CropOptions())
        for seq, jpeg in enumerate(jpegs, start=1):
            if seq == WARM_UP + 1:
                stages = Stages()
            pixels = stages.time("decode MJPEG", decoder.decode, jpeg)
            stages.time("*cv2.imdecode*", _imdecoded, jpeg)
            frame = Frame(seq, seq * FRAME_NS, seq * FRAME_NS, pixels)
            face = stages.time("track: mesh, detector every 10th, pose", tracker.track, frame)
            rgb = cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)
            stages.time("*FaceMesh of mediapipe.solutions*", mesh.process, rgb)
            if face is None:
                raise RuntimeError(f"frame {seq}: no face")
            measures = stages.time("all measures", measurer.measure, frame, face)
            stages.time("gate", judge, measures, None, thresholds)
            stages.time("light of face and background", sample_light, pixels, face, 1)
            place = follower.place(face.rectangle) or CropOffset(0, 0, *size_wh)
            crop = pixels[
                place.y_px : place.y_px + window.height_px,
                place.x_px : place.x_px + window.width_px,
            ]
            copied = stages.time("copy of the crop", crop.copy)
            name = "still: WebP, quality 90, method 2 (in threads beside)"
            stills.append(stages.time(name, encode_still, copied, QUALITY, METHOD))
            stages.time("*libwebp by Pillow, the same*", _saved, copied)
    mesh.close()
    camera = _simulated(size_wh)
    for _ in range(FRAMES - WARM_UP):
        stages.time("render of a simulated frame, `sim:`", camera.read)
    for _ in range(FRAMES - WARM_UP):
        stages.time("mux of 45 stills, once a session", mux, stills[:45], [33] * 45)
    return stages, (window.width_px, window.height_px)


def _simulated(size_wh: tuple[int, int]) -> SimulatedCamera:
    """Return a warm camera before the default person; on a virtual clock it never waits."""
    options = parse_spec(f"sim:size={size_wh[0]}x{size_wh[1]}")
    camera = SimulatedCamera(options, VirtualClock(), FlipHistory())
    for _ in range(WARM_UP):
        camera.read()
    return camera


def _face(tracker: FaceMeshTracker, frame: Frame) -> Face:
    face = tracker.track(frame)
    if face is None:
        raise RuntimeError("no face in the first frame")
    return face


def _imdecoded(jpeg: bytes) -> object:
    return cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)


def _saved(crop: ImageU8) -> bytes:
    buffer = io.BytesIO()
    picture = Image.fromarray(cv2.cvtColor(crop, cv2.COLOR_BGR2RGB))
    picture.save(buffer, "WEBP", quality=QUALITY, method=METHOD)
    return buffer.getvalue()
