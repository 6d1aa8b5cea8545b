"""Exposure: what is too dark or too bright is turned away; dark skin and flat light are not."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.figures import Figure
from bench.quality import material
from bench.quality.material import Sample
from calibration.tuning.statistics.intervals import rate
from capture.frame import ImageU8
from preprocess.gate.gate import Verdict, judge, judge_to_start
from preprocess.gate.thresholds import Thresholds
from preprocess.measures.exposure import cheeks
from preprocess.measures.measures import Measures
from preprocess.measures.patch import face_patch
from preprocess.reasons import Reason

ALBEDOS = (1.0, 0.5, 0.3, 0.2)
"""Of the face in the picture's own light; the room stays as it is."""

STOPS = (-4.0, -3.0, -2.0, -1.0, -0.5, -0.25, 0.0)
BRIGHT_STOPS = (1.0, 2.0, 3.0)
IED_PX = 90
DARK = {Reason.UNDER_EXPOSED, Reason.BACKLIT}
EXPOSURE = {Reason.OVER_EXPOSED, *DARK}
FLASH_RATIO = 1.6
"""Light of a red screen over the ambient light: far more than a kiosk has."""

ORDINARY = 0.2
"""Linear luminance of a face from which it counts as ordinarily exposed: one stop more is wrong."""


def run(data: Path) -> list[Figure]:
    """Return the figures on the whole portraits and on whole frames of the videos."""
    samples = faces(data)
    people = np.unique([s.group for s in samples], return_inverse=True)[1].astype(np.int32)
    tones = np.array([ita_deg(s) for s in samples])
    dark = tones <= np.quantile(tones, 0.25)
    found = [Figure("pictures", len(samples)), Figure("people", len(set(people.tolist())))]
    for albedo in ALBEDOS:
        found += _at_albedo(samples, albedo, people, dark)
    return [*found, *_bright(samples, people), *_backlit(samples, people), *_flash(samples)]


def faces(data: Path) -> list[Sample]:
    """Return whole portraits and whole video frames, at most ``IED_PX`` between the eyes."""
    wide = float("inf")
    samples = [*material.portraits(data, wide), *material.video_frames(60, data, wide)]
    return [material.scaled(s, IED_PX) if s.ied_px > IED_PX else s for s in samples]


def ita_deg(sample: Sample) -> float:
    """Return the individual typology angle of the cheeks, atan2(L* - 50, b*): small is dark.

    An offline covariate only: of a photo, not of a person, for light and skin cannot be told apart.
    """
    patch = face_patch(sample.pixels, sample.face.landmarks_px)
    lab = cv2.cvtColor(patch.bgr.astype(np.float32) / 255, cv2.COLOR_BGR2LAB)
    skin = np.concatenate([lab.reshape(-1, 3)[cheek] for cheek in cheeks(patch)])
    lightness, _, yellow = np.median(skin, axis=0)
    return float(np.degrees(np.arctan2(lightness - 50, yellow)))


def with_window(sample: Sample, pixels: ImageU8) -> ImageU8:
    """Return a picture of the sample with a bright window at its top, behind the face."""
    picture, face = pixels.copy(), _face(sample)
    rows = picture.shape[0] // 8
    picture[:rows][~face[:rows]] = 250
    return picture


def backlit(sample: Sample, stops: float) -> ImageU8:
    """Return the picture with the face so many stops darker, before a room of its own light."""
    picture, face = sample.pixels.copy(), _face(sample)
    picture[face] = material.exposed(sample.pixels, stops)[face]
    return with_window(sample, picture)


def _face(sample: Sample) -> NDArray[np.bool_]:
    inside = np.zeros(sample.pixels.shape[:2], np.uint8)
    outline = np.rint(sample.face.landmarks_px[:468, :2]).astype(np.int32)
    cv2.fillConvexPoly(inside, cv2.convexHull(outline), (1,))
    return inside.astype(bool)


def _at_albedo(
    samples: list[Sample], albedo: float, people: NDArray[np.int32], dark: NDArray[np.bool_]
) -> list[Figure]:
    pictures = [material.with_albedo(s, albedo) for s in samples]
    rows = {
        stops: [
            s.measure(material.exposed(p, stops)) for s, p in zip(samples, pictures, strict=True)
        ]
        for stops in STOPS
    }
    too_dark = {stops: _given(rows[stops], DARK) for stops in STOPS}
    wrong = _given(rows[0.0], EXPOSURE)
    start = _given(rows[-0.25], DARK, judge_to_start)
    targets = {-3.0: ">= 0.95", -0.5: "<= 0", 0.0: "<= 0"}
    skin = f"albedo x {albedo:g}"
    return [
        *(
            _rate(f"{skin}: called too dark at {stops:+g} EV", too_dark[stops], people, target)
            for stops in STOPS
            for target in (targets.get(stops, ""),)
        ),
        _rate(f"{skin}: may not start live at -0.25 EV", start, people, "<= 0"),
        _rate(f"{skin}: wrong exposure at 0 EV", wrong, people, "<= 0.02"),
        _rate(f"{skin}: the same, darkest quartile", wrong[dark], people[dark], "<= 0.02"),
    ]


def _bright(samples: list[Sample], people: NDArray[np.int32]) -> list[Figure]:
    ordinary = np.array([s.measure().luminance >= ORDINARY for s in samples])
    found = []
    for stops in BRIGHT_STOPS:
        rows = [s.measure(material.exposed(s.pixels, stops)) for s in samples]
        over, under = _given(rows, {Reason.OVER_EXPOSED}), _given(rows, DARK, warnings=True)
        name = f"called over-exposed at {stops:+g} EV, ordinary faces"
        found += [
            _rate(name, over[ordinary], people[ordinary], ">= 0.9"),
            _rate(f"called too dark at {stops:+g} EV, warnings too", under, people, "<= 0"),
        ]
    return found


def _backlit(samples: list[Sample], people: NDArray[np.int32]) -> list[Figure]:
    found = []
    opened = np.array(
        [s.measure().eyes_open_t >= Thresholds().backlit_eyes_open_t for s in samples]
    )
    for stops, target in ((-3.0, ""), (-4.0, ">= 0.9"), (-5.0, ">= 0.9")):
        rows = [s.measure(backlit(s, stops)) for s in samples]
        given, told = _given(rows, {Reason.BACKLIT}), f"light from behind, face at {stops:+g} EV"
        found += [
            _rate(f"{told}, eyes open: backlit", given[opened], people[opened], target),
            _rate(f"{told}: a dark room", _given(rows, {Reason.UNDER_EXPOSED}), people, "<= 0"),
        ]
    for albedo, stops in product(ALBEDOS, (0.0, -0.5)):
        pictures = [material.exposed(material.with_albedo(s, albedo), stops) for s in samples]
        rows = [s.measure(with_window(s, p)) for s, p in zip(samples, pictures, strict=True)]
        name = f"albedo x {albedo:g}, {stops:+g} EV, before a window: backlit"
        found.append(_rate(name, _given(rows, {Reason.BACKLIT}), people, "<= 0"))
    return found


def _flash(samples: list[Sample]) -> list[Figure]:
    """Light the faces red: a channel clips, and still the face is clearly seen."""
    lit = [s.measure(_red(s.pixels)) for s in samples]
    any_channel = [m.over_any_share > Thresholds().over_any_drop for m in lit]
    luminance = [m.over_grey_share > Thresholds().over_grey_drop for m in lit]
    return [
        Figure("red flash of 1.6 x ambient: seen in the channels", float(np.mean(any_channel))),
        Figure(
            "red flash of 1.6 x ambient: seen in luminance", float(np.mean(luminance)), "<= 0.1"
        ),
    ]


def _red(pixels: ImageU8) -> ImageU8:
    return material.codes(material.linear(pixels) * np.array((1, 1, 1 + FLASH_RATIO), np.float32))


def _given(
    rows: list[Measures],
    reasons: set[Reason],
    gate: Callable[..., Verdict] = judge,
    *,
    warnings: bool = False,
) -> NDArray[np.bool_]:
    """Return (n,) whether the gate gives one of the reasons."""
    verdicts = [gate(row, None, Thresholds()) for row in rows]
    return np.array(
        [bool(reasons & {*v.reasons, *(v.warnings if warnings else ())}) for v in verdicts]
    )


def _rate(
    name: str, errors: NDArray[np.bool_], people: NDArray[np.int32], target: str = ""
) -> Figure:
    found = rate(errors, people)
    return Figure(name, float(errors.mean()), target, "", (found.interval.low, found.interval.high))
