"""Locking the exposure, with the picture as the judge of it."""

from __future__ import annotations

import math
from collections.abc import Generator
from typing import TYPE_CHECKING, TypeAlias

from capture.live.options import LiveOptions
from capture.live.webcam.properties import Dialect, Port, Property

if TYPE_CHECKING:
    from pydantic import JsonValue

LEVEL_FRAMES = 2
PIPELINE_FRAMES = 4
"""Frames that are under way when a control is written: they still show the old value."""

TOLERANCE = 0.06
"""Of the mean code value; the person moves meanwhile, so less would chase them."""

GIVE_UP = 0.25
CORRECTIONS = 3
GAMMA = 2.2
LENGTHEN = 1.1
"""A whole number of half periods may be a little longer than what auto exposure chose."""

Levels: TypeAlias = "Generator[None, float, JsonValue]"
"""Wants the mean level (0 to 255) of each new frame, returns what was achieved."""


def steady_exposure_ms(exposure_ms: float, mains_hz: int) -> float:
    """Return the whole number of mains half periods next below, so that lamps do not flicker.

    At 50 Hz 10 and 20 ms leave no flicker, 16.7 ms 16 %, 5 ms 64 %. Lengthened by 10 % at most: a
    light too bright for one half period stays as it is, it would be overexposed.
    """
    if mains_hz == 0:
        return exposure_ms
    half_ms = 500 / mains_hz
    count = math.floor(exposure_ms * LENGTHEN / half_ms)
    return count * half_ms if count else exposure_ms


def lock_exposure(port: Port, dialect: Dialect, options: LiveOptions, before: float) -> Levels:
    """Set manual exposure and correct it until the picture is as bright as it should be.

    Many cameras report, while they expose automatically, a value of long ago; writing that back
    would leave the session in the dark. A brightness that cannot be brought back within 25 % is a
    refusal, and exposure is left automatic; an exposure chosen by the operator is not judged.

    Parameters
    ----------
    before : the mean level with automatic exposure.
    """
    equal_ms = dialect.to_ms(port.get(Property.EXPOSURE))
    gain = port.get(Property.GAIN)
    if options.exposure_ms is not None:
        wanted_ms = options.exposure_ms
    else:
        wanted_ms = steady_exposure_ms(equal_ms, options.mains_hz)
    problem = _write(port, dialect, wanted_ms)
    if problem:
        return refused(problem)
    if gain >= 0:
        port.set(Property.GAIN, gain)
    error = 0.0
    for correction in range(CORRECTIONS + 1):
        after = yield from mean_level(PIPELINE_FRAMES)
        target = before * (wanted_ms / equal_ms) ** (1 / GAMMA)
        error = after / target - 1 if target > 1 else 0.0
        if options.exposure_ms is not None or abs(error) <= TOLERANCE or correction == CORRECTIONS:
            break
        # what the camera called its exposure was not the one that made the picture
        equal_ms /= min(8.0, max(0.125, (after / target) ** GAMMA))
        equal_ms = min(equal_ms, 1000 / options.fps)
        wanted_ms = steady_exposure_ms(equal_ms, options.mains_hz)
        _write(port, dialect, wanted_ms)
    if options.exposure_ms is None and abs(error) > GIVE_UP:
        return refused(f"the picture became {1 + error:.2f} times as bright")
    exposure_ms = round(dialect.to_ms(port.get(Property.EXPOSURE)), 3)
    return {"locked": True, "exposure_ms": exposure_ms, "gain": gain if gain >= 0 else None}


def mean_level(skip: int) -> Generator[None, float, float]:
    """Return the mean of the next levels after leaving out some."""
    total = 0.0
    for index in range(skip + LEVEL_FRAMES):
        level = yield
        total += level if index >= skip else 0.0
    return total / LEVEL_FRAMES


def refused(problem: str) -> JsonValue:
    """Return the entry of a control that goes on by itself."""
    return {"locked": False, "problem": problem}


def _write(port: Port, dialect: Dialect, exposure_ms: float) -> str:
    """Switch to manual and set the exposure; returns what went wrong, empty if nothing did."""
    value = dialect.from_ms(exposure_ms)
    problem = ""
    for attempt in dialect.manual:
        for switch in attempt:
            port.set(Property.AUTO_EXPOSURE, switch)
        port.set(Property.EXPOSURE, value)
        got = port.get(Property.EXPOSURE)
        if dialect.reads_auto and not dialect.is_manual(port.get(Property.AUTO_EXPOSURE)):
            problem = "the camera keeps automatic exposure"
        elif abs(got - value) > max(1.0, 0.05 * abs(value)):
            problem = f"the camera answers {value:g} with {got:g}"
        else:
            return ""
    return problem
