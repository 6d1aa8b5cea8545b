"""Candidates and crops that the clip tests are made of."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from capture.frame import ImageU8
from preprocess.clip.clip import Candidate, CropOffset
from preprocess.face.face import Rect

FRAME_NS = 33_333_333


def candidate(
    seq: int,
    colour: str | None = None,
    badness: float = 1.0,
    t_ns: int | None = None,
) -> Candidate:
    t_frame_ns = seq * FRAME_NS if t_ns is None else t_ns
    return Candidate(
        seq, t_frame_ns, colour, Rect(4, 4, 8, 8), CropOffset(6, 8, 1920, 1080), badness
    )


def noisy(seed: int, width: int = 96, height: int = 80, sd: float = 6.0) -> ImageU8:
    """A smooth picture with camera noise: compresses like footage, not like a test card."""
    generator = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:height, 0:width]
    smooth = 128 + 60 * np.sin(columns / 17 + seed) + 40 * np.cos(rows / 11)
    picture = smooth[:, :, None] + generator.normal(0, sd, (height, width, 3))
    codes: ImageU8 = np.clip(picture, 0, 255).round().astype(np.uint8)
    return codes


def flat(level: int, width: int = 96, height: int = 80) -> ImageU8:
    return np.full((height, width, 3), level, np.uint8)


def psnr_db(a: ImageU8, b: ImageU8) -> float:
    error = np.mean((a.astype(np.float64) - b.astype(np.float64)) ** 2)
    return float(10 * np.log10(255**2 / max(error, 1e-9)))


def decoded(content: bytes) -> list[ImageU8]:
    """All frames of a file as Pillow shows them, BGR."""
    picture = Image.open(io.BytesIO(content))
    frames = []
    for index in range(getattr(picture, "n_frames", 1)):
        picture.seek(index)
        frames.append(np.asarray(picture.convert("RGB"))[:, :, ::-1])
    return frames
