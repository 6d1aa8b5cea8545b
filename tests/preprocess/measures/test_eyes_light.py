"""What is between the lids: whites and pupils, or glasses before them."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from bench.quality import material
from bench.quality.exposure import backlit, with_window
from bench.quality.material import Sample
from capture.frame import ImageU8
from preprocess.face.landmarks import LEFT_EYE, RIGHT_EYE, eye_centres
from preprocess.gate.gate import judge
from preprocess.gate.thresholds import Thresholds
from preprocess.measures.eyes_light import eyes_light
from preprocess.measures.patch import face_patch
from preprocess.reasons import Reason
from tests.preprocess import faces

EYES = (LEFT_EYE, RIGHT_EYE)


def opened(gap: float = 0.4) -> NDArray[np.float32]:
    """Return the plain head with lids around its eyes, ``gap`` times as high as wide."""
    points = faces.landmarks()
    around = math.pi + 2 * math.pi * np.arange(16) / 16
    for outline in EYES:
        ends = points[[outline[0], outline[8]], :2]
        half = float(np.ptp(ends[:, 0])) / 2
        points[list(outline), :2] = ends.mean(axis=0) + half * np.stack(
            [np.cos(around), gap * np.sin(around)], axis=1
        )
    return points


def drawn(skin: int, white: int, pupil: int) -> ImageU8:
    picture, points = np.full((720, 1280, 3), skin, np.uint8), opened()
    for outline, (x, y) in zip(EYES, eye_centres(points), strict=True):
        lids = np.rint(points[list(outline), :2]).astype(np.int32)
        cv2.fillConvexPoly(picture, cv2.convexHull(lids), (white, white, white))
        cv2.circle(picture, (round(x), round(y)), 6, (pupil, pupil, pupil), -1)
    return picture


@pytest.mark.parametrize("skin", [20, 60, 180])
def test_whites_are_as_bright_on_any_skin(skin: int) -> None:
    contrast, bright = eyes_light(face_patch(drawn(skin, 150, 20), opened()))
    assert bright == pytest.approx(150, abs=20)  # cubic steps overshoot
    assert contrast > 10


def test_one_tone_between_the_lids_has_no_contrast() -> None:
    contrast, bright = eyes_light(face_patch(drawn(30, 30, 30), opened()))
    assert contrast == pytest.approx(1, abs=0.2)
    assert bright == pytest.approx(30, abs=2)


def test_one_covered_eye_counts() -> None:
    picture = drawn(120, 180, 20)
    picture[:, :640] = 30
    assert eyes_light(face_patch(picture, opened()))[0] < Thresholds().eyes_contrast_accept


def test_lids_too_narrow_to_see_between_tell_nothing() -> None:
    assert all(math.isnan(v) for v in eyes_light(face_patch(drawn(120, 180, 20), opened(0.01))))


def glasses(sample: Sample) -> ImageU8:
    """Return the picture with opaque glasses, 3 % of white, a little lighter at their top."""
    picture, reach = sample.pixels.copy(), sample.ied_px
    for x, y in eye_centres(sample.face.landmarks_px):
        axes = (round(0.42 * reach), round(0.32 * reach))
        cv2.ellipse(picture, (round(x), round(y)), axes, 0, 0, 360, (48, 48, 48), -1)
    return material.recompressed(material.noisy(picture, 2), 85)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["biden", "obama-1080p", "p20", "p35"])
def test_real_eyes_before_windows_behind_glasses_and_on_dark_skin(footage: Path, name: str) -> None:
    whole = next(s for s in material.portraits(footage, float("inf")) if s.name == name)
    sample = material.scaled(whole, 90)
    given = {}
    for what, pixels in {
        "as it is": sample.pixels,
        "dark skin before a window": with_window(sample, material.with_albedo(sample, 0.2)),
        "light from behind": backlit(sample, -5),
        "glasses": glasses(sample),
    }.items():
        verdict = judge(sample.measure(pixels), None, Thresholds())
        given[what] = (Reason.BACKLIT in verdict.reasons, Reason.OCCLUDED in verdict.warnings)
    assert given["light from behind"][0]
    assert given["glasses"][1]
    assert not any(given["as it is"])
    assert not any(given["dark skin before a window"])
