"""Samples of light: where a frame is measured, and what is left out."""

from __future__ import annotations

import numpy as np
import pytest

from preprocess.face.face import Face, Pose, Rect
from preprocess.light.samples import (
    CROP_OPTIONS,
    LINEAR_OF_SRGB,
    SampleOptions,
    background_patch,
    face_patch,
    sample_light,
)

# canonical places (x, y in units of the face's width and height) of the landmarks that are read
_PLACES = {
    103: (0.15, 0.1), 67: (0.3, 0.04), 109: (0.4, 0.01), 10: (0.5, 0.0), 338: (0.6, 0.01),
    297: (0.7, 0.04), 332: (0.85, 0.1), 104: (0.2, 0.2), 69: (0.32, 0.16), 108: (0.42, 0.15),
    151: (0.5, 0.15), 337: (0.58, 0.15), 299: (0.68, 0.16), 333: (0.8, 0.2), 105: (0.22, 0.3),
    66: (0.32, 0.28), 107: (0.43, 0.3), 9: (0.5, 0.3), 336: (0.57, 0.3), 296: (0.68, 0.28),
    334: (0.78, 0.3), 117: (0.2, 0.5), 118: (0.25, 0.52), 101: (0.3, 0.55), 36: (0.33, 0.62),
    205: (0.28, 0.66), 187: (0.22, 0.66), 123: (0.16, 0.58), 346: (0.8, 0.5), 347: (0.75, 0.52),
    330: (0.7, 0.55), 266: (0.67, 0.62), 425: (0.72, 0.66), 411: (0.78, 0.66), 352: (0.84, 0.58),
}  # fmt: skip


def face_at(left: int, top: int, width: int, height: int) -> Face:
    points = np.full((478, 3), 0.0, np.float32)
    points[:] = (left + width / 2, top + height / 2, 0)
    for index, (x, y) in _PLACES.items():
        points[index] = (left + x * width, top + y * height, 0)
    return Face(Rect(left, top, width, height), points, width * 0.45, Pose(0, 0, 0), 1, 0.0)


def picture(face: Face, skin: int = 150, wall: int = 90, size: tuple[int, int] = (720, 1280)):
    pixels = np.full((*size, 3), wall, np.uint8)
    rect = face.rectangle
    pixels[rect.top : rect.bottom, rect.left : rect.right] = (skin - 40, skin - 20, skin)
    return pixels


FACE = face_at(520, 200, 220, 300)


def test_face_and_wall_come_out_in_linear_light_red_first() -> None:
    sample = sample_light(picture(FACE), FACE, 7)
    assert sample is not None
    assert sample.face_rgb == pytest.approx(LINEAR_OF_SRGB[[150, 130, 110]], rel=1e-5)
    assert sample.background_rgb == pytest.approx(LINEAR_OF_SRGB[[90, 90, 90]], rel=1e-5)
    assert (sample.t_frame_ns, sample.clipped_share) == (7, 0.0)


def test_the_regions_cover_what_they_say() -> None:
    region = face_patch(FACE, (1280, 720))
    assert region is not None
    rect = FACE.rectangle
    assert region.rows.min() > rect.top
    assert region.rows.max() < rect.top + 0.7 * rect.height
    assert region.columns.min() > rect.left
    assert region.columns.max() < rect.right
    assert 0.05 < region.covered_px / (rect.width * rect.height) < 0.4


def test_the_background_keeps_clear_of_head_and_body() -> None:
    outside = background_patch(FACE.rectangle, (1280, 720))
    assert outside is not None
    rect = FACE.rectangle
    beside = (outside.columns < rect.left - 0.4 * rect.width) | (
        outside.columns >= rect.right + 0.4 * rect.width
    )
    assert np.all(beside | (outside.rows < rect.top - 0.4 * rect.height))
    assert outside.rows.max() < rect.bottom


@pytest.mark.parametrize(
    ("face", "size"),
    [
        pytest.param(face_at(10, 10, 40, 50), (720, 1280), id="too small"),
        pytest.param(face_at(-600, 200, 220, 300), (720, 1280), id="left of the frame"),
        pytest.param(face_at(100, 900, 220, 300), (720, 1280), id="below the frame"),
    ],
)
def test_a_face_that_cannot_be_measured_gives_nothing(face: Face, size: tuple[int, int]) -> None:
    assert sample_light(np.full((*size, 3), 120, np.uint8), face, 0) is None


@pytest.mark.parametrize("skin", [255, 60], ids=["white", "black"])
def test_a_wholly_clipped_face_gives_nothing(skin: int) -> None:
    pixels = picture(FACE)
    pixels[:] = 255 if skin == 255 else 10
    assert sample_light(pixels, FACE, 0) is None


def test_highlights_are_counted_and_left_out() -> None:
    pixels = picture(FACE)
    pixels[:, :640] = 255
    sample = sample_light(pixels, FACE, 0)
    assert sample is not None
    assert 0.3 < sample.clipped_share < 0.7
    assert sample.face_rgb[0] == pytest.approx(LINEAR_OF_SRGB[150], rel=1e-5)


def test_a_tight_crop_has_no_background_and_a_wide_one_has() -> None:
    tight, wide = face_at(10, 10, 220, 300), face_at(120, 60, 220, 300)
    alone = sample_light(picture(tight, size=(320, 240)), tight, 0, CROP_OPTIONS)
    behind = sample_light(picture(wide, size=(420, 460)), wide, 0, CROP_OPTIONS)
    assert alone is not None
    assert alone.background_rgb is None
    assert alone.n_background_px == 0
    assert behind is not None
    assert behind.background_rgb is not None


def test_the_number_of_samples_hardly_depends_on_the_size_of_the_face() -> None:
    counts = []
    for scale in (1, 3):
        face = face_at(100 * scale, 100 * scale, 220 * scale, 300 * scale)
        patch = face_patch(face, (640 * scale, 640 * scale), SampleOptions())
        assert patch is not None
        counts.append(len(patch.rows))
    assert 800 < min(counts) <= max(counts) < 3000
