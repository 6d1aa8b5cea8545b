"""Exposure, white balance and focus: found, frozen for the light, and given back.

Values by backend (OpenCV 4.11): V4L2 takes menu entries for AUTO_EXPOSURE (1 manual, 3 aperture
priority, the usual auto; the often quoted 0.25 and 0.75 round to 0 and to *manual*) and EXPOSURE in
100 us; MSMF takes EXPOSURE as log2 of seconds and switches to manual by it, while writing
AUTO_EXPOSURE 0 would mean one second of exposure; AVFoundation has nothing.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from capture.live.options import LiveOptions

if TYPE_CHECKING:
    from pydantic import JsonValue

_LOG = logging.getLogger(__name__)

AUTO_EXPOSURE, EXPOSURE, GAIN = 21, 15, 14
AUTO_WB, WB_TEMPERATURE, TEMPERATURE = 44, 45, 23
AUTOFOCUS, FOCUS = 39, 28

LEVEL_FRAMES = 2
PIPELINE_FRAMES = 4
"""Frames that are under way when a control is written: they show the old value."""

TOLERANCE = 0.06
"""Of the mean code value; the person moves meanwhile, so less would chase them."""

GIVE_UP = 0.25
CORRECTIONS = 3
GAMMA = 2.2
LENGTHEN = 1.1
"""A whole number of half periods may be a little longer than what auto exposure chose."""


class Port(Protocol):
    """Where controls are read and written: a `Device`."""

    def get(self, number: int) -> float:
        """Return a property."""
        ...

    def set(self, number: int, value: float) -> bool:
        """Set a property."""
        ...


class SideControls(Protocol):
    """Controls that OpenCV has no property for."""

    def prepare(self) -> Mapping[str, JsonValue]:
        """Set them, return what was set."""
        ...

    def restore(self) -> None:
        """Put back what was found."""
        ...


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a backend speaks of its controls.

    Attributes
    ----------
    manual : what to write to AUTO_EXPOSURE, one attempt after the other; empty where writing
        EXPOSURE switches by itself.
    auto : what to write to AUTO_EXPOSURE for automatic.
    reads_auto : AUTO_EXPOSURE can be read back.
    to_ms, from_ms : EXPOSURE's unit.
    temperature : the property of the colour temperature; None without a lock of white balance.
    """

    manual: tuple[tuple[float, ...], ...]
    auto: float
    reads_auto: bool
    to_ms: Callable[[float], float]
    from_ms: Callable[[float], float]
    temperature: int | None


V4L2 = Dialect(
    manual=((1.0,), (3.0, 1.0)),
    auto=3.0,
    reads_auto=True,
    to_ms=lambda value: value / 10,
    from_ms=lambda ms: max(1.0, float(round(ms * 10))),
    temperature=WB_TEMPERATURE,
)

MSMF = Dialect(
    manual=(),
    auto=1.0,
    reads_auto=False,
    to_ms=lambda value: 1000 * 2.0**value,
    from_ms=lambda ms: float(round(math.log2(ms / 1000))),
    temperature=None,
)

DIALECTS = {"V4L2": V4L2, "MSMF": MSMF}
"""By OpenCV's name of the backend; others lock nothing."""


def steady_exposure_ms(exposure_ms: float, mains_hz: int) -> float:
    """Return the exposure of whole mains half periods next below, so that lamps do not flicker.

    Lengthened by 10 % at most: a light too bright for one half period stays as it is, for it would
    be overexposed.
    """
    if mains_hz == 0:
        return exposure_ms
    half_ms = 500 / mains_hz
    count = math.floor(exposure_ms * LENGTHEN / half_ms)
    return count * half_ms if count else exposure_ms


class CameraControls:
    """The controls of one opened device; used by the thread that reads the device.

    Parameters
    ----------
    port : the device.
    dialect : None for a backend that cannot lock anything.
    side : what OpenCV does not reach.
    """

    def __init__(
        self,
        port: Port,
        dialect: Dialect | None,
        options: LiveOptions,
        side: SideControls | None = None,
    ) -> None:
        self._port = port
        self._dialect = dialect
        self._options = options
        self._side = side
        self._found: dict[int, float] = {}
        self._extras: Mapping[str, JsonValue] = {}

    def prepare(self) -> None:
        """Remember how the camera was found and let it settle by itself."""
        if self._dialect is None:
            return
        numbers = [AUTO_EXPOSURE, EXPOSURE, GAIN, AUTO_WB, AUTOFOCUS, FOCUS]
        if self._dialect.temperature is not None:
            numbers.append(self._dialect.temperature)
        self._found = {number: self._port.get(number) for number in numbers}
        if self._side is not None:
            self._extras = self._side.prepare()
        self.unlock()

    def lock(self) -> Generator[None, float, Mapping[str, JsonValue]]:
        """Freeze step by step; wants the mean level (0 to 255) of every new frame sent to it.

        Returns what was locked to which value and what was refused. Closing it early leaves the
        controls automatic.
        """
        report: dict[str, JsonValue] = {
            name: {"locked": False, "problem": "not offered by this backend"}
            for name in ("exposure", "white_balance", "focus")
        }
        if self._dialect is None:
            return report
        done = False
        try:
            before = yield from _mean_level(0)
            report["white_balance"] = self._lock_white_balance(self._dialect)
            report["focus"] = self._lock_focus()
            report["exposure"] = yield from self._lock_exposure(self._dialect, before)
            report.update(self._extras)
            done = True
            return report
        finally:
            if not done:
                self.unlock()

    def unlock(self) -> None:
        """Give the controls that we lock back to the camera."""
        if self._dialect is None:
            return
        if self._options.lock_exposure:
            self._auto_exposure(self._dialect)
        if self._options.lock_white_balance and self._dialect.temperature is not None:
            self._port.set(AUTO_WB, 1.0)
        if self._options.lock_focus and self._has(AUTOFOCUS):
            self._port.set(AUTOFOCUS, 1.0)

    def restore(self) -> None:
        """Put everything back as it was found when the device was opened."""
        dialect, found = self._dialect, self._found
        if dialect is None or not found:
            return
        if self._options.lock_exposure:
            if dialect.reads_auto and found[AUTO_EXPOSURE] == dialect.manual[0][-1]:
                self._port.set(AUTO_EXPOSURE, found[AUTO_EXPOSURE])
                self._port.set(EXPOSURE, found[EXPOSURE])
            else:
                self._auto_exposure(dialect)
            if found[GAIN] >= 0:
                self._port.set(GAIN, found[GAIN])
        if self._options.lock_white_balance and dialect.temperature is not None:
            self._give_back(AUTO_WB, dialect.temperature)
        if self._options.lock_focus and self._has(AUTOFOCUS):
            self._give_back(AUTOFOCUS, FOCUS)
        if self._side is not None:
            self._side.restore()

    def _give_back(self, switch: int, value: int) -> None:
        self._port.set(switch, self._found[switch])
        if self._found[switch] == 0 and self._found[value] >= 0:
            self._port.set(value, self._found[value])

    def _auto_exposure(self, dialect: Dialect) -> None:
        found = self._found.get(AUTO_EXPOSURE, dialect.auto)
        manual = dialect.manual[0][-1] if dialect.manual else None
        usable = dialect.reads_auto and found >= 0 and found != manual
        # shutter priority (2) and full auto (0) are automatic too, and not every camera has 3
        self._port.set(AUTO_EXPOSURE, found if usable else dialect.auto)

    def _has(self, number: int) -> bool:
        """Return whether the camera has a switch: OpenCV answers -1 where it has not."""
        return self._found.get(number, -1.0) >= 0

    def _lock_white_balance(self, dialect: Dialect) -> JsonValue:
        if not self._options.lock_white_balance:
            return _refused("not asked for")
        if dialect.temperature is None:
            return _refused("not offered by this backend")
        asked = self._options.white_balance_k or self._port.get(dialect.temperature)
        self._port.set(AUTO_WB, 0.0)
        if asked > 0:
            self._port.set(dialect.temperature, float(asked))
        if self._port.get(AUTO_WB) != 0.0:
            self._port.set(AUTO_WB, 1.0)
            return _refused("the camera keeps automatic white balance")
        return {"locked": True, "kelvin": self._port.get(dialect.temperature)}

    def _lock_focus(self) -> JsonValue:
        if not self._options.lock_focus:
            return _refused("not asked for")
        if not self._has(AUTOFOCUS):
            return _refused("the lens is fixed")
        position = self._port.get(FOCUS)
        self._port.set(AUTOFOCUS, 0.0)
        if position >= 0:
            self._port.set(FOCUS, position)
        if self._port.get(AUTOFOCUS) != 0.0:
            self._port.set(AUTOFOCUS, 1.0)
            return _refused("the camera keeps automatic focus")
        return {"locked": True, "position": self._port.get(FOCUS)}

    def _lock_exposure(self, dialect: Dialect, before: float) -> Generator[None, float, JsonValue]:
        """Set manual exposure and see whether the picture stays as bright as it should.

        Many cameras report, while they expose automatically, a value of long ago; writing that back
        would leave the session in the dark. So the picture decides.
        """
        if not self._options.lock_exposure:
            return _refused("not asked for")
        auto_ms = dialect.to_ms(self._port.get(EXPOSURE))
        gain = self._port.get(GAIN)
        fixed = self._options.exposure_ms
        wanted_ms = fixed or steady_exposure_ms(auto_ms, self._options.mains_hz)
        problem = self._write_exposure(dialect, wanted_ms)
        if problem:
            self._auto_exposure(dialect)
            return _refused(problem)
        if gain >= 0:
            self._port.set(GAIN, gain)
        for correction in range(CORRECTIONS + 1):
            after = yield from _mean_level(PIPELINE_FRAMES)
            target = before * (wanted_ms / auto_ms) ** (1 / GAMMA) if correction == 0 else before
            error = after / target - 1 if target > 1 else 0.0
            if fixed or abs(error) <= TOLERANCE or correction == CORRECTIONS:
                break
            factor = min(8.0, max(0.125, (before / max(after, 1.0)) ** GAMMA))
            wanted_ms = steady_exposure_ms(wanted_ms * factor, self._options.mains_hz)
            self._write_exposure(dialect, wanted_ms)
        if not fixed and abs(error) > GIVE_UP:
            self._auto_exposure(dialect)
            return _refused(f"the picture became {error:+.0%} as bright by it")
        read_ms = dialect.to_ms(self._port.get(EXPOSURE))
        return {
            "locked": True,
            "exposure_ms": round(read_ms, 3),
            "gain": gain if gain >= 0 else None,
        }

    def _write_exposure(self, dialect: Dialect, exposure_ms: float) -> str:
        """Switch to manual and set the exposure; returns what went wrong, empty if nothing did."""
        value = dialect.from_ms(exposure_ms)
        for attempt in dialect.manual or ((),):
            for switch in attempt:
                self._port.set(AUTO_EXPOSURE, switch)
            self._port.set(EXPOSURE, value)
            switched = not dialect.reads_auto or self._port.get(AUTO_EXPOSURE) == attempt[-1]
            got = self._port.get(EXPOSURE)
            if switched and abs(got - value) <= max(1.0, 0.05 * abs(value)):
                return ""
        return "the camera keeps automatic exposure" if not switched else "the value is refused"


def _mean_level(skip: int) -> Generator[None, float, float]:
    """Return the mean of the next levels after leaving out some."""
    total = 0.0
    for index in range(skip + LEVEL_FRAMES):
        level = yield
        total += level if index >= skip else 0.0
    return total / LEVEL_FRAMES


def _refused(problem: str) -> JsonValue:
    return {"locked": False, "problem": problem}
