from __future__ import annotations

import numpy as np
import pytest

from capture.light.illumination import NEUTRAL_RGB, PRIMARIES, Flip
from capture.light.timeline import Label, LabelKind
from capture.simulator.person.pose import HeadPose, Lens
from capture.simulator.scene.truth import eye_centres_px, true_label, view_pose

GREY = Flip(0, None, NEUTRAL_RGB)
RED = Flip(500, "Red", PRIMARIES["Red"])
RED_AGAIN = Flip(900, "Red", PRIMARIES["Red"])


@pytest.mark.parametrize(
    ("seen", "weights", "expected"),
    [
        pytest.param([GREY, RED], [[0, 1], [0, 1]], "clean", id="red alone"),
        pytest.param([GREY, RED], [[1, 0], [1, 0]], "neutral", id="grey alone"),
        pytest.param([GREY, RED], [[0.01, 0.99], [0, 1]], "clean", id="a trace of grey"),
        pytest.param([GREY, RED], [[0.03, 0.97], [0, 1]], "transition", id="mixed in one row"),
        pytest.param([GREY, RED], [[1, 0], [0, 1]], "transition", id="a band"),
        pytest.param([RED, RED_AGAIN], [[0.5, 0.5]], "clean", id="the same light again"),
        pytest.param([None, GREY], [[1, 0]], "none", id="before the first flip"),
        pytest.param([None, GREY], [[0.5, 0.5]], "transition", id="into the first flip"),
    ],
)
def test_labels_follow_the_light_itself(
    seen: list[Flip | None], weights: list[list[float]], expected: str
) -> None:
    label = true_label(seen, np.array(weights))
    assert label.kind == expected
    if expected == "clean":
        assert label == Label(LabelKind.CLEAN, "Red", PRIMARIES["Red"])


@pytest.mark.parametrize("place", [(0.0, 0.0, -60.0), (20.0, 0.0, -50.0), (-15.0, 12.0, -70.0)])
def test_a_head_turned_to_the_lens_has_no_view_angles(place: tuple[float, float, float]) -> None:
    x, y, z = place
    yaw = float(np.degrees(np.arctan2(-x, -z)))
    pitch = float(np.degrees(np.arcsin(y / np.linalg.norm(place))))
    seen = view_pose(HeadPose(yaw, pitch, 0.0, place))
    assert (seen.yaw_deg, seen.pitch_deg, seen.roll_deg) == pytest.approx((0, 0, 0), abs=1e-9)


def test_before_the_camera_the_view_angles_are_the_head_s_own() -> None:
    seen = view_pose(HeadPose(12.0, -7.0, 4.0, (0.0, 0.0, -55.0)))
    assert (seen.yaw_deg, seen.pitch_deg, seen.roll_deg) == pytest.approx((12, -7, 4))


def test_eyes_are_as_far_apart_as_the_lens_makes_them() -> None:
    pose = HeadPose(0, 5.0, 0, (0.0, 0.0, -63.0))
    (x0, y0), (x1, y1) = eye_centres_px(pose, 3.15, Lens((1280, 720), 1000.0))
    assert x1 - x0 == pytest.approx(1000 * 6.3 / 63.2, rel=1e-3)
    assert y0 == pytest.approx(y1)
