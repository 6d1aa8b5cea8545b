"""What the benches work on: real footage where it is beside the checkout, else simulated."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import av
import cv2
import numpy as np

from capture.files.recording import RecordingHead, RecordingWriter
from capture.frame import ImageU8
from capture.light.plan import make_plan
from capture.simulator.planned_session import simulate
from capture.simulator.sim_spec import parse_spec

VIDEOS: Final = Path(__file__).parents[2] / "shared/data/videos"
LIVE: Final = VIDEOS / "d13.mp4"
"""A person who talks to the camera, 720x1280."""

SIMULATED: Final = 2


def recordings(folder: Path) -> tuple[list[Path], str]:
    """Return inputs of ``process``, in ``folder`` if they are simulated, and what they are."""
    real = sorted([*VIDEOS.glob("*.mkv"), *VIDEOS.glob("*.mp4")])
    if real:
        names = ", ".join(f"{path.name} ({count_of(path)} frames)" for path in real)
        return real, f"real footage, {len(real)} videos at 720p: {names}"
    made = []
    for seed in range(SIMULATED):
        session = simulate(make_plan(seed=seed), parse_spec(f"sim:size=1280x720,seed={seed}"))
        path = folder / f"simulated{seed}.flrec"
        head = RecordingHead(f"bench-{seed}", session.camera.info)
        with RecordingWriter(path, head) as writer:
            while (frame := session.camera.read()) is not None:
                writer.write(frame)
            writer.finish(session.timeline)
        made.append(path)
    return made, f"{SIMULATED} simulated sessions at 720p"


def people(size_wh: tuple[int, int], count: int) -> tuple[list[ImageU8], str]:
    """Return consecutive frames of a person, (H, W, 3) uint8 BGR, and what they are."""
    if LIVE.is_file():
        frames, told = frames_of(LIVE)[:count], f"real footage: {LIVE.name}"
    else:
        session = simulate(make_plan(seed=0), parse_spec("sim:size=1280x720"))
        frames, told = [], "simulated"
        while len(frames) < count and (frame := session.camera.read()) is not None:
            frames.append(frame.pixels)
    return [_fitted(frame, size_wh) for frame in frames], told


def frames_of(path: Path) -> list[ImageU8]:
    """Return all frames of a video, (H, W, 3) uint8 BGR."""
    with av.open(str(path)) as container:
        return [
            np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)
            for frame in container.decode(video=0)
        ]


def count_of(path: Path) -> int:
    """Return how many frames a video has."""
    with av.open(str(path)) as container:
        return sum(packet.size > 0 for packet in container.demux(video=0))


def _fitted(frame: ImageU8, size_wh: tuple[int, int]) -> ImageU8:
    """Bring a frame to a height; what lacks at the sides is its edge with a camera's noise."""
    width = round(frame.shape[1] * size_wh[1] / frame.shape[0])
    scaled = cv2.resize(frame, (width, size_wh[1]), interpolation=cv2.INTER_CUBIC)
    lack = size_wh[0] - width
    wide = cv2.copyMakeBorder(scaled, 0, 0, lack // 2, lack - lack // 2, cv2.BORDER_REPLICATE)
    noise = np.random.default_rng(0).normal(0, 2, wide.shape)
    noise[:, lack // 2 : lack // 2 + width] = 0
    return np.asarray(np.clip(wide + noise, 0, 255), np.uint8)
