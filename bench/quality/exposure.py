"""Exposure: what is too dark or too bright is turned away, skin of any tone is not."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.figures import Figure
from bench.quality import material
from bench.quality.material import Sample
from capture.frame import ImageU8
from preprocess.gate.gate import judge
from preprocess.gate.thresholds import Thresholds
from preprocess.measures.exposure import cheeks
from preprocess.measures.patch import face_patch
from preprocess.reasons import Reason

STOPS = (-4, -3, -2, -1, 0, 1, 2, 3)
EXPOSURE = {Reason.OVER_EXPOSED, Reason.UNDER_EXPOSED}
FLASH_RATIO = 1.6
"""Light of a red screen over the ambient light: far more than a kiosk has."""


def run(data: Path) -> list[Figure]:
    """Return the figures on the portraits and on frames of the videos."""
    samples = faces(data)
    table = {
        stops: [s.measure(material.exposed(s.pixels, stops)) for s in samples] for stops in STOPS
    }
    verdicts = {
        stops: [EXPOSURE & set(judge(m, None, Thresholds()).reasons) for m in rows]
        for stops, rows in table.items()
    }
    contrast = np.array([[m.contrast_codes for m in table[stops]] for stops in STOPS if stops <= 0])
    tones = np.array([ita_deg(s) for s in samples])
    dark = tones <= np.quantile(tones, 0.25)
    people = [i for i, s in enumerate(samples) if "@" not in s.name and "#" not in s.name]
    wrong = np.array([bool(v) for v in verdicts[0]])
    targets = {-3: ">= 0.85", 0: "<= 0.02", 1: ">= 0.9"}
    return [
        Figure("pictures", len(samples)),
        *(
            Figure(f"rejected at {stops:+d} EV", _share(verdicts[stops]), targets.get(stops, ""))
            for stops in STOPS
        ),
        Figure("rejected at 0 EV, darkest skin quartile", float(wrong[dark].mean()), "<= 0.02"),
        Figure("contrast falls with every stop below 0", _falling(contrast), ">= 1"),
        Figure(
            "rank correlation of contrast with skin tone (ITA)",
            abs(_spearman(tones[people], contrast[-1][people])),
            "<= 0.2",
        ),
        *_flash(samples),
    ]


def faces(data: Path) -> list[Sample]:
    """Return the portraits, at their own size and at 100 px, and video frames."""
    samples = []
    for whole in material.portraits(data):
        samples.append(whole)
        if whole.ied_px > 110:
            samples.append(material.scaled(whole, 100))
    return samples + list(material.video_frames(97, data))


def ita_deg(sample: Sample) -> float:
    """Return the individual typology angle of the cheeks, atan2(L* - 50, b*): small is dark.

    An offline covariate only: of a photo, not of a person, for light and skin cannot be told apart.
    """
    patch = face_patch(sample.pixels, sample.face.landmarks_px)
    lab = cv2.cvtColor(patch.bgr.astype(np.float32) / 255, cv2.COLOR_BGR2LAB)
    skin = np.concatenate([lab.reshape(-1, 3)[cheek] for cheek in cheeks(patch)])
    lightness, _, yellow = np.median(skin, axis=0)
    return math.degrees(math.atan2(lightness - 50, yellow))


def _flash(samples: list[Sample]) -> list[Figure]:
    """Light the faces red: channels clip, luminance hides it."""
    lit = [s.measure(_red(s.pixels)) for s in samples]
    any_channel = [m.over_any_share > Thresholds().over_any_drop for m in lit]
    luminance = [m.over_grey_share > Thresholds().over_grey_drop for m in lit]
    return [
        Figure("red flash of 1.6 x ambient: caught in the channels", float(np.mean(any_channel))),
        Figure(
            "red flash of 1.6 x ambient: seen in luminance", float(np.mean(luminance)), "<= 0.1"
        ),
    ]


def _red(pixels: ImageU8) -> ImageU8:
    return material.codes(material.linear(pixels) * np.array((1, 1, 1 + FLASH_RATIO), np.float32))


def _share(verdicts: list[set[Reason]]) -> float:
    return float(np.mean([bool(v) for v in verdicts]))


def _falling(contrast: NDArray[np.float64]) -> float:
    """Return the share of faces whose contrast rises from each exposure to the next, up to 0 EV."""
    return float((np.diff(contrast, axis=0) > 0).all(axis=0).mean())


def _spearman(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    first, second = (np.argsort(np.argsort(v)).astype(np.float64) for v in (x, y))
    return float(np.corrcoef(first, second)[0, 1])
