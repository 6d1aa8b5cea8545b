"""Whose face is judged: the three ways of the contract to name it."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from capture.frame import Frame, ImageU8
from facelight.service.judging.focus import FocusFace, inside_share, masked, overlap
from facelight.service.server import LocalService
from preprocess.face.face import Rect
from tests.facelight.service.requests import FACE_BOX, Clip, portrait, post

NEAR = Rect(125, 105, 300, 310)
FAR = Rect(660, 160, 225, 235)


@pytest.fixture(scope="module")
def pair(footage: Path) -> ImageU8:
    """A large face on the left, a smaller one on the right."""
    large = portrait(footage / "portraits" / "obama-1080p.jpg")
    other = portrait(footage / "portraits" / "p29.jpg", 40, 60, 520)
    small = cv2.resize(other, (440, 440), interpolation=cv2.INTER_AREA)
    canvas = np.full((560, 1040, 3), 110, np.uint8)
    canvas[:, :560] = large
    canvas[60:500, 600:] = small
    return canvas


def frame(pixels: ImageU8, seq: int = 0) -> Frame:
    return Frame(seq, seq * 33_000_000, seq * 33_000_000, pixels)


@pytest.mark.parametrize(
    ("a", "b", "share", "union"),
    [
        pytest.param(Rect(0, 0, 10, 10), Rect(0, 0, 10, 10), 1.0, 1.0, id="same"),
        pytest.param(Rect(0, 0, 10, 10), Rect(5, 0, 10, 10), 0.5, 1 / 3, id="half"),
        pytest.param(Rect(2, 2, 5, 5), Rect(0, 0, 10, 10), 1.0, 0.25, id="inside"),
        pytest.param(Rect(0, 0, 10, 10), Rect(10, 0, 10, 10), 0.0, 0.0, id="side by side"),
    ],
)
def test_boxes_are_compared_by_area(a: Rect, b: Rect, share: float, union: float) -> None:
    assert inside_share(a, b) == pytest.approx(share)
    assert overlap(a, b) == pytest.approx(union)


def test_a_mask_leaves_the_place_and_its_surroundings() -> None:
    picture = np.zeros((100, 100, 3), np.uint8)
    shown = masked(picture, Rect(40, 40, 20, 10))
    assert np.unique(np.nonzero(shown[:, :, 0] == 0)[0]).tolist() == list(range(35, 55))
    assert np.unique(np.nonzero(shown[:, :, 0] == 0)[1]).tolist() == list(range(30, 70))


def test_without_a_rectangle_the_largest_face_is_followed(pair: ImageU8) -> None:
    with FocusFace() as focus:
        faces = [focus.find(frame(pair, n), None) for n in range(3)]
    assert all(face is not None and overlap(face.rectangle, NEAR) > 0.5 for face in faces)


@pytest.mark.slow
def test_a_rectangle_finds_the_smaller_face(pair: ImageU8) -> None:
    with FocusFace() as focus:
        faces = [focus.find(frame(pair, n), FAR) for n in range(3)]
    assert all(face is not None and inside_share(face.rectangle, FAR) > 0.5 for face in faces)


@pytest.mark.slow
@pytest.mark.parametrize("given", [0, 2], ids=["on the first image", "on the last image"])
def test_one_rectangle_is_enough_to_follow_the_smaller_face(pair: ImageU8, given: int) -> None:
    with FocusFace(FAR) as focus:
        faces = [focus.find(frame(pair, n), FAR if n == given else None) for n in range(3)]
    assert all(face is not None and inside_share(face.rectangle, FAR) > 0.5 for face in faces)


def test_a_face_that_leaves_is_not_replaced_by_another(pair: ImageU8) -> None:
    alone = pair.copy()
    alone[:, 560:] = 110
    with FocusFace(FAR) as focus:
        assert focus.find(frame(pair, 0), None) is not None
        assert focus.find(frame(alone, 1), None) is None


@pytest.mark.slow
@pytest.mark.parametrize(
    ("only", "target"),
    [
        pytest.param(None, FAR, id="every image"),
        pytest.param(0, FAR, id="first image"),
        pytest.param(3, FAR, id="another image"),
        pytest.param("none", NEAR, id="no image"),
    ],
)
def test_the_answer_names_the_face_in_focus(
    service: LocalService, pair: ImageU8, only: int | str | None, target: Rect
) -> None:
    clip = Clip.of([pair] * 4)
    if only != "none":
        box = dict(zip(("left", "top", "width", "height"), FAR, strict=True))
        clip = clip.aimed(box, only if isinstance(only, int) else None)
    answer = post(service.url, clip)
    assert answer.status_code == 200, answer.text
    box = answer.json()["target"]["faceRectangle"]
    found = Rect(box["left"], box["top"], box["width"], box["height"])
    assert overlap(found, target) > 0.5


@pytest.mark.slow
def test_images_of_any_format_make_a_sequence(service: LocalService, footage: Path) -> None:
    from tests.facelight.service.requests import image_file

    picture = portrait(footage / "portraits" / "obama-1080p.jpg")
    kinds = ("JPEG", "PNG", "GIF", "BMP")
    files = {f"{n}.{kind.lower()}": image_file(picture, kind) for n, kind in enumerate(kinds)}
    entries = [
        {"fileName": name, "frameNumber": 0, "imageCreationTimeInMilliSeconds": 100 * n}
        for n, name in enumerate(files)
    ]
    answer = post(service.url, Clip(files, entries).aimed(FACE_BOX, only=0))
    assert answer.status_code == 200, answer.text
    assert answer.json()["target"]["timeOffsetWithinFile"] == 0
