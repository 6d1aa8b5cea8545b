"""Blur on discs with known defocus and motion, and on real faces."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np
import pytest

from bench.quality.material import Sample
from capture.frame import ImageU8
from preprocess.measures.patch import IED, face_patch
from preprocess.measures.sharpness import edge_blur, noise_codes
from tests.preprocess import faces

POINTS = faces.landmarks((640, 360), IED)


def blur_of(picture: ImageU8) -> tuple[float, float]:
    patch = face_patch(picture, POINTS)
    grey = patch.grey()
    return edge_blur(grey, patch.core, noise_codes(grey, patch.core))


def gaussian(sigma_pct: float) -> ImageU8:
    picture = faces.textured()
    if not sigma_pct:
        return picture
    return cv2.GaussianBlur(picture, (0, 0), sigma_pct / 100 * IED).astype(np.uint8, copy=False)


def smeared(length_pct: float, angle_deg: float) -> ImageU8:
    length = length_pct / 100 * IED
    kernel = np.zeros((31, 31), np.float32)
    for along in np.linspace(-length / 2, length / 2, 101):
        x, y = (15 + along * f(math.radians(angle_deg)) for f in (math.cos, math.sin))
        kernel[round(y), round(x)] += 1
    return cv2.filter2D(faces.textured(), -1, kernel / kernel.sum()).astype(np.uint8, copy=False)


@pytest.mark.parametrize("sigma_pct", [1.0, 2.0, 3.0])
def test_a_known_defocus_is_read_off(sigma_pct: float) -> None:
    sharp = blur_of(gaussian(0))[0]
    assert blur_of(gaussian(sigma_pct))[0] == pytest.approx(math.hypot(sigma_pct, sharp), rel=0.15)


@pytest.mark.slow
def test_blur_rises_with_defocus() -> None:
    blurs = [blur_of(gaussian(s))[0] for s in (0, 0.5, 1, 1.5, 2, 3)]
    assert (np.diff(blurs) > 0).all()


@pytest.mark.slow
@pytest.mark.parametrize("angle", [0, 22.5, 45, 67.5, 90, 112.5, 135, 157.5])
def test_motion_is_seen_in_every_direction(angle: float) -> None:
    """Regression: two bins of direction missed a fifth of the diagonal motion."""
    blur = blur_of(smeared(8, angle))
    assert blur[0] == pytest.approx(8 / math.sqrt(12), rel=0.35)
    assert blur[1] > 1.5


def test_defocus_has_no_direction() -> None:
    assert blur_of(gaussian(2))[1] < 1.25


@pytest.mark.parametrize("gain", [0.4, 0.7, 1.1])
def test_gain_does_not_matter(gain: float) -> None:
    blurred = gaussian(1.5)
    darker = np.clip(blurred * gain, 0, 255).astype(np.uint8)
    assert blur_of(darker)[0] == pytest.approx(blur_of(blurred)[0], rel=0.05)


def test_noise_does_not_look_like_sharpness() -> None:
    blurred = gaussian(2)
    noise = np.random.default_rng(1).normal(0, 8, blurred.shape)
    grainy = np.clip(blurred + noise, 0, 255).astype(np.uint8)
    assert blur_of(grainy)[0] > 0.8 * blur_of(blurred)[0]


def test_noise_is_measured_in_codes() -> None:
    patch = face_patch(faces.textured(), POINTS)
    noise = np.random.default_rng(1).normal(0, 4, patch.grey_codes.shape).astype(np.float32)
    assert noise_codes(128 + noise, patch.core) == pytest.approx(4, rel=0.05)


@pytest.mark.parametrize("code", [0, 128, 255])
def test_a_flat_face_cannot_be_assessed(code: int) -> None:
    assert math.isnan(blur_of(np.full((720, 1280, 3), code, np.uint8))[0])


def test_no_skin_cannot_be_assessed() -> None:
    patch = face_patch(faces.textured(), POINTS)
    nowhere = np.zeros_like(patch.core)
    assert math.isnan(noise_codes(patch.grey(), nowhere))
    assert math.isnan(edge_blur(patch.grey(), nowhere, math.nan).blur_pct)


@pytest.fixture(scope="module")
def portraits(footage: Path) -> list[Sample]:
    from bench.quality.material import portraits, scaled

    whole = list(portraits(footage))
    return [scaled(s, 100) if s.ied_px > 100 else s for s in whole]


@pytest.mark.slow
def test_real_faces_rise_strictly_with_defocus(portraits: list[Sample]) -> None:
    from bench.quality.blur import rising

    assert all(rising(s) for s in portraits)


@pytest.mark.slow
def test_real_faces_are_blurred_by_motion_and_defocus_only(portraits: list[Sample]) -> None:
    from bench.quality import material
    from bench.quality.blur import rejected

    assert not any(rejected(s) for s in portraits)
    assert all(rejected(s, material.defocused(s, 2.0)) for s in portraits)
    both_ways = [*portraits, *map(material.mirrored, portraits)]
    for angle in (0, 45, 90, 135):
        found = [rejected(s, material.smeared(s, 6, angle)) for s in both_ways]
        assert np.mean(found) >= 0.9, angle


@pytest.mark.slow
def test_gain_noise_and_jpeg_hardly_move_real_faces(portraits: list[Sample]) -> None:
    from bench.quality import material

    before = np.array([s.measure().blur_pct for s in portraits])
    for changed in (
        [material.gained(s.pixels, 0.25) for s in portraits],
        [material.noisy(s.pixels, 5) for s in portraits],
        [material.recompressed(s.pixels, 30) for s in portraits],
    ):
        after = [s.measure(p).blur_pct for s, p in zip(portraits, changed, strict=True)]
        assert abs(np.median(after / before) - 1) <= 0.05
