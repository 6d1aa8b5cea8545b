"""Things before the face."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from capture.frame import ImageU8
from preprocess.face.landmarks import CHIN, FACE_OVAL
from preprocess.gate.thresholds import Thresholds
from preprocess.measures.occlusion import occluded_share
from preprocess.measures.patch import face_patch
from tests.preprocess import faces

SKIN = (120, 150, 200)


def plain() -> ImageU8:
    return np.full((720, 1280, 3), SKIN, np.uint8)


def test_bare_skin_is_not_covered() -> None:
    assert occluded_share(face_patch(plain(), faces.landmarks())) == 0


def test_shading_is_not_covering() -> None:
    shaded = (plain() * np.linspace(0.3, 1.2, 1280)[None, :, None]).clip(0, 255).astype(np.uint8)
    assert occluded_share(face_patch(shaded, faces.landmarks())) == 0


@pytest.mark.slow
@pytest.mark.parametrize("name", ["obama-1080p", "p6", "p29", "p35"])
def test_a_mask_on_a_real_face_is_noticed(footage: Path, name: str) -> None:
    import cv2

    from bench.quality.material import portraits

    sample = next(s for s in portraits(footage) if s.name == name)
    assert sample.measure().occluded_share <= Thresholds().occluded_accept
    points = sample.face.landmarks_px
    oval = points[list(FACE_OVAL), :2]
    below = oval[oval[:, 1] > points[2, 1]]
    masked = sample.pixels.copy()
    cv2.fillConvexPoly(masked, cv2.convexHull(np.round(below).astype(np.int32)), (220, 190, 150))
    assert points[CHIN, 1] > points[2, 1]
    assert sample.measure(masked).occluded_share > Thresholds().occluded_accept
