"""The FaceMesh adapter on real faces."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from itertools import islice
from math import radians
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from capture.frame import ImageU8
from preprocess.face.face import Face, Rect
from preprocess.face.landmarks import FACE_OVAL
from preprocess.tracking.facemesh.facemesh import FaceMeshTracker
from preprocess.tracking.facemesh.facemesh_graphs import Detection, FaceDetector
from preprocess.tracking.facemesh.mediapipe_graph import quiet_backend
from preprocess.tracking.tracker_options import TrackerOptions
from tests.preprocess import faces


def bgr(frame: av.VideoFrame) -> ImageU8:
    return frame.to_ndarray(format="bgr24").astype(np.uint8, copy=False)


@pytest.fixture(scope="module")
def portrait(footage: Path) -> ImageU8:
    return faces.photograph(footage / "portraits" / "obama-1080p.jpg")


@pytest.fixture(scope="module")
def other(footage: Path) -> ImageU8:
    return faces.photograph(footage / "portraits" / "p35.jpg")


@pytest.fixture(scope="module")
def clip(footage: Path) -> list[ImageU8]:
    with av.open(str(footage / "videos" / "s18.mp4")) as container:
        decoded = container.decode(video=0)
        return [bgr(next(decoded)) for _ in range(24)]


def seen(pictures: Iterable[ImageU8], options: TrackerOptions | None = None) -> list[Face | None]:
    with FaceMeshTracker(options) as tracker:
        return [tracker.track(faces.frame(p, seq)) for seq, p in enumerate(pictures)]


def found(pictures: Sequence[ImageU8], options: TrackerOptions | None = None) -> Face:
    last = seen(pictures, options)[-1]
    assert last is not None
    return last


def on_canvas(picture: ImageU8, factor: float, at: tuple[int, int]) -> ImageU8:
    small = cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    canvas = np.full((1080, 1920, 3), 110, np.uint8)
    part = small[: 1080 - at[1], : 1920 - at[0]]
    canvas[at[1] : at[1] + part.shape[0], at[0] : at[0] + part.shape[1]] = part
    return canvas


@pytest.mark.slow
def test_two_runs_give_identical_landmarks(clip: list[ImageU8]) -> None:
    first, second = seen(clip), seen(clip)
    for one, two in zip(first, second, strict=True):
        assert one is not None
        assert two is not None
        assert np.array_equal(one.landmarks_px, two.landmarks_px)


@pytest.mark.slow
def test_after_a_reset_it_sees_what_a_fresh_one_sees(
    clip: list[ImageU8], portrait: ImageU8
) -> None:
    with FaceMeshTracker() as used, FaceMeshTracker() as fresh:
        for seq in range(3):
            used.track(faces.frame(portrait, seq))
        used.reset()
        for seq, pixels in enumerate(clip):
            again, first = (
                used.track(faces.frame(pixels, seq)),
                fresh.track(faces.frame(pixels, seq)),
            )
            assert again is not None
            assert first is not None
            assert np.array_equal(again.landmarks_px, first.landmarks_px)
            assert again.rectangle == first.rectangle


def test_landmarks_are_those_of_mediapipes_own_face_mesh(clip: list[ImageU8]) -> None:
    from mediapipe.python.solutions.face_mesh import FaceMesh

    ours = [face.landmarks_px for face in seen(clip[:12]) if face]
    with quiet_backend(), FaceMesh(refine_landmarks=True) as mesh:
        theirs = [
            mesh.process(cv2.cvtColor(p, cv2.COLOR_BGR2RGB)).multi_face_landmarks for p in clip[:12]
        ]
    height, width = clip[0].shape[:2]
    points = np.array([(p.x * width, p.y * height) for p in theirs[-1][0].landmark])
    assert np.abs(points - ours[-1][:, :2]).max() < 1.0


def test_the_colour_order_is_what_the_model_expects(portrait: ImageU8) -> None:
    """Regression: BGR fed as RGB raises nothing, it only finds faces worse."""
    right = found([portrait] * 2).landmarks_px
    swapped = found([np.ascontiguousarray(portrait[..., ::-1])] * 2).landmarks_px
    assert np.abs(right - swapped)[:, :2].mean() > 0.05


@pytest.mark.slow
@pytest.mark.parametrize("width_px", [60, 90, 128, 200])
def test_faces_far_below_the_services_limit_are_seen_as_such(
    portrait: ImageU8, width_px: int
) -> None:
    whole = np.ptp(found([portrait]).landmarks_px[list(FACE_OVAL), 0])
    face = found([on_canvas(portrait[100:500, 700:1200], width_px / whole, (900, 500))] * 9)
    assert np.ptp(face.landmarks_px[list(FACE_OVAL), 0]) == pytest.approx(width_px, rel=0.15)


@pytest.mark.parametrize("degrees", [-6, 6, 20])
def test_a_turned_look_gives_places_of_the_frame_as_it_is(portrait: ImageU8, degrees: int) -> None:
    detector = FaceDetector(0.5)
    (plain,), (turned,) = (
        detector.detect(portrait),
        detector.detect(portrait, None, radians(degrees)),
    )
    detector.close()
    reach = 0.06 * plain.width_px
    for name in ("centre_px", "eyes_px", "mouth_px"):
        assert getattr(turned, name) == pytest.approx(getattr(plain, name), abs=reach)
    assert turned.angle_rad == pytest.approx(plain.angle_rad, abs=radians(8))  # keys are coarse


@pytest.mark.parametrize("sign", [1, -1])
def test_a_face_that_only_a_turned_look_shows_is_found(
    portrait: ImageU8, monkeypatch: pytest.MonkeyPatch, sign: int
) -> None:
    detect = FaceDetector.detect

    def only_turned(
        self: FaceDetector, bgr: ImageU8, within: Rect | None = None, turn_rad: float = 0.0
    ) -> list[Detection]:
        return detect(self, bgr, within, turn_rad) if turn_rad * sign > 0 else []

    monkeypatch.setattr(FaceDetector, "detect", only_turned)
    assert None not in seen([portrait] * 4)[2:]


@pytest.mark.slow
def test_a_larger_face_takes_over_and_the_first_is_counted(
    portrait: ImageU8, other: ImageU8
) -> None:
    both = portrait.copy()
    both[:, :800] = cv2.resize(other, (1080, 1080))[:, 140:940]
    last = found([portrait] * 3 + [both] * 15)
    assert last.rectangle.right < 800
    assert last.count == 2
    assert 0.3 < last.second_face_ratio < 0.9


def test_two_equal_faces_do_not_take_turns(other: ImageU8) -> None:
    half = cv2.resize(other, (640, 640)).astype(np.uint8, copy=False)
    pair = np.hstack([half, half])
    lefts = {face.rectangle.left < 640 for face in seen([pair] * 25) if face}
    assert len(lefts) == 1


def test_a_face_that_goes_leaves_no_ghost(portrait: ImageU8) -> None:
    empty = np.full_like(portrait, 90)
    assert seen([portrait, portrait, empty, empty])[2:] == [None, None]


@pytest.mark.slow
def test_a_face_is_found_again(portrait: ImageU8) -> None:
    empty = np.full_like(portrait, 90)
    assert seen([portrait, empty, portrait])[-1] is not None


@pytest.mark.slow
def test_the_background_of_real_footage_is_nobody(footage: Path) -> None:
    """Regression: FaceMesh with two faces saw a second one in the plants of s18 for 60 frames."""
    with av.open(str(footage / "videos" / "s18.mp4")) as container:
        pictures = [bgr(frame) for frame in islice(container.decode(video=0), 215, 260)]
    assert {face.count for face in seen(pictures) if face} == {1}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["p6", "p35", "p29"])
def test_a_face_that_is_upside_down_is_seen_as_such(footage: Path, name: str) -> None:
    """Regression: the mesh stood upright on it, mouth on the forehead, and was accepted."""
    upright = faces.photograph(footage / "portraits" / f"{name}.jpg")
    turned = np.ascontiguousarray(upright[::-1, ::-1])
    rolls = [abs(face.pose.roll_deg) for face in seen([turned] * 5) if face]
    assert all(roll > 150 for roll in rolls)
    assert abs(found([upright] * 2).pose.roll_deg) < 15


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.6, 0.9])
def test_a_face_that_fills_the_frame_has_its_whole_rectangle(
    portrait: ImageU8, share: float
) -> None:
    """Regression: a mesh of half its size was accepted in the first frames."""
    whole = found([portrait] * 2).rectangle
    factor = share * 720 / whole.height
    x, y = whole.left + whole.width / 2, whole.top + whole.height / 2
    move = np.array([[factor, 0, 640 - factor * x], [0, factor, 360 - factor * y]])
    near = np.asarray(cv2.warpAffine(portrait, move, (1280, 720)), np.uint8)
    for face in seen([near] * 9):
        assert face is None or face.rectangle.height == pytest.approx(share * 720, rel=0.1)


def test_landmarks_cannot_be_written(portrait: ImageU8) -> None:
    with pytest.raises(ValueError, match="read-only"):
        found([portrait]).landmarks_px[0, 0] = 1


def test_the_backend_says_nothing_on_stderr(capfd: pytest.CaptureFixture[str]) -> None:
    seen([np.zeros((64, 64, 3), np.uint8)])
    assert capfd.readouterr().err == ""


def test_what_others_write_meanwhile_is_kept(capfd: pytest.CaptureFixture[str]) -> None:
    with quiet_backend():
        os.write(2, b"W0000 00:00:1795225737.186202   11971 some.cc:1] chatter\nours\n")
    assert capfd.readouterr().err == "ours\n"
