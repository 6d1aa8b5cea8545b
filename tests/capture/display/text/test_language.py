from pathlib import Path

import pytest

from capture.display.text.language import load_language
from capture.errors import DisplayError

KEYS: dict[str, tuple[str, ...]] = {"hello": (), "left": ("seconds",)}
GOOD = (
    'code = "xx"\nname = "Xish"\ndirection = "rtl"\n[texts]\nhello = "Hi"\nleft = "{seconds} s"\n'
)


def written(folder: Path, text: str) -> Path:
    path = folder / "xx.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_complete_language_speaks(tmp_path: Path) -> None:
    language = load_language(written(tmp_path, GOOD), KEYS)
    assert (language.code, language.name, language.rtl) == ("xx", "Xish", True)
    assert language.say("left", seconds=4) == "4 s"


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        pytest.param('hello = "Hi"\n', "", "texts.hello: missing", id="missing"),
        pytest.param('hello = "Hi"', 'hello = "Hi"\nx = "y"', "texts.x: unknown", id="unknown"),
        pytest.param('"Hi"', '" "', "texts.hello: ' ', expected a text", id="blank"),
        pytest.param('"Hi"', "4", "texts.hello: 4, expected a text", id="number"),
        pytest.param("{seconds} s", "some s", "texts.left: placeholders", id="no-placeholder"),
        pytest.param('"Hi"', '"Hi {you}"', "texts.hello: placeholders", id="extra-placeholder"),
        pytest.param('"Hi"', '"Hi {"', "texts.hello: ", id="brace"),
        pytest.param('"rtl"', '"up"', "direction: 'up', expected ltr or rtl", id="direction"),
        pytest.param('code = "xx"\n', "", "code: missing", id="code"),
        pytest.param('"Xish"', "3", "expected code and name as text", id="name"),
        pytest.param('code = "xx"', 'code = "xx"\nodd = 1', "odd: unknown key", id="odd"),
    ],
)
def test_what_is_wrong_with_a_language_is_named(
    tmp_path: Path, before: str, after: str, problem: str
) -> None:
    assert before in GOOD
    path = written(tmp_path, GOOD.replace(before, after, 1))
    with pytest.raises(DisplayError, match=problem) as caught:
        load_language(path, KEYS)
    assert str(path) in str(caught.value)
