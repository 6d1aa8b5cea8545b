"""Blur: rising with defocus, blind to gain, noise and JPEG, awake to motion in every direction."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import cv2
import numpy as np

from bench.figures import Figure
from bench.quality import material
from bench.quality.material import Sample
from capture.frame import ImageU8
from preprocess.gate.gate import judge
from preprocess.gate.thresholds import Thresholds
from preprocess.measures.patch import face_patch
from preprocess.reasons import Reason

SIGMAS_PCT = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0)
ANGLES_DEG = (0, 22.5, 45, 67.5, 90, 112.5, 135, 157.5)
MOTION_PCT = 6.0


def run(data: Path) -> list[Figure]:
    """Return the figures on the portraits and on frames of the videos."""
    samples = faces(data)
    good = [s.measure().blur_pct for s in samples]
    return [
        Figure("pictures (portraits at several sizes, mirrored, video frames)", len(samples)),
        Figure("blur of a good picture, median", float(np.median(good)), "", "% IED"),
        Figure("false rejects", float(np.mean([rejected(s) for s in samples])), "<= 0.02"),
        *_defocus(samples),
        *_motion(samples),
        *_invariance(samples, good),
        *_negative_control(samples),
    ]


def faces(data: Path, every: int = 47) -> list[Sample]:
    """Return the portraits at their own and at usual sizes, both ways round, and video frames."""
    samples = []
    for whole in material.portraits(data):
        sizes = [whole] + [material.scaled(whole, s) for s in (80, 100, 140) if s < whole.ied_px]
        samples += [*sizes, material.mirrored(sizes[-1])]
    return samples + list(material.video_frames(every, data))


def rejected(sample: Sample, pixels: ImageU8 | None = None) -> bool:
    """Return whether the gate calls the picture blurred."""
    return Reason.BLURRED in judge(sample.measure(pixels), None, Thresholds()).reasons


def rising(sample: Sample) -> bool:
    """Return whether the blur strictly rises with the defocus."""
    blurs = [sample.measure(material.defocused(sample, s)).blur_pct for s in SIGMAS_PCT]
    return bool((np.diff(blurs) > 0).all())


def _defocus(samples: list[Sample]) -> list[Figure]:
    found = [rejected(s, material.defocused(s, 2.0)) for s in samples]
    noisy = [rejected(s, material.noisy(material.defocused(s, 2.0), 5)) for s in samples]
    return [
        Figure(
            "strictly rising with 0 .5 1 1.5 2 3 % defocus",
            _mean(rising(s) for s in samples),
            ">= 1",
        ),
        Figure("defocus of 2 % IED found", _mean(found), ">= 0.98"),
        Figure("the same under noise of sd 5", _mean(noisy)),
    ]


def _motion(samples: list[Sample]) -> list[Figure]:
    figures = []
    for angle in ANGLES_DEG:
        found = [rejected(s, material.smeared(s, MOTION_PCT, angle)) for s in samples]
        figures.append(
            Figure(f"motion of 6 % IED at {angle:g} degrees found", _mean(found), ">= 0.9")
        )
    return figures


def _invariance(samples: list[Sample], good: list[float]) -> list[Figure]:
    changes: dict[str, Callable[[material.Sample], ImageU8]] = {
        "light x.25": lambda s: material.gained(s.pixels, 0.25),
        "noise sd 5": lambda s: material.noisy(s.pixels, 5),
        "JPEG 30": lambda s: material.recompressed(s.pixels, 30),
    }
    figures = []
    for name, change in changes.items():
        ratio = [s.measure(change(s)).blur_pct / b - 1 for s, b in zip(samples, good, strict=True)]
        median = abs(float(np.median(ratio)))
        figures.append(Figure(f"change of the median by {name}", median, "<= 0.05"))
    return figures


def _negative_control(samples: list[Sample]) -> list[Figure]:
    """Return what variance of the Laplacian below 100 makes of the same pictures."""
    sharp = [not _laplacian_blurred(s, s.pixels) for s in samples]
    noisy = [
        not _laplacian_blurred(s, material.noisy(material.defocused(s, 3.0), 10)) for s in samples
    ]
    dark = [not _laplacian_blurred(s, material.exposed(s.pixels, -2)) for s in samples]
    return [
        Figure("negative control (var Laplacian < 100): good pictures passed", _mean(sharp)),
        Figure("negative control: at -2 EV passed", _mean(dark)),
        Figure("negative control: defocus of 3 % with noise passed", _mean(noisy)),
    ]


def _laplacian_blurred(sample: Sample, pixels: ImageU8) -> bool:
    patch = face_patch(pixels, sample.face.landmarks_px)
    return bool(np.asarray(cv2.Laplacian(patch.grey_codes, cv2.CV_64F))[patch.core].var() < 100)


def _mean(values: Iterable[bool]) -> float:
    return float(np.mean(list(values)))
