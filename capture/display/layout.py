"""Where things stand on a screen of any size, as pure geometry.

While the light runs, oval, prompt and bar cover at most ``LIGHT_UI_SHARE`` of the screen: the rest
lights the face. The oval keeps its place and size from the first guidance to the last colour, near
the top, where a kiosk's camera is: the person looks into it without moving the head.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from capture.display.scene import Button, Scene, SceneKind

LIGHT_UI_SHARE = 0.10
_OVAL_SHARE = 0.055
_OVAL_ASPECT = 0.75
_PROMPT_SHARE = 0.036
_PROMPT_ASPECT = 9.0
_BAR_SHARE = 0.003
_BUTTON_UNITS = 40
"""Least width of a button with its gap, so that four words fit on it."""
_TOUCH_UNITS = 11
_SMALL_PANEL_TOUCH = 0.135
_SMALL_PANEL_TOUCH_PX = 81
"""12 mm are 63 px on a 7-inch panel of 800x480 (133 dpi) and 81 px on one of 1024x600."""
_LANGUAGE_UNITS = 26
"""Room for a language's own name and the gap beside it."""
_PLATE_UNITS = 164
"""Least width of a page: six languages in one row, or a long consent misses a row of text."""
_LARGEST_PROMPT = 2.0
_TITLE_SHARE = 0.55
"""Of a page's width, that its title has at least; else it stands below the buttons beside it."""


class Box(NamedTuple):
    """Left, top, width and height in pixels, top-left origin."""

    left: int
    top: int
    width: int
    height: int

    @property
    def right(self) -> int:
        """First column right of the box."""
        return self.left + self.width

    @property
    def bottom(self) -> int:
        """First row below the box."""
        return self.top + self.height

    @property
    def centre(self) -> tuple[int, int]:
        """Centre in pixels."""
        return self.left + self.width // 2, self.top + self.height // 2

    def holds(self, x: int, y: int) -> bool:
        """Return whether a pixel lies inside."""
        return self.left <= x < self.right and self.top <= y < self.bottom

    def inset(self, px: int) -> Box:
        """Return the box without a margin of ``px``."""
        return Box(self.left + px, self.top + px, self.width - 2 * px, self.height - 2 * px)


@dataclass(frozen=True, slots=True)
class Layout:
    """Boxes of one scene; ``unit_px`` (a hundredth of the short side) scales margins and lines.

    Attributes
    ----------
    oval : around the preview.
    title, body : text areas.
    plate : what lies behind the text; None where the text stands on the field.
    bar : progress.
    buttons : one for each button, in reading order.
    languages : one for each language, from left to right in every language: at the upper edge of a
        page, where no other button ever is.
    tools : at both ends of a page's title, or above it, the first at the left.
    """

    unit_px: int
    oval: Box
    title: Box
    plate: Box | None
    bar: Box
    body: Box
    buttons: tuple[Box, ...]
    languages: tuple[Box, ...] = ()
    tools: tuple[Box, ...] = ()


@dataclass(frozen=True, slots=True)
class Placing:
    """What the places depend on besides size and kind.

    Attributes
    ----------
    buttons, languages, tools : how many there are.
    rtl : right-to-left languages get the buttons mirrored.
    text_scale : of the texts; the prompt grows with it, but not while the light runs.
    """

    buttons: int = 0
    languages: int = 0
    tools: int = 0
    rtl: bool = False
    text_scale: float = 1.0


def placed_buttons(
    scene: Scene, size_wh: tuple[int, int], text_scale: float = 1.0
) -> Iterator[tuple[Button, Box]]:
    """Yield everything of a scene that can be touched, and where it is."""
    places = layout(size_wh, scene.kind, placing_of(scene, text_scale))
    yield from zip(scene.buttons, places.buttons, strict=True)
    yield from zip(scene.languages, places.languages, strict=True)
    yield from zip(scene.tools, places.tools, strict=True)


def placing_of(scene: Scene, text_scale: float = 1.0) -> Placing:
    """Return what the places of a scene depend on."""
    tools = len(scene.tools)
    return Placing(len(scene.buttons), len(scene.languages), tools, scene.rtl, text_scale)


def touch_px(size_wh: tuple[int, int]) -> int:
    """Return the height of a button: 12 mm on a 7-inch panel and more on larger ones."""
    small = min(_SMALL_PANEL_TOUCH_PX, math.ceil(_SMALL_PANEL_TOUCH * min(size_wh)))
    return max(small, _TOUCH_UNITS * _unit(size_wh))


def layout(size_wh: tuple[int, int], kind: SceneKind, placing: Placing | None = None) -> Layout:
    """Return where everything stands.

    A button never stands where another one stood on the screen before: Start on the idle screen has
    a row of its own, the notice's answers have theirs, Cancel stays where the notice had it.
    """
    placing = placing or Placing()
    width, height = size_wh
    unit = _unit(size_wh)
    oval = _oval(size_wh)
    if kind in (SceneKind.ATTRACT, SceneKind.PAGE):
        return _page(size_wh, kind, oval, placing)
    prompt_height = math.floor(math.sqrt(_PROMPT_SHARE * width * height / _PROMPT_ASPECT))
    prompt_width = math.floor(_PROMPT_ASPECT * prompt_height)
    if kind is not SceneKind.LIGHT:
        growth = 1.5 * min(max(1.0, placing.text_scale), _LARGEST_PROMPT)
        prompt_height, prompt_width = round(growth * prompt_height), round(growth * prompt_width)
    prompt_width = min(prompt_width, width - 4 * unit)
    bar_width = min(oval.width * 2, width - 4 * unit)
    bar_height = max(2, round(_BAR_SHARE * width * height / bar_width))
    bar = Box((width - bar_width) // 2, oval.bottom + 3 * unit, bar_width, bar_height)
    plate = Box((width - prompt_width) // 2, bar.bottom + 3 * unit, prompt_width, prompt_height)
    below = Box(2 * unit, plate.bottom, width - 4 * unit, max(0, height - plate.bottom))
    way_out = _action_row(_inner(size_wh), _ACTIONS, size_wh, rtl=placing.rtl)[-1:]
    return Layout(
        unit,
        oval,
        plate.inset(unit // 2),
        plate,
        bar,
        below,
        way_out if placing.buttons else (),
    )


def _oval(size_wh: tuple[int, int]) -> Box:
    width, height = size_wh
    oval_height = math.sqrt(_OVAL_SHARE * width * height * 4 / (math.pi * _OVAL_ASPECT))
    oval_height = min(oval_height, 0.55 * height)
    oval_width = oval_height * _OVAL_ASPECT
    top = 0.08 * height
    return Box(round((width - oval_width) / 2), round(top), round(oval_width), round(oval_height))


def _page(size_wh: tuple[int, int], kind: SceneKind, oval: Box, placing: Placing) -> Layout:
    unit, touch = _unit(size_wh), touch_px(size_wh)
    full = _plate(size_wh)
    plate = full
    if not placing.buttons and not placing.languages and not placing.tools:
        height = min(full.height, 66 * unit)
        plate = Box(full.left, (size_wh[1] - height) // 2, full.width, height)
    inner = plate.inset(_page_margin(unit))
    languages = _language_rows(inner, placing.languages, unit, touch)
    top = max((box.bottom for box in languages), default=inner.top - 2 * unit) + 2 * unit
    actions = _action_row(inner, placing.buttons, size_wh, rtl=placing.rtl)
    if kind is SceneKind.ATTRACT and placing.buttons == 1:
        actions = (_above(_action_row(inner, _ACTIONS, size_wh, rtl=False), inner, unit, touch),)
    foot = min((box.top for box in actions), default=inner.bottom + 4 * unit)
    room = foot - top
    title_height = min((20 if kind is SceneKind.ATTRACT else 13) * unit, room // 3)
    tools = _tools(Box(inner.left, top, inner.width, touch), placing.tools, unit)
    aside = tools[0].width + 2 * unit if tools else 0
    if inner.width - 2 * aside < _TITLE_SHARE * inner.width:  # upright screens
        top, aside = tools[0].bottom + unit, 0
    elif tools:
        title_height = max(title_height, touch)
    title = Box(inner.left + aside, top, inner.width - 2 * aside, title_height)
    body_bottom = foot - 4 * unit
    body = Box(
        inner.left, title.bottom + unit, inner.width, max(unit, body_bottom - title.bottom - unit)
    )
    bar = Box(inner.left, body.bottom + unit, inner.width, max(2, unit // 2))
    shown = plate if kind is SceneKind.PAGE else None
    return Layout(unit, oval, title, shown, bar, body, actions, languages, tools)


_ACTIONS = 3
"""Answers of the notice: their places are kept for the buttons of the scenes after it."""


def _plate(size_wh: tuple[int, int]) -> Box:
    width, height = size_wh
    unit = _unit(size_wh)
    plate_width = min(width - 4 * unit, max(round(1.45 * height), _PLATE_UNITS * unit))
    plate_height = height - 4 * unit
    return Box((width - plate_width) // 2, (height - plate_height) // 2, plate_width, plate_height)


def _page_margin(unit: int) -> int:
    return 4 * unit


def _inner(size_wh: tuple[int, int]) -> Box:
    return _plate(size_wh).inset(_page_margin(_unit(size_wh)))


def _action_row(
    inner: Box, buttons: int, size_wh: tuple[int, int], *, rtl: bool
) -> tuple[Box, ...]:
    """Return the boxes of the answers at the lower edge, always with room for three or more."""
    if not buttons:
        return ()
    unit, touch = _unit(size_wh), touch_px(size_wh)
    most = max(1, (inner.width + 2 * unit) // (_BUTTON_UNITS * unit))
    places = max(buttons, _ACTIONS)
    columns = min(places, _ACTIONS, most)
    rows = math.ceil(places / columns)
    top = inner.bottom - rows * (touch + 2 * unit) + 2 * unit
    placed: list[Box] = []
    for row in range(rows):
        box = Box(inner.left, top + row * (touch + 2 * unit), inner.width, touch)
        placed += _row(box, columns, columns, unit, rtl)
    return tuple(placed[:buttons])


def _above(actions: tuple[Box, ...], inner: Box, unit: int, touch: int) -> Box:
    """Return the place of Start: in the middle, above the answers' places."""
    width = min(inner.width, 70 * unit)
    top = min(box.top for box in actions) - touch - 2 * unit
    return Box(inner.left + (inner.width - width) // 2, top, width, touch)


def _language_rows(inner: Box, count: int, unit: int, touch: int) -> tuple[Box, ...]:
    if not count:
        return ()
    least = max(touch, _LANGUAGE_UNITS * unit)
    columns = max(1, min(count, (inner.width + 2 * unit) // least))
    columns = math.ceil(count / math.ceil(count / columns))
    placed: list[Box] = []
    for row in range(math.ceil(count / columns)):
        box = Box(inner.left, inner.top + row * (touch + 2 * unit), inner.width, touch)
        placed += _row(box, columns, columns, unit, False)
    return tuple(placed[:count])


def _tools(row: Box, count: int, unit: int) -> tuple[Box, ...]:
    """Return the boxes at the ends of a row."""
    width = max(row.height, _LANGUAGE_UNITS * unit)
    left = Box(row.left, row.top, width, row.height)
    right = Box(row.right - width, row.top, width, row.height)
    return (left, right)[:count]


def _unit(size_wh: tuple[int, int]) -> int:
    return max(3, min(size_wh) // 100)


def _row(row: Box, columns: int, count: int, unit: int, rtl: bool) -> tuple[Box, ...]:
    """Return ``count`` boxes in the middle of a row that has room for ``columns``."""
    if count == 0:
        return ()
    gap = 2 * unit
    width = min((row.width - gap * (columns - 1)) // columns, 70 * unit)
    start = row.left + (row.width - count * width - gap * (count - 1)) // 2
    boxes = [
        Box(start + index * (width + gap), row.top, width, row.height) for index in range(count)
    ]
    return tuple(reversed(boxes)) if rtl else tuple(boxes)
