"""Clipping, contrast, noise and side light on plain and on real faces."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from capture.frame import ImageU8
from preprocess.face.face import Pose
from preprocess.face.landmarks import eye_centres
from preprocess.gate.gate import judge
from preprocess.gate.thresholds import Thresholds
from preprocess.measures import exposure
from preprocess.measures.patch import face_patch
from tests.preprocess import faces

POINTS = faces.landmarks()


def flat(bgr: tuple[int, int, int]) -> ImageU8:
    return np.full((720, 1280, 3), bgr, np.uint8)


def test_a_clipped_channel_hides_in_luminance() -> None:
    shares = exposure.clipped_shares(face_patch(flat((60, 80, 255)), POINTS))
    assert shares == (0.0, 1.0, 0.0)


@pytest.mark.parametrize("bgr", [(60, 255, 255), (255, 60, 255), (255, 255, 60)], ids=str)
def test_any_two_channels_that_clip_together_are_seen(bgr: tuple[int, int, int]) -> None:
    assert exposure.clipped_shares(face_patch(flat(bgr), POINTS))[2] == 1.0


def test_a_clipped_half_is_half() -> None:
    picture = flat((100, 100, 100))
    picture[:, 640:] = 255
    grey, _, two = exposure.clipped_shares(face_patch(picture, POINTS))
    assert grey == two == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize(
    ("lit", "share"),
    [
        pytest.param((255, 0, 0), 1.0, id="red clips"),
        pytest.param((0, 0, 255), 0.0, id="blue does not"),
        pytest.param((255, 255, 255), 1.0, id="white lights all"),
        pytest.param((255, 110, 110), 1.0, id="pale red"),
        pytest.param((0, 0, 0), math.nan, id="no light"),
    ],
)
def test_only_lit_channels_count(lit: tuple[int, int, int], share: float) -> None:
    patch = face_patch(flat((60, 80, 255)), POINTS)
    assert exposure.lit_clipped_share(patch, lit) == pytest.approx(share, nan_ok=True)


def test_contrast_is_between_the_tails() -> None:
    picture = flat((80, 80, 80))
    picture[:, 640:] = 200
    assert exposure.tones_codes(face_patch(picture, POINTS)) == pytest.approx((120, 200), abs=8)
    assert exposure.tones_codes(face_patch(flat((80, 80, 80)), POINTS)) == (0, 80)


@pytest.mark.parametrize("size", [(64, 48), (1280, 720), (3840, 2160)], ids=str)
@pytest.mark.parametrize(("share", "bright"), [(0.004, 40), (0.02, 230)])
def test_a_bright_spot_is_a_hundredth_of_the_frame_at_any_size(
    size: tuple[int, int], share: float, bright: float
) -> None:
    picture = np.full((size[1], size[0], 3), 40, np.uint8)
    side = math.sqrt(share)
    picture[: round(side * size[1]), : round(side * size[0]), 2] = 230  # in any one channel
    assert exposure.frame_bright_codes(picture) == bright


def test_luminance_is_linear() -> None:
    assert exposure.luminance(face_patch(flat((255, 255, 255)), POINTS)) == pytest.approx(1.0)
    assert exposure.luminance(face_patch(flat((128, 128, 128)), POINTS)) == pytest.approx(
        0.2159, abs=1e-3
    )
    assert exposure.luminance(face_patch(flat((0, 0, 255)), POINTS)) == pytest.approx(0.2126)


@pytest.mark.parametrize(("left", "right"), [(200, 100), (100, 200)])
def test_side_light_is_in_stops_of_linear_light(left: int, right: int) -> None:
    picture = flat((left, left, left))
    picture[:, 640:] = right
    linear = [((v / 255 + 0.055) / 1.055) ** 2.4 for v in (200, 100)]
    read = exposure.side_light_stops(face_patch(picture, POINTS))
    assert read == pytest.approx(math.log2(linear[0] / linear[1]), abs=0.05)


@pytest.mark.parametrize("roll", [-30.0, -12.0, 0.0, 25.0])
def test_side_light_follows_the_tilt_of_the_head(roll: float) -> None:
    """Light falls by a stop an inter-eye distance along the face's axis; cheeks are .7 apart."""
    points = faces.landmarks(pose=Pose(0, 0, roll))
    left, right = eye_centres(points)
    across, middle = right - left, (left + right) / 2
    rows, columns = np.mgrid[:720, :1280]
    ied = ((columns - middle[0]) * across[0] + (rows - middle[1]) * across[1]) / (across @ across)
    linear = np.clip(0.3 * 2.0**-ied, 0.01, 0.95)
    codes = 255 * (1.055 * linear ** (1 / 2.4) - 0.055)
    picture = np.rint(codes)[..., None].repeat(3, axis=2).astype(np.uint8)
    assert exposure.side_light_stops(face_patch(picture, points)) == pytest.approx(0.7, abs=0.03)


def test_even_light_is_zero_stops() -> None:
    assert exposure.side_light_stops(face_patch(flat((90, 120, 140)), POINTS)) == 0


def test_snr_falls_with_noise() -> None:
    patch = face_patch(faces.textured(), POINTS)
    grey = patch.grey()
    assert exposure.snr(patch, grey, 2.0) == pytest.approx(2 * exposure.snr(patch, grey, 4.0))
    assert exposure.snr(patch, grey, 0.0) == exposure.snr(patch, grey, 0.35)


def test_without_skin_nothing_can_be_assessed() -> None:
    gone = face_patch(faces.textured(), faces.landmarks((-500, 360)))
    values = [
        *exposure.clipped_shares(gone),
        exposure.lit_clipped_share(gone, (255, 0, 0)),
        *exposure.tones_codes(gone),
        exposure.snr(gone, gone.grey(), 1.0),
        exposure.luminance(gone),
        exposure.side_light_stops(gone),
    ]
    assert all(math.isnan(v) for v in values)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("stops", "least", "most"),
    [
        pytest.param(-3, 0.85, 1.0, id="-3 EV"),
        pytest.param(0, 0.0, 0.0, id="as taken"),
        pytest.param(1, 0.85, 1.0, id="+1 EV"),
    ],
)
def test_real_faces_are_turned_away_when_wrongly_exposed_and_only_then(
    footage: Path, stops: int, least: float, most: float
) -> None:
    from bench.quality.exposure import EXPOSURE
    from bench.quality.material import exposed, portraits, scaled

    samples = [scaled(s, 90) for s in portraits(footage)]
    rows = [s.measure(exposed(s.pixels, stops)) for s in samples]
    rejected = [bool(EXPOSURE & set(judge(row, None, Thresholds()).reasons)) for row in rows]
    assert least <= np.mean(rejected) <= most
