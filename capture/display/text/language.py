"""The texts of a screen in one language, from a TOML file that must be complete."""

from __future__ import annotations

import string
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from capture.display.theme import read_table
from capture.errors import DisplayError

DIRECTIONS = ("ltr", "rtl")


@dataclass(frozen=True, slots=True)
class Language:
    """Texts by key; ``name`` is what the language calls itself."""

    code: str
    name: str
    rtl: bool
    texts: Mapping[str, str]

    def say(self, key: str, **values: object) -> str:
        """Return a text with its ``{placeholders}`` filled in."""
        return self.texts[key].format(**values)


def load_language(path: Path, keys: Mapping[str, Collection[str]]) -> Language:
    """Read a language that must have exactly ``keys``, each with the placeholders it maps to.

    Raises
    ------
    DisplayError
        the file is missing, a text is missing, unknown, empty or has other placeholders.
    """
    table = read_table(path)
    for name in ("code", "name", "direction", "texts", *table):
        if name not in table:
            raise DisplayError(f"{path}: {name}: missing")
        if name not in {"code", "name", "direction", "texts"}:
            raise DisplayError(f"{path}: {name}: unknown key")
    code, own_name, direction, texts = (
        table[name] for name in ("code", "name", "direction", "texts")
    )
    if direction not in DIRECTIONS:
        raise DisplayError(f"{path}: direction: {direction!r}, expected ltr or rtl")
    if not isinstance(code, str) or not isinstance(own_name, str) or not isinstance(texts, dict):
        raise DisplayError(f"{path}: expected code and name as text, texts as a table")
    for key in [*keys, *texts]:
        if key not in texts:
            raise DisplayError(f"{path}: texts.{key}: missing")
        if key not in keys:
            raise DisplayError(f"{path}: texts.{key}: unknown key")
        _check_text(path, key, texts[key], set(keys[key]))
    return Language(code, own_name, direction == "rtl", MappingProxyType(dict(texts)))


def _check_text(path: Path, key: str, text: object, expected: set[str]) -> None:
    if not isinstance(text, str) or not text.strip():
        raise DisplayError(f"{path}: texts.{key}: {text!r}, expected a text")
    try:
        found = {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
    except ValueError as error:
        raise DisplayError(f"{path}: texts.{key}: {error}") from error
    if found != expected:
        wanted = ", ".join(sorted(expected)) or "none"
        raise DisplayError(f"{path}: texts.{key}: placeholders {sorted(found)}, expected {wanted}")
