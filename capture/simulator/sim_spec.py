"""``sim:`` camera specifications: a line of options to a simulated session, and clear refusals."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from difflib import get_close_matches
from enum import StrEnum
from typing import Any, NoReturn, TypeVar

from capture.errors import CameraError
from capture.simulator.lighting import RoomOptions, SimulatedScreenOptions
from capture.simulator.options import (
    CameraOptions,
    ControlLock,
    PersonKind,
    PersonOptions,
    SimulatorOptions,
)
from capture.simulator.person.movement import TIMED, Motion, MotionStep

SCHEME = "sim:"

_Choice = TypeVar("_Choice", bound=StrEnum)


class SpecError(CameraError):
    """A ``sim:`` specification with an unknown option or an impossible value; see ``option``."""

    def __init__(self, option: str, problem: str) -> None:
        super().__init__(f"sim: {option}: {problem}" if option else f"sim: {problem}")
        self.option = option


@dataclass(frozen=True, slots=True)
class _Key:
    """One option of the line: the field it sets and how its text is read."""

    section: str
    field: str
    read: Callable[[str, str], Any]


def _refuse(option: str, expected: str, text: str) -> NoReturn:
    raise SpecError(option, f"expected {expected}, got '{text}'")


def _number(*units: str) -> Callable[[str, str], float]:
    """Return a reader of numbers that may carry one of ``units``."""
    accepted = " or ".join(f"'1{unit}'" for unit in units)

    def read(option: str, text: str) -> float:
        number = text
        for unit in units:
            if text.endswith(unit):
                number = text[: -len(unit)]
                break
        try:
            value = float(number)
        except ValueError:
            value = math.nan
        if not math.isfinite(value) or "_" in number:
            _refuse(option, f"a number such as '1'{f' or {accepted}' if units else ''}", text)
        return value

    return read


def _whole(option: str, text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        _refuse(option, "a whole number from 0", text)
    return int(text)


def _size(option: str, text: str) -> tuple[int, int]:
    width, cross, height = text.lower().partition("x")
    if not (cross and width.isdecimal() and height.isdecimal()):
        _refuse(option, "WIDTHxHEIGHT such as '1280x720'", text)
    return int(width), int(height)


def _one_of(kind: type[_Choice]) -> Callable[[str, str], _Choice]:
    def read(option: str, text: str) -> _Choice:
        try:
            return kind(text)
        except ValueError:
            _refuse(option, f"one of {', '.join(kind)}", text)

    return read


def _motion(option: str, text: str) -> tuple[MotionStep, ...]:
    steps = []
    for part in text.split("+"):
        name, at, when = part.partition("@")
        motion = _one_of(Motion)(option, name)
        if bool(at) != (motion in TIMED):
            wanted = "a time, as in" if motion in TIMED else "no time after"
            _refuse(option, f"{wanted} '{motion}{'@2.0s' if motion in TIMED else ''}'", part)
        at_s = _number("s")(option, when) if at else 0.0
        if at_s < 0:
            _refuse(option, "a time from 0 s", part)
        steps.append(MotionStep(motion, at_s))
    return tuple(steps)


def _path(option: str, text: str) -> str:
    if not text:
        _refuse(option, "a path", text)
    return text


def _eyes(option: str, text: str) -> tuple[float, float, float, float]:
    numbers = [_number()(option, part) for part in text.split("/")]
    if len(numbers) != 4:
        _refuse(option, "X/Y/X/Y of the left and the right eye in pixels", text)
    return numbers[0], numbers[1], numbers[2], numbers[3]


def _rgb(option: str, text: str) -> tuple[int, int, int]:
    parts = [_whole(option, part) for part in text.split("/")]
    if len(parts) != 3 or max(parts) > 255:
        _refuse(option, "R/G/B, each 0 to 255", text)
    return parts[0], parts[1], parts[2]


_KEYS: dict[str, _Key] = {
    "person": _Key("person", "kind", _one_of(PersonKind)),
    "skin": _Key("person", "skin_tone", _number()),
    "distance": _Key("person", "distance_cm", _number("cm")),
    "x": _Key("person", "x_cm", _number("cm")),
    "y": _Key("person", "y_cm", _number("cm")),
    "yaw": _Key("person", "yaw_deg", _number("deg")),
    "pitch": _Key("person", "pitch_deg", _number("deg")),
    "roll": _Key("person", "roll_deg", _number("deg")),
    "eyes": _Key("person", "eyes_open", _number()),
    "mouth": _Key("person", "mouth_open", _number()),
    "motion": _Key("person", "motion", _motion),
    "portrait": _Key("person", "portrait", _path),
    "portrait-eyes": _Key("person", "portrait_eyes", _eyes),
    "size": _Key("camera", "size_wh", _size),
    "fps": _Key("camera", "fps", _number()),
    "fov": _Key("camera", "fov_deg", _number("deg")),
    "exposure": _Key("camera", "exposure_ms", _number("ms")),
    "readout": _Key("camera", "readout_ms", _number("ms")),
    "latency": _Key("camera", "latency_ms", _number("ms")),
    "stamp-jitter": _Key("camera", "stamp_jitter_ms", _number("ms")),
    "delivery": _Key("camera", "delivery_ms", _number("ms")),
    "delivery-jitter": _Key("camera", "delivery_jitter_ms", _number("ms")),
    "drops": _Key("camera", "drops", _number()),
    "duplicates": _Key("camera", "duplicates", _number()),
    "clock": _Key("camera", "clock_ppm", _number("ppm")),
    "noise": _Key("camera", "noise", _number()),
    "lock": _Key("camera", "control", _one_of(ControlLock)),
    "mjpeg": _Key("camera", "mjpeg_quality", _whole),
    "screen": _Key("screen", "diagonal_in", _number("in")),
    "nits": _Key("screen", "nits", _number()),
    "lag": _Key("screen", "lag_ms", _number("ms")),
    "scan": _Key("screen", "scan_ms", _number("ms")),
    "lcd": _Key("screen", "lcd_tau_ms", _number("ms")),
    "refresh": _Key("screen", "refresh_hz", _number("Hz")),
    "idle": _Key("screen", "idle_rgb", _rgb),
    "ambient": _Key("room", "ambient_lx", _number("lx")),
    "flicker": _Key("room", "flicker", _number()),
    "mains": _Key("room", "mains_hz", _number("Hz")),
    "wall": _Key("room", "wall_cm", _number("cm")),
    "seed": _Key("", "seed", _whole),
    "duration": _Key("", "duration_s", _number("s")),
}

_SECTIONS: dict[str, type] = {
    "person": PersonOptions,
    "camera": CameraOptions,
    "screen": SimulatedScreenOptions,
    "room": RoomOptions,
    "": SimulatorOptions,
}

OPTIONS = tuple(_KEYS)
"""Names of the options, in the order of the documentation."""


def parse_spec(spec: str) -> SimulatorOptions:
    """Return the options of ``sim:name=value,name=value``; ``sim:`` alone is the default person.

    Lengths in cm, times in ms (``duration`` and motion in s), angles in degrees; a unit may follow
    the number. A portrait's path must hold no comma.

    Raises
    ------
    SpecError
        not a ``sim:`` specification, an unknown or repeated option, a value of the wrong form or
        out of range; the message names the option, what was expected and, for names, the valid
        ones.
    """
    if not spec.startswith(SCHEME):
        raise SpecError("", f"expected a specification that starts with 'sim:', got '{spec}'")
    chosen: dict[str, dict[str, Any]] = {section: {} for section in _SECTIONS}
    body = spec[len(SCHEME) :]
    for item in body.split(",") if body else []:
        name, equals, text = item.partition("=")
        name, text = name.strip(), text.strip()
        key = _known(name)
        if not equals:
            raise SpecError(name, "expected a value, as in 'name=value'")
        if key.field in chosen[key.section]:
            raise SpecError(name, "given twice")
        value = key.read(name, text)
        _in_range(name, _SECTIONS[key.section], key.field, value)
        chosen[key.section][key.field] = value
    return replace(
        SimulatorOptions(),
        person=PersonOptions(**chosen["person"]),
        camera=CameraOptions(**chosen["camera"]),
        screen=SimulatedScreenOptions(**chosen["screen"]),
        room=RoomOptions(**chosen["room"]),
        **chosen[""],
    )


def _known(name: str) -> _Key:
    if name in _KEYS:
        return _KEYS[name]
    close = get_close_matches(name, _KEYS, 1)
    hint = f"did you mean '{close[0]}'? " if close else ""
    raise SpecError(name or "''", f"unknown option; {hint}valid ones: {', '.join(_KEYS)}")


def _in_range(name: str, section: type, field: str, value: Any) -> None:
    """Hold a number against the range that its option declares."""
    declared = next(item for item in fields(section) if item.name == field).metadata
    low, high = declared.get("low"), declared.get("high")
    if low is None or high is None or not isinstance(value, int | float):
        return
    if not low <= value <= high:
        raise SpecError(name, f"expected {low:g} to {high:g} {declared['unit']}, got {value:g}")
