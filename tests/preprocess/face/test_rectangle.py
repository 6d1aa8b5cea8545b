"""The rectangle holds brow to chin and stays inside the frame."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from preprocess.errors import GeometryError
from preprocess.face.face import Pose, Rect
from preprocess.face.landmarks import BROWS, CHIN, FACE_OVAL
from preprocess.face.rectangle import RectangleOptions, clipped, face_rectangle
from tests.preprocess import faces

WH = (1280, 720)


@given(x=st.floats(300, 980), y=st.floats(250, 450), ied=st.floats(20, 90), roll=st.floats(-25, 25))
def test_it_contains_brow_chin_and_cheeks(x: float, y: float, ied: float, roll: float) -> None:
    points = faces.landmarks((x, y), ied, Pose(0, 0, roll))
    rect = face_rectangle(points, WH)
    for index in (*BROWS, CHIN):
        assert rect.left <= points[index, 0] <= rect.right
        assert rect.top <= points[index, 1] <= rect.bottom
    oval = points[list(FACE_OVAL), 0]
    assert rect.left <= oval.min()
    assert oval.max() <= rect.right


@given(x=st.floats(-200, 1500), y=st.floats(-200, 900), ied=st.floats(5, 400))
def test_it_never_leaves_the_frame(x: float, y: float, ied: float) -> None:
    try:
        rect = face_rectangle(faces.landmarks((x, y), ied), WH)
    except GeometryError:
        return
    assert 0 <= rect.left < rect.right <= WH[0]
    assert 0 <= rect.top < rect.bottom <= WH[1]


def test_a_face_of_128_px_gives_128_px_sides() -> None:
    points = faces.landmarks(ied_px=128 * 6.3 / 12)  # 12 cm from brow to chin, 15 across
    rect = face_rectangle(points, WH)
    assert min(rect.width, rect.height) >= 128


def test_no_margin_is_allowed() -> None:
    tight = face_rectangle(faces.landmarks(), WH, RectangleOptions(margin=0))
    assert tight.width < face_rectangle(faces.landmarks(), WH).width


def test_a_box_outside_the_frame_is_an_error() -> None:
    with pytest.raises(GeometryError, match="1280x720"):
        clipped(1280, 0, 1300, 20, WH)


def test_a_fraction_of_a_pixel_counts() -> None:
    assert clipped(3.9, 3.1, 4.1, 4.0, WH) == Rect(3, 3, 2, 1)
