"""Cost of the measures and of the tracker on one core, and what the plain videos get."""

from __future__ import annotations

import time
from pathlib import Path

import av
import cv2
import numpy as np

from bench.figures import Figure
from capture.frame import Frame, ImageU8
from preprocess.face.face import Face
from preprocess.gate.gate import judge
from preprocess.gate.thresholds import Thresholds
from preprocess.measures.measurer import Measurer
from preprocess.tracking.facemesh.facemesh import FaceMeshTracker

FRAME_NS = 33_333_333
REPEATS = 60


def run(data: Path) -> list[Figure]:
    """Return the figures; times are CPU times of one thread, the lower quartile of the frames."""
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        photo = cv2.imread(str(data / "portraits" / "obama-1080p.jpg"))
        figures = [
            Figure("all measures of a 1920x1080 frame", _measuring(_pixels(photo)), "<= 8", "ms"),
            Figure("the same, face of 268 px between the eyes", _close_up(data), "<= 8", "ms"),
        ]
    finally:
        cv2.setNumThreads(threads)
    for path in sorted((data / "videos").glob("*.mp4")):
        figures += _video(path)
    return figures


def _close_up(data: Path) -> float:
    photo = _pixels(cv2.imread(str(data / "portraits" / "p7.jpg")))
    return _measuring(np.ascontiguousarray(photo[400:1480]))


def _measuring(pixels: ImageU8) -> float:
    with FaceMeshTracker() as tracker:
        face = tracker.track(Frame(0, 0, 0, pixels))
    if face is None:
        raise ValueError("no face to measure")
    measurer, times = Measurer(), []
    for seq in range(REPEATS):
        start = time.thread_time()
        measurer.measure(Frame(seq, seq * FRAME_NS, seq * FRAME_NS, pixels), face)
        times.append(time.thread_time() - start)
    return float(np.quantile(times, 0.25)) * 1e3


def _video(path: Path) -> list[Figure]:
    times, accepted, measurer = [], [], Measurer()
    face: Face | None
    with av.open(str(path)) as container, FaceMeshTracker() as tracker:
        for seq, image in enumerate(container.decode(video=0)):
            pixels = np.asarray(image.to_ndarray(format="bgr24"), dtype=np.uint8)
            frame = Frame(seq, seq * FRAME_NS, seq * FRAME_NS, pixels)
            start = time.perf_counter()
            face = tracker.track(frame)
            times.append(time.perf_counter() - start)
            row = measurer.measure(frame, face)
            accepted.append(judge(row, None, Thresholds()).accepted)
    return [
        Figure(f"{path.name}: tracking a frame, lower quartile", _quartile_ms(times), "", "ms"),
        Figure(f"{path.name}: frames accepted", float(np.mean(accepted)), "> 0.5"),
    ]


def _quartile_ms(times: list[float]) -> float:
    return float(np.quantile(times, 0.25)) * 1e3


def _pixels(picture: object) -> ImageU8:
    if not isinstance(picture, np.ndarray):
        raise ValueError("a portrait cannot be read")
    return np.asarray(picture, dtype=np.uint8)
