"""Where things stand on a screen of any size, as pure geometry.

While the light runs, oval, prompt and bar cover at most ``LIGHT_UI_SHARE`` of the screen: the rest
lights the face. The oval keeps its place and size from the first guidance to the last colour, near
the top, where a kiosk's camera is: the person looks into it without moving the head.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from capture.display.scene import SceneKind

LIGHT_UI_SHARE = 0.10
_OVAL_SHARE = 0.055
_OVAL_ASPECT = 0.75
_PROMPT_SHARE = 0.036
_PROMPT_ASPECT = 9.0
_BAR_SHARE = 0.003
_BUTTON_UNITS = 40
"""Least width of a button with its gap, so that four words fit on it."""


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
    """

    unit_px: int
    oval: Box
    title: Box
    plate: Box | None
    bar: Box
    body: Box
    buttons: tuple[Box, ...]


def layout(
    size_wh: tuple[int, int], kind: SceneKind, buttons: int = 0, *, rtl: bool = False
) -> Layout:
    """Return where everything stands; right-to-left languages get the buttons mirrored."""
    width, height = size_wh
    unit = _unit(size_wh)
    oval = _oval(size_wh)
    if kind in (SceneKind.ATTRACT, SceneKind.PAGE):
        return _page(size_wh, kind, oval, buttons, rtl=rtl)
    prompt_height = math.floor(math.sqrt(_PROMPT_SHARE * width * height / _PROMPT_ASPECT))
    prompt_width = math.floor(_PROMPT_ASPECT * prompt_height)
    if kind is not SceneKind.LIGHT:
        prompt_height, prompt_width = round(1.5 * prompt_height), round(1.5 * prompt_width)
    prompt_width = min(prompt_width, width - 4 * unit)
    bar_width = min(oval.width * 2, width - 4 * unit)
    bar_height = max(2, round(_BAR_SHARE * width * height / bar_width))
    bar = Box((width - bar_width) // 2, oval.bottom + 3 * unit, bar_width, bar_height)
    plate = Box((width - prompt_width) // 2, bar.bottom + 3 * unit, prompt_width, prompt_height)
    below = Box(2 * unit, plate.bottom, width - 4 * unit, max(0, height - plate.bottom))
    row = Box(plate.left, height - 14 * unit, plate.width, 10 * unit)
    return Layout(
        unit,
        oval,
        plate.inset(unit // 2),
        plate,
        bar,
        below,
        _row(row, buttons, buttons, unit, rtl),
    )


def _oval(size_wh: tuple[int, int]) -> Box:
    width, height = size_wh
    oval_height = math.sqrt(_OVAL_SHARE * width * height * 4 / (math.pi * _OVAL_ASPECT))
    oval_height = min(oval_height, 0.55 * height)
    oval_width = oval_height * _OVAL_ASPECT
    top = 0.08 * height
    return Box(round((width - oval_width) / 2), round(top), round(oval_width), round(oval_height))


def _page(
    size_wh: tuple[int, int], kind: SceneKind, oval: Box, buttons: int, *, rtl: bool
) -> Layout:
    width, height = size_wh
    unit = _unit(size_wh)
    plate_width = min(width - 8 * unit, round(1.45 * height))
    plate_height = height - 8 * unit
    if not buttons:
        plate_height = min(plate_height, 66 * unit)
    plate = Box((width - plate_width) // 2, (height - plate_height) // 2, plate_width, plate_height)
    inner = plate.inset(5 * unit)
    columns = max(1, min(buttons, 3, (inner.width + 2 * unit) // (_BUTTON_UNITS * unit)))
    rows = math.ceil(buttons / columns)
    row_height = 10 * unit
    placed: list[Box] = []
    top = inner.bottom - rows * (row_height + 2 * unit) + 2 * unit
    for row in range(rows):
        count = min(columns, buttons - row * columns)
        box = Box(inner.left, top + row * (row_height + 2 * unit), inner.width, row_height)
        placed += _row(box, columns, count, unit, rtl)
    title_height = (24 if kind is SceneKind.ATTRACT else 13) * unit
    title = Box(inner.left, inner.top, inner.width, title_height)
    body_top = title.bottom + 2 * unit
    body_bottom = (top - 5 * unit) if rows else inner.bottom
    body = Box(inner.left, body_top, inner.width, max(unit, body_bottom - body_top))
    bar = Box(inner.left, body.bottom + 2 * unit, inner.width, max(2, unit // 2))
    shown = plate if kind is SceneKind.PAGE else None
    return Layout(unit, oval, title, shown, bar, body, tuple(placed))


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
