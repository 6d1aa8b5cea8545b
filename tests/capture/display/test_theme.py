from pathlib import Path

import pytest

from capture.display.theme import contrast, load_theme
from capture.errors import DisplayError
from facelight.kiosk.screens.texts import THEME_FOLDER


def written(folder: Path, text: str) -> Path:
    path = folder / "theme.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("path", sorted(THEME_FOLDER.glob("*.toml")), ids=lambda p: p.stem)
def test_our_themes_load(path: Path) -> None:
    theme = load_theme(path)
    assert theme.name == path.stem
    assert all(font.is_file() for font in theme.fonts)


def test_a_theme_may_bring_fonts_and_a_logo_beside_it(tmp_path: Path, theme_text: str) -> None:
    (tmp_path / "logo.png").write_bytes(b"png")
    theme = load_theme(written(tmp_path, 'logo = "logo.png"\n' + theme_text))
    assert theme.logo == (tmp_path / "logo.png").resolve()


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        pytest.param(
            "FacelightSans.ttf", "Nope.ttf", r"fonts\[0\]: .*Nope.ttf: no such", id="font"
        ),
        pytest.param('name = "default"', "", "name: missing", id="name"),
        pytest.param(
            'name = "default"', 'name = "x"\nsize = 3', "unknown key 'size'", id="unknown"
        ),
        pytest.param('"#12343b"', '"blue"', "colours.background: 'blue', expected", id="colour"),
        pytest.param('"#12343b"', "3", "colours.background: 3, expected", id="number"),
        pytest.param('bad = "#b3401f"', "", "colours.bad: missing", id="colour-missing"),
        pytest.param("[colours]", "[colours]\nx = 1", "colours.x: unknown", id="colour-unknown"),
        pytest.param("[colours]", "[colors]", "unknown key 'colors'", id="table"),
        pytest.param('"#14201f"', '"#cccccc"', "colours.ink: contrast 1.5 with plate", id="pale"),
        pytest.param("# logo", "logo", "logo: logo.png: no such file", id="logo"),
        pytest.param("[colours]", "[colours", "no valid TOML", id="syntax"),
    ],
)
def test_what_is_wrong_with_a_theme_is_named(
    tmp_path: Path, theme_text: str, before: str, after: str, problem: str
) -> None:
    assert before in theme_text
    path = written(tmp_path, theme_text.replace(before, after, 1))
    with pytest.raises(DisplayError, match=problem) as caught:
        load_theme(path)
    assert str(path) in str(caught.value)


def test_a_missing_theme_is_named(tmp_path: Path) -> None:
    with pytest.raises(DisplayError, match=r"none.toml: cannot be read"):
        load_theme(tmp_path / "none.toml")


def test_contrast_of_black_on_white_is_twenty_one() -> None:
    assert contrast((0, 0, 0), (255, 255, 255)) == pytest.approx(21)
    assert contrast((9, 9, 9), (9, 9, 9)) == 1
