"""The crop: fixed size, never outside the frame, never without the face, smooth, causal."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from preprocess.clip.crop import CropFollower, CropOptions, CropWindow, window_for
from preprocess.errors import GeometryError
from preprocess.face.face import Rect
from preprocess.face.landmarks import eye_centres, eye_mouth_axis
from tests.preprocess import faces

FULL = (1280, 720)
WINDOW = CropWindow(400, 480, FULL)


@st.composite
def rectangles(draw: st.DrawFn) -> Rect:
    width, height = draw(st.integers(1, 700)), draw(st.integers(1, 700))
    left = draw(st.integers(0, FULL[0] - width))
    return Rect(left, draw(st.integers(0, FULL[1] - height)), width, height)


paths = st.lists(rectangles(), min_size=1, max_size=30)


@given(path=paths)
def test_the_rectangle_is_inside_the_crop_and_the_crop_inside_the_frame(path: list[Rect]) -> None:
    follower = CropFollower(WINDOW)
    for rect in path:
        at = follower.place(rect)
        fits = rect.width <= 400 and rect.height <= 480
        assert (at is not None) == fits
        if at is None:
            continue
        assert 0 <= at.x_px <= FULL[0] - 400
        assert 0 <= at.y_px <= FULL[1] - 480
        assert at.x_px <= rect.left
        assert rect.right <= at.x_px + 400
        assert at.y_px <= rect.top
        assert rect.bottom <= at.y_px + 480


@given(path=paths)
def test_the_margin_gives_way_only_to_the_frame_and_to_size(path: list[Rect]) -> None:
    follower = CropFollower(WINDOW)
    for rect in path:
        at = follower.place(rect)
        air = int(0.04 * max(rect.width, rect.height))
        if at is None or rect.width + 2 * air > 400:
            continue
        assert rect.left - at.x_px >= min(air, rect.left)
        assert at.x_px + 400 - rect.right >= min(air, FULL[0] - rect.right)


@given(path=paths)
def test_two_followers_see_the_same_path_alike(path: list[Rect]) -> None:
    one, two = CropFollower(WINDOW), CropFollower(WINDOW)
    assert [one.place(r) for r in path] == [two.place(r) for r in path]


@given(path=paths, later=paths)
def test_what_comes_later_changes_nothing_before(path: list[Rect], later: list[Rect]) -> None:
    alone, longer = CropFollower(WINDOW), CropFollower(WINDOW)
    before = [longer.place(r) for r in [*path, *later]][: len(path)]
    assert [alone.place(r) for r in path] == before


def test_a_shaking_rectangle_does_not_shake_the_crop() -> None:
    follower = CropFollower(WINDOW)
    places = {follower.place(Rect(500 + step % 3, 300 - step % 2, 200, 200)) for step in range(40)}
    assert len(places) == 1


def test_a_moving_face_is_followed_in_steps_smaller_than_its_own() -> None:
    follower = CropFollower(WINDOW)
    follower.place(Rect(300, 300, 200, 200))
    xs = [follower.place(Rect(360, 300, 200, 200)).x_px for _ in range(30)]  # type: ignore[union-attr]
    steps = [after - before for before, after in pairwise(xs)]
    assert max(steps) < 60
    assert min(steps) >= 0
    assert abs(xs[-1] + 200 - 460) <= 0.03 * 400 + 1


def test_a_rectangle_too_large_leaves_the_follower_where_it_was() -> None:
    follower = CropFollower(WINDOW)
    before = follower.place(Rect(500, 300, 200, 200))
    assert follower.place(Rect(100, 10, 500, 500)) is None
    assert follower.place(Rect(500, 300, 200, 200)) == before


def test_the_window_holds_ofiqs_margins_where_the_frame_allows() -> None:
    points = faces.landmarks((960, 540), 70)
    seen = faces.face(points, (1920, 1080))
    window = window_for([seen], (1920, 1080))
    at = CropFollower(window).place(seen.rectangle)
    assert at is not None
    (x0, _), (x1, _) = eye_centres(points)
    t_px, eyes_y = eye_mouth_axis(points)
    assert x0 - at.x_px >= 1.1 * seen.inter_eye_px
    assert at.x_px + window.width_px - x1 >= 1.1 * seen.inter_eye_px
    assert eyes_y - at.y_px >= 1.5 * t_px
    assert at.y_px + window.height_px - eyes_y >= 1.9 * t_px


@given(
    ied=st.floats(20, 200),
    width=st.integers(200, 1921),
    height=st.integers(200, 1081),
    count=st.integers(1, 4),
)
def test_the_size_is_even_and_inside_any_frame(
    ied: float, width: int, height: int, count: int
) -> None:
    seen = faces.face(faces.landmarks((width / 2, height / 2), ied), (width, height))
    window = window_for([seen] * count, (width, height))
    assert window.width_px % 2 == window.height_px % 2 == 0
    assert 0 < window.width_px <= width
    assert 0 < window.height_px <= height


def test_the_largest_side_bounds_the_crop_but_never_the_face() -> None:
    seen = faces.face(faces.landmarks((960, 540), 160), (1920, 1080))
    window = window_for([seen], (1920, 1080), CropOptions(max_side_px=200))
    assert window.width_px >= seen.rectangle.width
    assert window.height_px >= seen.rectangle.height
    assert CropFollower(window).place(seen.rectangle) is not None


@pytest.mark.parametrize(
    ("width", "height"),
    [
        pytest.param(401, 480, id="odd"),
        pytest.param(400, 722, id="higher than the frame"),
        pytest.param(0, 480, id="empty"),
    ],
)
def test_an_impossible_window_is_an_error(width: int, height: int) -> None:
    with pytest.raises(GeometryError, match=str(width)):
        CropWindow(width, height, FULL)


def test_no_face_no_size() -> None:
    with pytest.raises(GeometryError, match="at least one face"):
        window_for([], FULL)
