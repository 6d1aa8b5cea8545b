"""``facelight process`` beside the script that one would write with the same libraries.

The script below decodes with OpenCV, finds the face with FaceMesh, cuts it out, drops blurred
frames by the variance of the Laplacian, and saves an animated WebP by Pillow at method 4 and
quality 85. It labels no light, checks no pose, exposure, motion, eyes or second face, and does not
look at the size of what it writes.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import mediapipe as mp
from PIL import Image

from bench.figures import Figure, Section, markdown, spread
from bench.footage import recordings
from facelight.batch.job import Job
from facelight.batch.pool.job_attempt import attempt
from facelight.batch.pool.pool import WorkerOptions, WorkerPool, usable_cores
from facelight.config.settings import Settings
from preprocess.clip.clip_options import ClipOptions

ROUNDS = 3
COPIES = 2
"""Each recording comes so often in a round: with two, both cores have work to the end."""

LAPLACIAN_LEAST = 20.0


def script(path: Path, out: Path, frames: int, size_wh: tuple[int, int]) -> int:
    """Do what one would write; return the frames of the file, at most ``frames``."""
    capture = cv2.VideoCapture(str(path))
    mesh = mp.solutions.face_mesh.FaceMesh(max_num_faces=1)
    crops: list[Image.Image] = []
    while True:
        found, frame = capture.read()
        if not found:
            break
        height, width = frame.shape[:2]
        faces = mesh.process(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)).multi_face_landmarks
        if not faces:
            continue
        x = [point.x * width for point in faces[0].landmark]
        y = [point.y * height for point in faces[0].landmark]
        left = int(min(max((min(x) + max(x) - size_wh[0]) / 2, 0), width - size_wh[0]))
        top = int(min(max((min(y) + max(y) - size_wh[1]) / 2, 0), height - size_wh[1]))
        crop = frame[top : top + size_wh[1], left : left + size_wh[0]]
        grey = cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY)
        if cv2.Laplacian(grey, cv2.CV_64F).var() < LAPLACIAN_LEAST or len(crops) >= frames:
            continue
        crops.append(Image.fromarray(cv2.cvtColor(crop, cv2.COLOR_BGR2RGB)))
    mesh.close()
    capture.release()
    crops[0].save(
        out, save_all=True, append_images=crops[1:], duration=33, quality=85, method=4, loop=0
    )
    return len(crops)


def run() -> Section:
    """Measure both in turns: with the clip of our defaults, and with every frame that is good."""
    with tempfile.TemporaryDirectory(prefix="facelight-bench-") as name:
        folder = Path(name)
        inputs, told = recordings(folder)
        every = replace(ClipOptions(), frames_per_colour=500, max_frames=1000, quality_min=1)
        few, ratio, single = _compared("45 frames a clip, our default", inputs, Settings(), folder)
        all_, whole, _ = _compared("every good frame", inputs, Settings(clip=every), folder)
    body = (
        f"{told}; {ROUNDS} rounds in turns, start-up left out. `process` has all measures, labels"
        " and checks on and writes its tables and its report as well; the script puts as many"
        " frames of the same size into its file.\n\n" + f"{few}\n\n{all_}"
    )
    return Section(
        body,
        (
            Figure("times as fast as the script, 45 frames", ratio, ">= 3.5"),
            Figure("the same on one core", single, ">= 1.8"),
            Figure("times as fast as the script, every good frame", whole, ">= 2.5"),
        ),
    )


def _compared(
    name: str, inputs: Sequence[Path], settings: Settings, folder: Path
) -> tuple[str, float, float]:
    """Return a table, and how much faster ``process`` is on all cores, and on one."""
    clips = {path: _clip_of(path, settings, folder) for path in inputs}
    whole, alone, free, theirs = [], [], [], []
    made = 0
    with WorkerPool(WorkerOptions(workers=usable_cores()), folder) as workers:
        _batch(workers, [inputs[0]] * usable_cores(), settings, folder)  # models are loaded
        for _ in range(ROUNDS):
            start = time.perf_counter()
            _batch(workers, [*inputs] * COPIES, settings, folder)
            whole.append((time.perf_counter() - start) / COPIES)
            start = time.perf_counter()
            for path in inputs:
                attempt(_job(path, folder, 0), settings, folder)
            alone.append(time.perf_counter() - start)
            start = time.perf_counter()
            for path in inputs:
                attempt(replace(_job(path, folder, 0), cores=usable_cores()), settings, folder)
            free.append(time.perf_counter() - start)
            start = time.perf_counter()
            for path, (frames, size_wh) in clips.items():
                made += script(path, folder / "naive.webp", frames, size_wh)
            theirs.append(time.perf_counter() - start)
    frames = sum(count for count, _ in clips.values())
    head = f"{name}: {frames} frames by `process`, {made / ROUNDS:.0f} by the script"
    rows = [
        (f"`process`, {usable_cores()} workers", spread(whole, 2), _times(theirs, whole)),
        ("`process`, one worker on one core", spread(alone, 2), _times(theirs, alone)),
        ("`process`, one input with the machine to itself", spread(free, 2), _times(theirs, free)),
        ("the script", spread(theirs, 2), "1.00"),
    ]
    table = markdown((head, "s, median (5 % to 95 %)", "times as fast as the script"), rows)
    middle = statistics.median(theirs)
    return table, middle / statistics.median(whole), middle / statistics.median(alone)


def _times(theirs: Sequence[float], ours: Sequence[float]) -> str:
    return f"{statistics.median(theirs) / statistics.median(ours):.2f}"


def _job(path: Path, folder: Path, place: int) -> Job:
    return Job(str(path), f"{path.stem}-{place}", folder / "out", place=place)


def _batch(workers: WorkerPool, inputs: Sequence[Path], settings: Settings, folder: Path) -> None:
    jobs = [_job(path, folder, place) for place, path in enumerate(inputs)]
    for finished in workers.run(jobs, settings):
        if finished.result is None or finished.result.status != "accepted":
            raise RuntimeError(f"{finished.job.input} was not accepted: {finished.result}")


def _clip_of(path: Path, settings: Settings, folder: Path) -> tuple[int, tuple[int, int]]:
    """Return how many frames of which size `process` submits, and load its models."""
    job = _job(path, folder, 0)
    found = attempt(job, settings, folder)
    if found is None or found.status != "accepted":
        raise RuntimeError(f"{path} was not accepted: {found}")
    with Image.open(job.target / "video.webp") as picture:
        return int(getattr(picture, "n_frames", 1)), picture.size
