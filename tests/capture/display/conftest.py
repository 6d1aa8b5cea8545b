from collections.abc import Iterator
from pathlib import Path

import pytest

from capture.display.theme import Theme, load_theme
from facelight.kiosk.screens.texts import theme_file


@pytest.fixture(autouse=True)
def no_real_display(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Draw into memory; pixels stay readable and nothing opens on a developer's desktop."""
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    yield
    import pygame

    pygame.display.quit()


@pytest.fixture
def theme() -> Theme:
    return load_theme(theme_file("default"))


@pytest.fixture
def theme_text() -> str:
    """A theme file's text whose fonts are absolute."""
    path = theme_file("default")
    fonts = path.parent.parent / "fonts"
    return path.read_text(encoding="utf-8").replace("../fonts", str(Path(fonts).as_posix()))
