"""Show every screen of the kiosk on the current display and save them to ``docs/screens``.

    xvfb-run -s "-screen 0 1280x720x24" uv run tools/screenshots.py en ar

The preview is drawn here; no photograph of anybody is used.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pygame
from PIL import Image

from capture.display.pygame_screen import PygameScreen, ScreenOptions
from capture.display.scene import Scene
from capture.display.theme import load_theme
from capture.frame import ImageU8
from capture.light.illumination import PRIMARIES
from facelight.kiosk.machine.effects import ShowScene
from facelight.kiosk.machine.state import ButtonAction, Hint, Problem, Result, View
from facelight.kiosk.screens.scenes import Live, Wording, compose
from facelight.kiosk.screens.texts import language, theme_file

FOLDER = Path(__file__).parents[1] / "docs" / "screens"
CODES = ("en", "es", "fr", "de", "zh", "ar")
ACTIONS = (ButtonAction.START, ButtonAction.NO_LIGHT, ButtonAction.CANCEL)


def preview() -> ImageU8:
    """Return (720, 1280, 3) uint8 BGR: the shading of a plain egg in front of a wall."""
    y, x = np.mgrid[0:720, 0:1280].astype(np.float32)
    across, down = (x - 640) / 165, (y - 345) / 225
    inside = np.clip(1 - across**2 - down**2, 0, None)
    head = 70 + 130 * np.sqrt(inside)
    shoulders = (((x - 640) / 330) ** 2 + ((y - 760) / 210) ** 2) < 1
    grey = np.where(inside > 0, head, np.where(shoulders, 95, 150 - y / 12))
    return np.repeat(grey[..., None], 3, axis=2).astype(np.uint8)


def scenes(wording: Wording) -> dict[str, Scene]:
    """Return the scenes of the documentation by file name."""
    live = Live(preview(), 0.45, PRIMARIES["Green"])
    red = Live(preview(), 0.7, PRIMARIES["Red"])
    still = Live(preview())
    consent = (ButtonAction.ACCEPT, ButtonAction.NO_LIGHT, ButtonAction.DECLINE)
    cancel = (ButtonAction.CANCEL,)
    return {
        "01-idle": compose(ShowScene(View.IDLE, choices=(ButtonAction.START,)), wording),
        "02-notice": compose(ShowScene(View.NOTICE, choices=ACTIONS), wording, Live(progress=0.4)),
        "03-consent": compose(ShowScene(View.CONSENT, choices=consent), wording),
        "04-position": compose(
            ShowScene(View.POSITION, Hint.CLOSER, choices=cancel), wording, still
        ),
        "05-good": compose(ShowScene(View.POSITION, Hint.GOOD, choices=cancel), wording, still),
        "06-light-green": compose(ShowScene(View.LIGHT), wording, live),
        "07-light-red": compose(ShowScene(View.LIGHT), wording, red),
        "08-deliver": compose(ShowScene(View.DELIVER), wording, Live(progress=0.6)),
        "09-result": compose(ShowScene(View.RESULT, result=Result.REAL), wording),
        "10-unsure": compose(ShowScene(View.RESULT, result=Result.UNSURE), wording),
        "11-retry": compose(ShowScene(View.RETRY, problem=Problem.MOVED), wording),
        "12-stopped": compose(ShowScene(View.STOPPED, problem=Problem.LEFT), wording),
        "13-out-of-order": compose(ShowScene(View.OUT_OF_ORDER), wording),
    }


def main() -> None:
    """Save a PNG of every scene and language."""
    codes = sys.argv[1:] or ["en", "ar"]
    names = {code: language(code).name for code in CODES}
    theme = load_theme(theme_file("default"))
    FOLDER.mkdir(parents=True, exist_ok=True)
    with PygameScreen(theme, ScreenOptions(windowed=True, measured_flips=10)) as screen:
        for code in codes:
            wording = Wording(language(code), theme, names)
            for name, scene in scenes(wording).items():
                screen.show(scene)
                shown = pygame.display.get_surface()
                image = Image.frombytes("RGB", shown.get_size(), pygame.image.tobytes(shown, "RGB"))
                file = FOLDER / f"{name}-{code}.png"
                image.quantize(64, dither=Image.Dither.NONE).save(file, optimize=True)
                print(f"{file.name}: {file.stat().st_size} bytes")


if __name__ == "__main__":
    main()
