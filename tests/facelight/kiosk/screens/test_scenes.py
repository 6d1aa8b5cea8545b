import numpy as np
import pytest

from capture.display.scene import Mood, SceneKind
from capture.display.theme import load_theme
from capture.light.illumination import NEUTRAL_RGB
from facelight.kiosk.machine.effects import ShowScene
from facelight.kiosk.machine.state import ButtonAction, Hint, Problem, Result, View
from facelight.kiosk.screens.scenes import Live, Wording, compose, every_scene
from facelight.kiosk.screens.texts import language, theme_file

RED = (255, 0, 0)
FRAME = np.zeros((48, 64, 3), np.uint8)


@pytest.fixture(scope="module")
def wording() -> Wording:
    return Wording(language("en"), load_theme(theme_file("default")))


@pytest.mark.parametrize("view", list(View))
def test_only_the_light_is_coloured_and_only_idle_is_dark(view: View, wording: Wording) -> None:
    field = compose(ShowScene(view), wording, Live(light_rgb=RED)).field_rgb
    expected = {View.LIGHT: RED, View.IDLE: wording.theme.colours.background}
    assert field == expected.get(view, NEUTRAL_RGB)


@pytest.mark.parametrize("view", list(View))
def test_the_preview_is_shown_only_where_it_helps(view: View, wording: Wording) -> None:
    scene = compose(ShowScene(view), wording, Live(preview=FRAME))
    helps = view in {View.POSITION, View.SETTLE, View.LIGHT, View.PLAIN}
    assert (scene.preview is not None) is helps


def test_choices_become_buttons_with_keys(wording: Wording) -> None:
    choices = (ButtonAction.ACCEPT, ButtonAction.NO_LIGHT, ButtonAction.DECLINE)
    buttons = compose(ShowScene(View.CONSENT, choices=choices), wording).buttons
    assert [(b.action, b.key, b.primary) for b in buttons] == [
        ("accept", "return", True),
        ("no_light", "n", False),
        ("decline", "escape", False),
    ]


def test_a_good_position_is_green_and_a_hint_is_not(wording: Wording) -> None:
    good = compose(ShowScene(View.POSITION, hint=Hint.GOOD), wording)
    hint = compose(ShowScene(View.POSITION, hint=Hint.CLOSER), wording)
    assert (good.mood, hint.mood) == (Mood.GOOD, Mood.NEUTRAL)
    assert hint.title == "Come closer"


def test_a_problem_says_what_happened_and_whether_it_goes_on(wording: Wording) -> None:
    again = compose(ShowScene(View.RETRY, problem=Problem.MOVED), wording)
    over = compose(ShowScene(View.STOPPED, problem=Problem.MOVED), wording)
    assert again.body == over.body == wording.language.texts["problem_moved"]
    assert again.title != over.title
    assert (again.mood, over.mood) == (Mood.NEUTRAL, Mood.BAD)


@pytest.mark.parametrize("result", list(Result))
def test_no_result_speaks_of_spoofing(result: Result, wording: Wording) -> None:
    scene = compose(ShowScene(View.RESULT, result=result), wording)
    assert "spoof" not in (scene.title + scene.body).lower()
    assert scene.kind is SceneKind.PAGE


def test_every_view_is_rehearsed(wording: Wording) -> None:
    names = [name for name, _ in every_scene(wording)]
    assert len(names) == len(set(names))
    assert {name.split("/")[1].split("-")[0] for name in names} == {view.value for view in View}
