"""A tracker of real faces must take the simulated one for a face."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from capture.frame import Frame
from tests.capture.simulator.shooting import camera_of

Track = Callable[[Frame], NDArray[np.float64] | None]
EYES = (33, 133, 362, 263)
CHIN = 152


@pytest.fixture(scope="module")
def track() -> Iterator[Track]:
    mediapipe = pytest.importorskip("mediapipe")
    with mediapipe.solutions.face_mesh.FaceMesh(
        static_image_mode=True, refine_landmarks=True
    ) as mesh:

        def landmarks(frame: Frame) -> NDArray[np.float64] | None:
            found = mesh.process(np.ascontiguousarray(frame.pixels[..., ::-1]))
            if not found.multi_face_landmarks:
                return None
            points = found.multi_face_landmarks[0].landmark
            shares = np.array([(p.x, p.y) for p in points], np.float64)
            return shares * np.asarray(frame.size_wh, np.float64)

        yield landmarks


@pytest.mark.slow
@pytest.mark.parametrize("skin", [1, 5, 10])
@pytest.mark.parametrize(
    ("yaw", "pitch", "distance"),
    [(0, 0, 28), (0, 0, 55), (0, 0, 110), (25, 0, 55), (-25, 0, 40), (0, 25, 55), (0, -25, 55),
     (20, -15, 70), (-20, 20, 90)],
)  # fmt: skip
def test_facemesh_finds_the_face_where_it_is(
    track: Track, skin: int, yaw: int, pitch: int, distance: int
) -> None:
    spec = f"sim:distance={distance},yaw={yaw},pitch={pitch},skin={skin},seed={skin},lock=start"
    camera = camera_of(f"{spec},motion=still")
    frame = camera.read()
    assert frame is not None
    points, eyes = track(frame), camera.truth(frame.seq).eyes_px
    assert points is not None
    assert eyes is not None
    gap = float(np.hypot(*np.subtract(eyes[1], eyes[0])))
    left, right = points[[33, 133]].mean(axis=0), points[[362, 263]].mean(axis=0)
    assert np.abs(left - eyes[0]).max() < 0.16 * gap
    assert np.abs(right - eyes[1]).max() < 0.16 * gap


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_a_moving_blinking_talking_face_is_never_lost(track: Track, seed: int) -> None:
    camera = camera_of(f"sim:size=640x360,seed={seed},skin={4 * seed + 1},motion=talk,noise=2")
    camera.settle()
    for _ in range(18):
        frame = camera.read()
        assert frame is not None
        assert track(frame) is not None


@pytest.mark.slow
def test_nobody_is_nobody(track: Track) -> None:
    frame = camera_of("sim:person=none").read()
    assert frame is not None
    assert track(frame) is None
