import math
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capture.display.layout import LIGHT_UI_SHARE, Box, Placing, layout, touch_px
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


@pytest.mark.parametrize("size_wh", SIZES, ids=str)
@pytest.mark.parametrize("kind", [SceneKind.PAGE, SceneKind.ATTRACT])
@pytest.mark.parametrize("buttons", range(4))
@pytest.mark.parametrize("languages", [0, 6])
def test_tools_stand_beside_the_title_and_touch_nothing(
    size_wh: tuple[int, int], kind: SceneKind, buttons: int, languages: int
) -> None:
    places = layout(size_wh, kind, Placing(buttons, languages, tools=2))
    boxes = [places.title, places.body, *places.buttons, *places.languages, *places.tools]
    assert len(places.tools) == 2
    assert all(inside(box, size_wh) and box.height > 0 and box.width > 0 for box in boxes)
    assert all(apart(a, b) for a, b in combinations(boxes, 2))
    assert {box.height for box in places.tools} == {touch_px(size_wh)}


@given(sizes)
def test_the_oval_stays_where_it_is_from_guidance_to_light(size_wh: tuple[int, int]) -> None:
    ovals = {layout(size_wh, kind).oval for kind in SceneKind}
    assert len(ovals) == 1
    assert inside(ovals.pop(), size_wh)


@given(sizes, st.sampled_from([SceneKind.GUIDE, SceneKind.LIGHT, SceneKind.WORKING]))
def test_oval_bar_prompt_and_button_do_not_touch(size_wh: tuple[int, int], kind: SceneKind) -> None:
    places = layout(size_wh, kind, Placing(buttons=1))
    assert places.plate is not None
    boxes = [places.oval, places.bar, places.plate, *places.buttons]
    assert all(inside(box, size_wh) for box in boxes)
    assert all(apart(a, b) for a, b in combinations(boxes, 2))


@pytest.mark.parametrize("size_wh", SIZES, ids=str)
@pytest.mark.parametrize("kind", [SceneKind.PAGE, SceneKind.ATTRACT])
@pytest.mark.parametrize("buttons", range(7))
@pytest.mark.parametrize("languages", [0, 6, 11])
def test_title_body_and_buttons_of_a_page_do_not_touch(
    size_wh: tuple[int, int], kind: SceneKind, buttons: int, languages: int
) -> None:
    places = layout(size_wh, kind, Placing(buttons, languages))
    assert (len(places.buttons), len(places.languages)) == (buttons, languages)
    boxes = [places.title, places.body, *places.buttons, *places.languages]
    assert all(inside(box, size_wh) and box.height > 0 and box.width > 0 for box in boxes)
    assert all(apart(a, b) for a, b in combinations(boxes, 2))


PANELS = [
    pytest.param((800, 480), 7.0, id="7 inch 800x480"),
    pytest.param((480, 800), 7.0, id="7 inch upright"),
    pytest.param((1024, 600), 7.0, id="7 inch 1024x600"),
    pytest.param((1280, 800), 10.1, id="10 inch 1280x800"),
    pytest.param((1920, 1080), 15.6, id="15 inch 1920x1080"),
    pytest.param((1080, 1920), 21.5, id="21 inch upright"),
]


@pytest.mark.parametrize(("size_wh", "inches"), PANELS)
@pytest.mark.parametrize("kind", [SceneKind.PAGE, SceneKind.ATTRACT, SceneKind.GUIDE])
def test_every_button_is_at_least_12_mm_high_and_wide(
    size_wh: tuple[int, int], inches: float, kind: SceneKind
) -> None:
    px_a_mm = math.hypot(*size_wh) / inches / 25.4
    places = layout(size_wh, kind, Placing(buttons=3, languages=6))
    for box in (*places.buttons, *places.languages):
        assert min(box.width, box.height) >= 12 * px_a_mm


@pytest.mark.parametrize("size_wh", SIZES, ids=str)
def test_no_button_stands_where_another_one_was_before(size_wh: tuple[int, int]) -> None:
    welcome = layout(size_wh, SceneKind.ATTRACT, Placing(1, 6))
    notice = layout(size_wh, SceneKind.PAGE, Placing(3, 6))
    guide = layout(size_wh, SceneKind.GUIDE, Placing(1))
    assert welcome.languages == notice.languages
    assert guide.buttons == notice.buttons[2:]
    for box in (*notice.buttons, *notice.languages):
        assert apart(box, welcome.buttons[0])
    for box in notice.languages:
        assert apart(box, guide.buttons[0])


def test_right_to_left_languages_begin_with_the_button_on_the_right() -> None:
    left = layout((1280, 720), SceneKind.PAGE, Placing(3, 6))
    right = layout((1280, 720), SceneKind.PAGE, Placing(3, 6, rtl=True))
    assert right.buttons == tuple(reversed(left.buttons))
    assert right.languages == left.languages


def test_the_prompt_grows_with_the_text_but_not_while_the_light_runs() -> None:
    size = (1280, 720)
    large = Placing(text_scale=2.0)
    small, big = (layout(size, SceneKind.GUIDE, p).plate for p in (Placing(), large))
    assert small is not None
    assert big is not None
    assert big.height >= 1.8 * small.height
    assert layout(size, SceneKind.LIGHT, large) == layout(size, SceneKind.LIGHT)


def test_a_box_holds_its_first_pixel_and_not_the_one_behind_its_last() -> None:
    box = Box(10, 20, 5, 5)
    assert box.holds(10, 20)
    assert box.holds(14, 24)
    assert not box.holds(15, 24)
    assert not box.holds(14, 25)
