"""Text in any of the kiosk's scripts: choice of font by character, bidirectional order, wrapping.

Shaping is HarfBuzz's, inside SDL_ttf. It knows neither fallback fonts nor mixed directions, so a
line is cut into runs here: the Unicode algorithm puts the characters into visual order, each run
gets the first font that has its characters, and a right-to-left run is handed over in logical order
again, because HarfBuzz reverses it itself.
"""

from __future__ import annotations

import math
import unicodedata
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import pygame
import pygame.freetype
from bidi.algorithm import get_display

from capture.errors import DisplayError
from capture.light.illumination import Rgb

SMALLEST_PX = 14
"""Smaller text cannot be read from 60 cm; a text that would need it does not fit."""

_SHRINK = 0.94
_LINE = 1.42
_BASELINE = 1.08
_PARAGRAPH = 0.5
_KEPT = 64
_SCRIPT_OF_BLOCK = {
    "ARABIC": "Arab",
    "HEBREW": "Hebr",
    "CJK": "Hans",
    "HIRAGANA": "Kana",
    "KATAKANA": "Kana",
    "HANGUL": "Hang",
    "DEVANAGARI": "Deva",
    "BENGALI": "Beng",
    "TAMIL": "Taml",
    "THAI": "Thai",
    "GREEK": "Grek",
    "CYRILLIC": "Cyrl",
}
_NO_LINE_START = frozenset("。，、！？；：）》」』”’%,.!?;:)]…")
_NO_LINE_END = frozenset("（《「『“‘([")


@dataclass(frozen=True, slots=True)
class TextStyle:
    """How a paragraph is set.

    Attributes
    ----------
    size_wh : the box to fill, px.
    largest_px : font size to start from; it shrinks until the text fits.
    colour : sRGB.
    rtl : base direction, decides the order of mixed lines and the side they start on.
    centred : middle of the box both ways; else from the start of the first line.
    """

    size_wh: tuple[int, int]
    largest_px: int
    colour: Rgb
    rtl: bool = False
    centred: bool = True


@dataclass(frozen=True, slots=True)
class _TextRun:
    text: str
    face: int
    rtl: bool
    script: str


class Typesetter:
    """Sets text with a list of fonts; the first that has a character shows it.

    Raises
    ------
    DisplayError
        a font file is missing or broken.
    """

    def __init__(self, files: Iterable[Path]) -> None:
        pygame.font.init()
        pygame.freetype.init()
        self._files = tuple(files)
        self._faces = [self._coverage(path) for path in self._files]
        self._sized: dict[tuple[int, int], pygame.font.Font] = {}
        self._face_of_char: dict[str, int] = {}
        self._set: OrderedDict[tuple[str, TextStyle], pygame.Surface] = OrderedDict()

    def check(self, text: str, origin: str) -> None:
        """Raise ``DisplayError`` (naming ``origin``) for a character that no font has."""
        for char in text:
            if char != "\n" and self._face(char) is None:
                fonts = ", ".join(path.name for path in self._files)
                name = unicodedata.name(char, "unnamed")
                raise DisplayError(
                    f"{origin}: no font has {char!r} (U+{ord(char):04X} {name}) among {fonts}; "
                    "install one on the system or put it into the folder kiosk.fonts"
                )

    def paragraph(self, text: str, style: TextStyle) -> pygame.Surface:
        """Return the text on a transparent surface of the style's size; cached.

        Raises
        ------
        DisplayError
            a character has no glyph, or the text does not fit at ``SMALLEST_PX``.
        """
        key = (text, style)
        if key in self._set:
            self._set.move_to_end(key)
            return self._set[key]
        self.check(text, f"text {text[:40]!r}")
        surface = self._drawn(text, style)
        self._set[key] = surface
        if len(self._set) > _KEPT:
            self._set.popitem(last=False)
        return surface

    def _drawn(self, text: str, style: TextStyle) -> pygame.Surface:
        size = max(style.largest_px, SMALLEST_PX)
        while (lines := self._lines(text, size, style)) is None:
            if size <= SMALLEST_PX:
                raise DisplayError(
                    f"text {text[:40]!r} ({len(text)} characters) does not fit into "
                    f"{style.size_wh[0]}x{style.size_wh[1]} px: shorten it or use a larger screen"
                )
            size = max(SMALLEST_PX, math.floor(size * _SHRINK))
        surface = pygame.Surface(style.size_wh, pygame.SRCALPHA)
        for line, top in lines:
            self._draw_line(surface, line, size, top, style)
        return surface

    def _lines(self, text: str, size: int, style: TextStyle) -> list[tuple[str, int]] | None:
        """Return lines and their tops in px at a font size, or None when they do not fit."""
        width, height = style.size_wh
        lines: list[tuple[str, int]] = []
        top = 0.0
        for paragraph in text.split("\n"):
            for line in self._wrapped(paragraph, size, width):
                if self._width(line, size) > width:
                    return None
                lines.append((line, round(top)))
                top += size * _LINE
            top += size * _PARAGRAPH
        used = math.ceil(top - size * _PARAGRAPH)
        if used > height:
            return None
        shift = (height - used) // 2 if style.centred else 0
        return [(line, line_top + shift) for line, line_top in lines]

    def _draw_line(
        self, surface: pygame.Surface, line: str, size: int, top: int, style: TextStyle
    ) -> None:
        spare = style.size_wh[0] - self._width(line, size)
        left = spare // 2 if style.centred else (spare if style.rtl else 0)
        baseline = top + round(size * _BASELINE)
        for run in self._runs(line, rtl=style.rtl):
            font = self._font(run, size)
            drawn = font.render(run.text, True, style.colour)
            surface.blit(drawn, (left, baseline - font.get_ascent()))
            left += drawn.get_width()

    def _width(self, line: str, size: int) -> int:
        return sum(self._font(run, size).size(run.text)[0] for run in self._runs(line, rtl=False))

    def _wrapped(self, text: str, size: int, width: int) -> Iterator[str]:
        line = ""
        for piece in _pieces(text):
            if line and self._width((line + piece).rstrip(), size) > width:
                yield line.rstrip()
                line = piece.lstrip()
            else:
                line += piece
        yield line.rstrip()

    def _runs(self, line: str, *, rtl: bool) -> Iterator[_TextRun]:
        visual = line
        if rtl or any(_is_rtl(char) for char in line):
            visual = get_display(line, base_dir="R" if rtl else "L")
        marked = list(zip(visual, _rtl_flags(visual), strict=True))
        faces = self._faces_of([char for char, _ in marked])
        cells = [(char, flag, face) for (char, flag), face in zip(marked, faces, strict=True)]
        for (flag, face), group in groupby(cells, key=lambda cell: (cell[1], cell[2])):
            text = "".join(cell[0] for cell in group)
            yield _TextRun(text[::-1] if flag else text, face, flag, _script(text))

    def _faces_of(self, chars: list[str]) -> list[int]:
        """Return the font of each character; a word has one font where one has all of it."""
        faces: list[int] = []
        for blank, group in groupby(chars, key=str.isspace):
            word = list(group)
            if blank:
                faces += [faces[-1] if faces else 0] * len(word)
                continue
            single = [self._face(char) or 0 for char in word]
            whole = self._whole(word) if len(set(single)) > 1 else None
            faces += single if whole is None else [whole] * len(word)
        return faces

    def _whole(self, word: list[str]) -> int | None:
        """Return the first font that has every character of a word."""
        for index, face in enumerate(self._faces):
            if all(face.get_metrics(char)[0] is not None for char in word):
                return index
        return None

    def _font(self, run: _TextRun, size: int) -> pygame.font.Font:
        key = (run.face, size)
        if key not in self._sized:
            self._sized[key] = pygame.font.Font(self._files[run.face], size)
        font = self._sized[key]
        font.set_script(run.script)
        font.set_direction(pygame.DIRECTION_RTL if run.rtl else pygame.DIRECTION_LTR)
        return font

    def _face(self, char: str) -> int | None:
        if char not in self._face_of_char:
            for index, face in enumerate(self._faces):
                if face.get_metrics(char)[0] is not None:
                    self._face_of_char[char] = index
                    break
        return self._face_of_char.get(char)

    @staticmethod
    def _coverage(path: Path) -> pygame.freetype.Font:
        try:
            return pygame.freetype.Font(path, 20)
        except (OSError, RuntimeError, pygame.error) as error:
            raise DisplayError(f"{path}: no font that could be read: {error}") from error


def _is_rtl(char: str) -> bool:
    return unicodedata.bidirectional(char) in {"R", "AL"}


def _rtl_flags(visual: str) -> list[bool]:
    """Return for each character whether HarfBuzz must set it from right to left.

    Blanks and marks between two such characters belong to them, so that words join one run.
    """
    flags = [_is_rtl(char) for char in visual]
    for index, char in enumerate(visual):
        if flags[index] or not (char.isspace() or unicodedata.combining(char)):
            continue
        before = index > 0 and flags[index - 1]
        after = index + 1 < len(visual) and _is_rtl(visual[index + 1])
        flags[index] = before or after if unicodedata.combining(char) else before and after
    return flags


def _script(text: str) -> str:
    for char in text:
        block = unicodedata.name(char, "").split(" ", 1)[0]
        if block in _SCRIPT_OF_BLOCK:
            return _SCRIPT_OF_BLOCK[block]
    return "Latn"


def _breaks_anywhere(char: str) -> bool:
    """Return whether a line may end beside a character: Chinese and Japanese, not Korean words."""
    hangul = "\uac00" <= char <= "\ud7a3"
    return unicodedata.east_asian_width(char) in {"W", "F"} and not hangul


def _pieces(text: str) -> Iterator[str]:
    """Cut a text where a line may end: after blanks, and around Chinese characters."""
    piece = ""
    for char in text:
        wide = _breaks_anywhere(char) and char not in _NO_LINE_START
        breaks = (piece[-1:].isspace() and not char.isspace()) or (
            piece
            and piece[-1] not in _NO_LINE_END
            and char not in _NO_LINE_START
            and (wide or _breaks_anywhere(piece[-1]))
        )
        if breaks:
            yield piece
            piece = ""
        piece += char
    if piece:
        yield piece
