"""Fonts for characters that a theme's fonts lack: from a folder, then from the system.

The system is asked through fontconfig (``fc-list``); where that is missing (Windows, macOS) the
folder alone counts.
"""

from __future__ import annotations

import logging
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

import pygame
import pygame.freetype

from capture.errors import DisplayError

FONT_SUFFIXES = frozenset({".ttf", ".otf", ".ttc"})
_ASK_S = 20.0
_LOG = logging.getLogger(__name__)


def with_fallbacks(
    fonts: Sequence[Path], texts: Iterable[str], folder: Path | None = None
) -> tuple[Path, ...]:
    """Return ``fonts`` and as many more as it takes to show all characters of ``texts``.

    Characters that no font has are left: ``Typesetter.check`` names them.

    Raises
    ------
    DisplayError
        the folder is missing.
    """
    if folder is not None and not folder.is_dir():
        raise DisplayError(f"fonts: {folder}: no such folder")
    chosen = list(fonts)
    missing = {char for text in texts for char in text if not char.isspace()}
    for font in fonts:
        missing -= covered(font, missing)
    own = [] if folder is None else sorted(p for p in folder.iterdir() if _is_font(p))
    while missing:
        found = _best(own, missing) or _best(system_fonts(min(missing)), missing)
        if found is None:
            found = next(
                (best for c in sorted(missing) if (best := _best(system_fonts(c), {c}))), None
            )
        if found is None:
            break
        chosen.append(found)
        missing -= covered(found, missing)
        _LOG.info("font %s is used for characters that the theme's fonts lack", found.name)
    return tuple(chosen)


def covered(font: Path, chars: Iterable[str]) -> set[str]:
    """Return which of ``chars`` a font has; none where it cannot be read."""
    pygame.freetype.init()
    try:
        face = pygame.freetype.Font(font, 20)
    except (OSError, RuntimeError, pygame.error):
        return set()
    return {char for char in chars if face.get_metrics(char)[0] is not None}


def system_fonts(char: str) -> list[Path]:
    """Return the system's fonts that have a character, plain upright ones first."""
    tool = shutil.which("fc-list")
    if tool is None:
        return []
    asked = [tool, f":charset={ord(char):x}", "--format", "%{file}\\t%{style}\\t%{family}\\n"]
    try:
        answer = subprocess.run(asked, capture_output=True, timeout=_ASK_S, check=True)  # noqa: S603
    except (OSError, subprocess.SubprocessError) as error:
        _LOG.warning("fc-list: %s: no fonts of the system are used", error)
        return []
    rows = [line.split("\t") for line in answer.stdout.decode(errors="replace").splitlines()]
    ranked = sorted({(_rank(row[1:]), row[0]) for row in rows if _is_font(Path(row[0]))})
    return [Path(file) for _, file in ranked]


def _rank(style_and_family: Sequence[str]) -> tuple[bool, bool, bool]:
    style, family = (*style_and_family, "", "")[:2]
    upright = "Italic" not in style and "Oblique" not in style
    plain = any(word in style for word in ("Regular", "Book", "Medium"))
    return not ("Sans" in family or "Gothic" in family), not upright, not plain


def _best(fonts: Iterable[Path], missing: set[str]) -> Path | None:
    """Return the first of the fonts that have most of the missing characters."""
    counts = [(len(covered(font, missing)), font) for font in fonts]
    most = max((count for count, _ in counts), default=0)
    return next((font for count, font in counts if count == most), None) if most else None


def _is_font(path: Path) -> bool:
    return path.suffix.lower() in FONT_SUFFIXES
