from pathlib import Path

import numpy as np
import pygame
import pytest
from numpy.typing import NDArray

from capture.display.text.text import TextStyle, Typesetter
from capture.display.theme import Theme
from capture.errors import DisplayError

BLACK = (0, 0, 0)


@pytest.fixture
def typesetter(theme: Theme) -> Typesetter:
    return Typesetter(theme.fonts)


def ink(surface: pygame.Surface) -> NDArray[np.uint8]:
    """Return alpha as (H, W)."""
    return pygame.surfarray.array_alpha(surface).T


def drawn(typesetter: Typesetter, text: str, **style: object) -> NDArray[np.uint8]:
    defaults = {"size_wh": (900, 120), "largest_px": 40, "colour": BLACK}
    return ink(typesetter.paragraph(text, TextStyle(**(defaults | style))))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text", ["Hold still", "größer ñ ç œ", "请看着屏幕", "انظر إلى الشاشة"], ids=str
)
def test_every_script_leaves_ink(typesetter: Typesetter, text: str) -> None:
    assert drawn(typesetter, text).max() == 255


def test_a_missing_glyph_is_named_with_its_code_point(typesetter: Typesetter) -> None:
    with pytest.raises(DisplayError, match=r"zh.toml texts.x: no font has 'ก' \(U\+0E01 THAI"):
        typesetter.check("aก", "zh.toml texts.x")
    with pytest.raises(DisplayError, match=r"U\+0E01"):
        typesetter.paragraph("ก", TextStyle((99, 99), 20, BLACK))


def test_letters_of_arabic_join(typesetter: Typesetter) -> None:
    """Unshaped, the word would be as wide as its letters in their isolated forms."""
    joined = np.count_nonzero(drawn(typesetter, "شاشة", rtl=True).any(axis=0))
    apart = sum(
        np.count_nonzero(drawn(typesetter, letter, rtl=True).any(axis=0)) for letter in "شاشة"
    )
    assert joined < 0.9 * apart


def test_arabic_begins_on_the_right(typesetter: Typesetter) -> None:
    """The full stop ends the sentence on the left; its ink is the lowest of a few columns."""
    with_stop = drawn(typesetter, "بيت.", rtl=True, centred=False)
    columns = np.flatnonzero(with_stop.any(axis=0))
    assert columns.max() > 880
    left_ink = with_stop[:, columns.min() : columns.min() + 4]
    assert not left_ink[: with_stop.shape[0] // 4].any()
    plain = drawn(typesetter, "بيت", rtl=True, centred=False)
    assert columns.min() < np.flatnonzero(plain.any(axis=0)).min()


def test_a_number_inside_arabic_reads_from_left_to_right(typesetter: Typesetter) -> None:
    number = drawn(typesetter, "12", centred=False)
    columns = np.flatnonzero(number.any(axis=0))
    digits = number[:, columns.min() : columns.max() + 1]
    line = drawn(typesetter, "12 بيت", rtl=True, centred=False)
    right = np.flatnonzero(line.any(axis=0)).max()
    shown = line[:, right - digits.shape[1] + 1 : right + 1]
    assert np.array_equal(shown, digits)


def test_long_text_wraps_and_shrinks_until_it_fits(typesetter: Typesetter) -> None:
    alpha = drawn(typesetter, "a long sentence that goes on and on " * 6)
    assert not alpha[0].any()
    assert not alpha[-1].any()
    rows = alpha.any(axis=1)
    assert np.count_nonzero(np.diff(rows.astype(int)) == 1) >= 3


def test_chinese_wraps_without_blanks_and_no_line_begins_with_a_stop(
    typesetter: Typesetter,
) -> None:
    alpha = drawn(typesetter, "请保持不动直到颜色结束为止谢谢您。", size_wh=(330, 200))
    assert np.count_nonzero(np.diff(alpha.any(axis=1).astype(int)) == 1) >= 2


@pytest.mark.slow
def test_what_cannot_fit_is_refused_with_the_size_of_the_box(typesetter: Typesetter) -> None:
    with pytest.raises(DisplayError, match=r"\(4000 characters\) does not fit into 200x50 px"):
        typesetter.paragraph("abcd " * 800, TextStyle((200, 50), 30, BLACK))
    with pytest.raises(DisplayError, match="does not fit"):
        typesetter.paragraph("W" * 200, TextStyle((200, 500), 30, BLACK))


def test_paragraphs_are_drawn_once(typesetter: Typesetter) -> None:
    style = TextStyle((300, 60), 30, BLACK)
    assert typesetter.paragraph("once", style) is typesetter.paragraph("once", style)


def test_a_broken_font_is_named(tmp_path: Path) -> None:
    broken = tmp_path / "broken.ttf"
    broken.write_bytes(b"no font")
    with pytest.raises(DisplayError, match=r"broken.ttf: no font"):
        Typesetter([broken])
