"""Sidecars that contradict themselves, and spellings of other programs that mean the same.

Read as ours: known colours in any case (``"red"``), ``color`` for ``colour``, ``"#ff0000"`` for an
rgb. Refused, because two readings are possible: a known name with another colour's rgb, "neutral"
and "none" as names (neutral is null), rgb from 0 to 1, times in seconds.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from typing import Any

from capture.files.jsonfile import FieldError
from capture.light.illumination import Rgb

KNOWN_COLOURS: dict[str, Rgb] = {
    "Red": (255, 0, 0),
    "Green": (0, 255, 0),
    "Blue": (0, 0, 255),
    "Yellow": (255, 255, 0),
    "Cyan": (0, 255, 255),
    "Magenta": (255, 0, 255),
    "White": (255, 255, 255),
    "Black": (0, 0, 0),
}
"""Names whose rgb is checked; any other name may mean any colour."""

_NEUTRAL_NAMES = frozenset({"neutral", "none", "null", "off", "grey", "gray"})
_HEX = re.compile(r"#([0-9a-fA-F]{6})")
_LEAST_CHROMA = 32
"""Codes between the largest and the smallest channel; below, a colour is a grey."""
_SHORTEST_MS = 20.0
"""A colour that is shown for less is not in a single frame of a camera: the unit is another."""
_LEAST_MS = {"latency_ms": 1.0, "latency_uncertainty_ms": 0.1, "exposure_ms": 0.05}
"""Below, and not 0, a figure is in seconds: no display and camera are so quick."""

FlipValues = tuple[float, str | None, Rgb]
"""``t_ms``, colour and rgb of one flip."""


def spelled_as_ours(document: Any) -> Any:
    """Return a parsed sidecar with common foreign spellings in our own.

    Raises
    ------
    FieldError
        ``colour`` and ``color`` in one flip.
    """
    if not isinstance(document, dict) or not isinstance(document.get("flips"), list):
        return document
    flips = [_flip_as_ours(index, flip) for index, flip in enumerate(document["flips"])]
    return document | {"flips": flips}


def _flip_as_ours(index: int, flip: Any) -> Any:
    if not isinstance(flip, dict):
        return flip
    ours = dict(flip)
    if "color" in ours:
        if "colour" in ours:
            raise FieldError("expected either colour or color, got both", "flips", index, "color")
        ours["colour"] = ours.pop("color")
    colour, rgb = ours.get("colour"), ours.get("rgb")
    if isinstance(colour, str):
        known = colour.strip().capitalize()
        ours["colour"] = known if known in KNOWN_COLOURS else colour
    if isinstance(rgb, str) and (match := _HEX.fullmatch(rgb.strip())):
        ours["rgb"] = list(bytes.fromhex(match[1]))
    return ours


def check_colours(flips: Sequence[FlipValues]) -> None:
    """Refuse flips whose name and rgb cannot both be true.

    Raises
    ------
    FieldError
        names the flip, what it says and what was expected.
    """
    for index, (_, colour, rgb) in enumerate(flips):
        if max(rgb) == 1:
            problem = f"expected channels of 0 to 255, got 0 to 1: {list(rgb)}"
            raise FieldError(problem, "flips", index, "rgb")
        if colour is not None and colour.strip().lower() in _NEUTRAL_NAMES:
            problem = f"expected null for a neutral screen, got the name {colour!r}"
            raise FieldError(problem, "flips", index, "colour")
        _check_rgb(index, colour, rgb)


def _check_rgb(index: int, colour: str | None, rgb: Rgb) -> None:
    shown = _pattern(rgb)
    if colour is None:
        if shown is not None:
            problem = f"expected a grey where colour is null, got {_described(rgb)}"
            raise FieldError(problem, "flips", index, "rgb")
        return
    if colour not in KNOWN_COLOURS or shown == _pattern(KNOWN_COLOURS[colour]):
        return
    if _pattern((rgb[2], rgb[1], rgb[0])) == _pattern(KNOWN_COLOURS[colour]):
        problem = f"expected red, green, blue for {colour}, got them reversed: {list(rgb)}"
    else:
        problem = f"expected {colour}, as {list(KNOWN_COLOURS[colour])}, got {_described(rgb)}"
    raise FieldError(problem, "flips", index, "rgb")


def _pattern(rgb: Rgb) -> tuple[bool, ...] | None:
    """Return which channels are lit; None for greys, black and white among them."""
    low, high = min(rgb), max(rgb)
    if high - low < _LEAST_CHROMA:
        return None
    return tuple(2 * channel > low + high for channel in rgb)


def _described(rgb: Rgb) -> str:
    name = next((n for n, known in KNOWN_COLOURS.items() if _pattern(known) == _pattern(rgb)), "")
    grey = _pattern(rgb) is None
    return f"{list(rgb)}, {'a grey' if grey else name.lower()}"


def check_units(flips: Sequence[FlipValues], fields: dict[str, float | None]) -> None:
    """Refuse times that can only be seconds.

    Raises
    ------
    FieldError
        names the field, its value and the unit.
    """
    for name, least in _LEAST_MS.items():
        value = fields.get(name)
        if value is not None and 0 < value < least:
            raise FieldError(f"expected ms, got {value:g}: seconds?", name)
    dwells = [
        (after[0] - before[0], index)
        for index, (before, after) in enumerate(itertools.pairwise(flips))
        if before[1] is not None
    ]
    if dwells and max(dwells)[0] < _SHORTEST_MS:
        longest, index = max(dwells)
        problem = f"expected ms, got colours shown for {longest:g} at most: seconds?"
        raise FieldError(problem, "flips", index + 1, "t_ms")
