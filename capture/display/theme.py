"""Colours, logo and fonts of a kiosk, from a TOML file."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from capture.errors import DisplayError
from capture.light.illumination import Rgb
from capture.light.photosensitivity import relative_luminance

LEAST_CONTRAST = 4.5
"""WCAG 2.2, 1.4.3: text against what is behind it."""


@dataclass(frozen=True, slots=True)
class Colours:
    """sRGB of everything but the light.

    Attributes
    ----------
    background, on_background : the idle screen and its text.
    plate, ink : what lies behind text on a lit field, and that text.
    accent, on_accent : the main button, outline and bar, and text on the button.
    quiet, on_quiet : other buttons.
    good, bad : outline and bar when something is right or wrong.
    """

    background: Rgb
    on_background: Rgb
    plate: Rgb
    ink: Rgb
    accent: Rgb
    on_accent: Rgb
    quiet: Rgb
    on_quiet: Rgb
    good: Rgb
    bad: Rgb


@dataclass(frozen=True, slots=True)
class Theme:
    """What a kiosk looks like; ``fonts`` are tried in order for every character."""

    name: str
    colours: Colours
    fonts: tuple[Path, ...]
    logo: Path | None = None


def load_theme(path: Path) -> Theme:
    """Read a theme; paths inside are relative to the file.

    Raises
    ------
    DisplayError
        the file, a font or the logo is missing, a key is unknown or missing, a colour is no
        ``#rrggbb``, or a text would be hard to read; names file and key.
    """
    table = read_table(path)
    known = {"name", "colours", "fonts", "logo"}
    unknown = sorted(set(table) - known)
    if unknown:
        raise DisplayError(
            f"{path}: unknown key {unknown[0]!r}, expected {', '.join(sorted(known))}"
        )
    name = table.get("name")
    if not isinstance(name, str) or not name:
        raise DisplayError(f"{path}: name: missing, expected a text")
    fonts = table.get("fonts")
    if not isinstance(fonts, list) or not fonts:
        raise DisplayError(f"{path}: fonts: missing, expected a list of font files")
    logo = table.get("logo")
    return Theme(
        name=name,
        colours=_colours(path, table.get("colours")),
        fonts=tuple(_file(path, f"fonts[{index}]", font) for index, font in enumerate(fonts)),
        logo=None if logo is None else _file(path, "logo", logo),
    )


def read_table(path: Path) -> dict[str, Any]:
    """Return a TOML file's table.

    Raises
    ------
    DisplayError
        it cannot be read or is no TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DisplayError(f"{path}: cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DisplayError(f"{path}: no valid TOML: {error}") from error


def contrast(first: Rgb, second: Rgb) -> float:
    """Return the contrast ratio of WCAG, 1 to 21."""
    low, high = sorted((relative_luminance(first), relative_luminance(second)))
    return (high + 0.05) / (low + 0.05)


def _colours(path: Path, table: object) -> Colours:
    if not isinstance(table, dict):
        raise DisplayError(f"{path}: colours: missing, expected a table")
    names = [entry.name for entry in fields(Colours)]
    for name in [*names, *table]:
        if name not in table:
            raise DisplayError(f"{path}: colours.{name}: missing")
        if name not in names:
            raise DisplayError(f"{path}: colours.{name}: unknown, expected {', '.join(names)}")
    colours = Colours(**{name: _rgb(path, name, table[name]) for name in names})
    for text, behind in (
        ("on_background", "background"),
        ("ink", "plate"),
        ("on_accent", "accent"),
        ("on_quiet", "quiet"),
    ):
        ratio = contrast(getattr(colours, text), getattr(colours, behind))
        if ratio < LEAST_CONTRAST:
            raise DisplayError(
                f"{path}: colours.{text}: contrast {ratio:.1f} with {behind}, "
                f"at least {LEAST_CONTRAST} is needed to read it"
            )
    return colours


def _rgb(path: Path, name: str, value: object) -> Rgb:
    if not isinstance(value, str) or not re.fullmatch("#[0-9a-fA-F]{6}", value):
        raise DisplayError(f"{path}: colours.{name}: {value!r}, expected '#rrggbb'")
    red, green, blue = bytes.fromhex(value[1:])
    return red, green, blue


def _file(path: Path, key: str, value: object) -> Path:
    if not isinstance(value, str):
        raise DisplayError(f"{path}: {key}: {value!r}, expected the path of a file")
    file = path.parent / value
    if not file.is_file():
        raise DisplayError(f"{path}: {key}: {value}: no such file")
    return file.resolve()
