from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from capture.display.text.language import Language
from capture.display.theme import load_theme
from capture.errors import DisplayError
from facelight.errors import SettingsError
from facelight.kiosk.machine.effects import ShowScene
from facelight.kiosk.machine.state import ButtonAction, View
from facelight.kiosk.screens.scenes import Wording, compose, every_scene
from facelight.kiosk.screens.texts import (
    LANGUAGE_FOLDER,
    PLACEHOLDERS,
    THEME_FOLDER,
    Text,
    language,
    language_file,
    theme_file,
)

CODES = sorted(path.stem for path in LANGUAGE_FOLDER.glob("*.toml"))
SIZES = [(800, 480), (480, 800), (960, 540), (1024, 600), (1280, 720), (1080, 1920)]


@pytest.fixture(autouse=True)
def no_real_display(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")


def wording(code: str, **more: object) -> Wording:
    theme = load_theme(theme_file("default"))
    names = {other: language(other).name for other in CODES}
    return Wording(language(code), theme, names, **more)  # type: ignore[arg-type]


def test_the_promised_languages_are_there() -> None:
    assert {"en", "es", "fr", "de", "zh", "ar"} <= set(CODES)


@pytest.mark.parametrize("code", CODES)
def test_a_language_is_complete_and_named_like_its_file(code: str) -> None:
    loaded = language(code)
    assert loaded.code == code
    assert set(loaded.texts) == {text.value for text in Text}
    assert loaded.rtl is (code == "ar")


@pytest.mark.parametrize("code", [code for code in CODES if code != "en"])
def test_no_text_was_left_in_english(code: str) -> None:
    english = language("en").texts
    assert not [key for key, text in language(code).texts.items() if text == english[key]]


class Heard(Mapping[str, str]):
    """Texts that remember which keys were asked for."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self.texts = texts
        self.keys_heard: set[str] = set()

    def __getitem__(self, key: str) -> str:
        self.keys_heard.add(key)
        return self.texts[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.texts)

    def __len__(self) -> int:
        return len(self.texts)


def test_every_text_is_shown_somewhere() -> None:
    said = wording("en")
    heard = Heard(said.language.texts)
    said = replace(said, language=Language("en", "English", False, heard))
    for light in (True, False):
        list(every_scene(replace(said, light=light, spoken=True)))
    assert heard.keys_heard == set(PLACEHOLDERS)


@pytest.mark.parametrize("theme", sorted(path.stem for path in THEME_FOLDER.glob("*.toml")))
def test_the_fonts_have_every_character_of_every_language(theme: str) -> None:
    from capture.display.renderer import Renderer

    renderer = Renderer(load_theme(theme_file(theme)))
    for code in CODES:
        for key, text in [*language(code).texts.items(), ("name", language(code).name)]:
            renderer.check(text, f"{code}.toml {key}")


@pytest.mark.parametrize("size_wh", SIZES, ids=str)
@pytest.mark.parametrize(
    "code", [pytest.param(code, marks=() if code == "en" else pytest.mark.slow) for code in CODES]
)
@pytest.mark.parametrize("spoken", [False, True], ids=["silent", "spoken"])
def test_every_screen_of_every_language_fits(
    code: str, size_wh: tuple[int, int], spoken: bool
) -> None:
    import pygame

    from capture.display.renderer import Renderer

    said = wording(code, spoken=spoken)
    renderer = Renderer(said.theme)
    canvas = pygame.Surface(size_wh)
    for _, scene in every_scene(said):
        renderer.draw(canvas, scene)


def test_a_language_that_is_not_there_is_named() -> None:
    with pytest.raises(SettingsError, match=r"kiosk.language: 'xx', expected ar, de, en.*\.toml"):
        language("xx")
    with pytest.raises(DisplayError, match=r"xx.toml: cannot be read"):
        language("xx.toml")


def test_a_theme_that_is_not_there_is_named_with_the_choices() -> None:
    with pytest.raises(SettingsError, match=r"kiosk.theme: 'dark', expected default, high_contr"):
        theme_file("dark")


def test_an_operators_own_files_are_taken_by_path(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_bytes(language_file("de").read_bytes())
    assert language(str(own)).name == "Deutsch"
    assert theme_file(str(own)) == own


def test_the_operators_consent_text_stands_before_the_notice() -> None:
    scene = compose(ShowScene(View.CONSENT), wording("de", consent="Hausordnung gelesen."))
    assert scene.body.startswith("Hausordnung gelesen.\n")
    assert "farbiges Licht" in scene.body


def test_the_notice_tells_how_long_the_light_lasts() -> None:
    assert "7" in compose(ShowScene(View.NOTICE), wording("ar", light_s=7)).body


@pytest.mark.parametrize("view", [View.IDLE, View.NOTICE, View.CONSENT])
def test_every_page_before_the_session_offers_all_languages_in_one_order(view: View) -> None:
    scene = compose(ShowScene(view, choices=(ButtonAction.START,)), wording("zh"))
    assert [button.action for button in scene.languages] == [f"language:{c}" for c in CODES]
    assert [b.text for b in scene.languages if b.primary] == ["中文"]
    assert "العربية" in [button.text for button in scene.languages]
