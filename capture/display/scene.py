"""What a screen shows, as plain data: ``renderer`` draws it, a ``Screen`` shows it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from capture.frame import ImageU8
from capture.light.illumination import NEUTRAL_RGB, Rgb


class SceneKind(StrEnum):
    """The five pictures of a kiosk; each has its own layout."""

    ATTRACT = "attract"
    PAGE = "page"
    GUIDE = "guide"
    LIGHT = "light"
    WORKING = "working"


class Mood(StrEnum):
    """What the accent says; never while the light runs."""

    NEUTRAL = "neutral"
    GOOD = "good"
    BAD = "bad"


class Direction(StrEnum):
    """Where an arrow on the screen points; left and right are the screen's."""

    LEFT = "left"
    RIGHT = "right"
    UP = "up"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Button:
    """Something to touch.

    Attributes
    ----------
    action : what ``InputEvent.action`` says.
    text : on the button.
    key : a name of ``InputEvent.key`` that does the same.
    primary : the answer that most people give, or the language that is shown.
    """

    action: str
    text: str
    key: str | None = None
    primary: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """One picture.

    Attributes
    ----------
    kind : which layout.
    field_rgb : sRGB of everything that is not text, preview or button: the light on the face.
    title, body : text; paragraphs of the body are separated by a newline.
    rtl : whether the text runs from right to left; the layout is mirrored with it.
    buttons : in reading order, at most six.
    languages : buttons of the languages offered, at the same place on every page.
    tools : at most two buttons, at both ends of a page's title, at the same places on every page.
    preview : newest camera frame, (H, W, 3) uint8 BGR, or None; shown mirrored.
    wide : the preview shows the whole frame, with the oval as an outline in it: who stands beside
        the oval sees where.
    towards : where an arrow beside the preview points, if anywhere.
    mood : colour of outline and progress.
    progress : 0 to 1, or None for no bar.
    """

    kind: SceneKind
    field_rgb: Rgb = NEUTRAL_RGB
    title: str = ""
    body: str = ""
    rtl: bool = False
    buttons: tuple[Button, ...] = ()
    languages: tuple[Button, ...] = ()
    tools: tuple[Button, ...] = ()
    preview: ImageU8 | None = None
    wide: bool = False
    towards: Direction | None = None
    mood: Mood = Mood.NEUTRAL
    progress: float | None = None
