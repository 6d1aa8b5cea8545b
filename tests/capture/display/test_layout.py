import math
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capture.display.layout import LIGHT_UI_SHARE, Box, layout
from capture.display.scene import SceneKind

SIZES = [(1280, 720), (1920, 1080), (3840, 2160), (1080, 1920), (1024, 600), (800, 480), (480, 800)]
sizes = st.tuples(st.integers(480, 4000), st.integers(480, 4000)).filter(
    lambda wh: 0.4 < wh[0] / wh[1] < 2.6
)


def inside(box: Box, size_wh: tuple[int, int]) -> bool:
    return box.left >= 0 and box.top >= 0 and box.right <= size_wh[0] and box.bottom <= size_wh[1]


def apart(first: Box, second: Box) -> bool:
    return (
        first.right <= second.left
        or second.right <= first.left
        or first.bottom <= second.top
        or second.bottom <= first.top
    )


@given(sizes)
def test_nine_tenths_of_the_screen_light_the_face(size_wh: tuple[int, int]) -> None:
    places = layout(size_wh, SceneKind.LIGHT)
    assert places.plate is not None
    oval = math.pi / 4 * places.oval.width * places.oval.height
    covered = oval + sum(box.width * box.height for box in (places.plate, places.bar))
    assert covered <= LIGHT_UI_SHARE * size_wh[0] * size_wh[1]


@given(sizes)
def test_the_oval_stays_where_it_is_from_guidance_to_light(size_wh: tuple[int, int]) -> None:
    ovals = {layout(size_wh, kind).oval for kind in SceneKind}
    assert len(ovals) == 1
    assert inside(ovals.pop(), size_wh)


@given(sizes, st.sampled_from([SceneKind.GUIDE, SceneKind.LIGHT, SceneKind.WORKING]))
def test_oval_bar_prompt_and_button_do_not_touch(size_wh: tuple[int, int], kind: SceneKind) -> None:
    places = layout(size_wh, kind, 1)
    assert places.plate is not None
    boxes = [places.oval, places.bar, places.plate, *places.buttons]
    assert all(inside(box, size_wh) for box in boxes)
    assert all(apart(a, b) for a, b in combinations(boxes, 2))


@pytest.mark.parametrize("size_wh", SIZES, ids=str)
@pytest.mark.parametrize("kind", [SceneKind.PAGE, SceneKind.ATTRACT])
@pytest.mark.parametrize("buttons", range(7))
def test_title_body_and_buttons_of_a_page_do_not_touch(
    size_wh: tuple[int, int], kind: SceneKind, buttons: int
) -> None:
    places = layout(size_wh, kind, buttons)
    assert len(places.buttons) == buttons
    boxes = [places.title, places.body, *places.buttons]
    assert all(inside(box, size_wh) and box.height > 0 and box.width > 0 for box in boxes)
    assert all(apart(a, b) for a, b in combinations(boxes, 2))


def test_buttons_are_large_enough_for_a_finger() -> None:
    """10 mm on a 10 inch screen of 1280x800 are about 60 px."""
    for box in layout((1280, 800), SceneKind.PAGE, 3).buttons:
        assert min(box.width, box.height) >= 60


def test_right_to_left_languages_begin_with_the_button_on_the_right() -> None:
    left = layout((1280, 720), SceneKind.PAGE, 3)
    right = layout((1280, 720), SceneKind.PAGE, 3, rtl=True)
    assert right.buttons == tuple(reversed(left.buttons))


def test_a_box_holds_its_first_pixel_and_not_the_one_behind_its_last() -> None:
    box = Box(10, 20, 5, 5)
    assert box.holds(10, 20)
    assert box.holds(14, 24)
    assert not box.holds(15, 24)
    assert not box.holds(14, 25)
