"""Fonts for further languages: a folder first, then the system, and what is missing is named."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from capture.display.text import fonts
from capture.display.text.fonts import covered, system_fonts, with_fallbacks
from capture.display.text.text import TextStyle, Typesetter
from capture.display.theme import load_theme
from capture.errors import DisplayError
from facelight.kiosk.screens.texts import theme_file

OURS = load_theme(theme_file("default")).fonts
NOBODY_HAS = "\U000f1234"

LANGUAGES = [
    pytest.param("화면 앞에 서 주세요", id="Korean"),
    pytest.param("עמדו מול המסך", id="Hebrew"),
    pytest.param("स्क्रीन के सामने खड़े हों", id="Hindi"),
    pytest.param("画面の前に立ってください", id="Japanese"),
    pytest.param("Hãy đứng trước màn hình để bắt đầu", id="Vietnamese"),
]


def require_font(text: str) -> None:
    for char in text:
        if not char.isspace() and not covered_by_any(char):
            pytest.skip(f"no font on this machine has {char!r}")


def covered_by_any(char: str) -> bool:
    return any(covered(font, {char}) for font in [*OURS, *system_fonts(char)])


@pytest.mark.slow
@pytest.mark.parametrize("text", LANGUAGES)
def test_a_further_language_is_shown_with_the_systems_fonts(text: str) -> None:
    require_font(text)
    chosen = with_fallbacks(OURS, [text])
    typesetter = Typesetter(chosen)
    typesetter.check(text, "language file")
    drawn = typesetter.paragraph(text, TextStyle((600, 120), 40, (0, 0, 0)))
    assert drawn.get_bounding_rect().width > 100


def test_no_font_is_added_where_ours_have_everything() -> None:
    assert with_fallbacks(OURS, ["Welcome", "欢迎", "مرحبا"]) == OURS


def test_a_folder_comes_before_the_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arabic = tmp_path / "own.ttf"
    shutil.copy(OURS[1], arabic)
    monkeypatch.setattr(fonts, "system_fonts", lambda char: pytest.fail(f"asked for {char}"))
    assert with_fallbacks(OURS[:1], ["مرحبا"], tmp_path) == (OURS[0], arabic)


def test_a_character_that_no_font_has_is_left_and_named_when_it_is_drawn() -> None:
    chosen = with_fallbacks(OURS, [NOBODY_HAS])
    with pytest.raises(DisplayError, match=r"xx\.toml: no font has .*U\+F1234.*kiosk\.fonts"):
        Typesetter(chosen).check(NOBODY_HAS, "xx.toml")


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DisplayError, match="no such folder"):
        with_fallbacks(OURS, ["x"], tmp_path / "none")


def test_a_broken_font_in_the_folder_covers_nothing(tmp_path: Path) -> None:
    (tmp_path / "broken.ttf").write_bytes(b"no font")
    assert covered(tmp_path / "broken.ttf", {"a"}) == set()
    assert with_fallbacks(OURS, ["a"], tmp_path) == OURS


@pytest.mark.parametrize("fails", ["missing", "hangs"])
def test_without_fontconfig_the_system_has_nothing(
    monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    def run(*_args: object, **_kwargs: object) -> None:
        raise subprocess.TimeoutExpired("fc-list", 20)

    if fails == "missing":
        monkeypatch.setattr(shutil, "which", lambda _name: None)
    else:
        monkeypatch.setattr(shutil, "which", lambda _name: "fc-list")
        monkeypatch.setattr(subprocess, "run", run)
    assert system_fonts("a") == []
