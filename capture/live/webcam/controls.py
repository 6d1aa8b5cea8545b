"""Exposure, white balance and focus: left alone to settle, frozen for the light, given back."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import TYPE_CHECKING, Protocol

from capture.live.options import LiveOptions
from capture.live.webcam.exposure_lock import lock_exposure, mean_level, refused
from capture.live.webcam.found_controls import FoundControls
from capture.live.webcam.properties import Dialect, Port, Property

if TYPE_CHECKING:
    from pydantic import JsonValue

_REMEMBERED = (
    Property.AUTO_EXPOSURE,
    Property.EXPOSURE,
    Property.GAIN,
    Property.AUTO_WB,
    Property.WB_TEMPERATURE,
    Property.AUTOFOCUS,
    Property.FOCUS,
)


class SideControls(Protocol):
    """Controls that OpenCV has no property for."""

    def prepare(self) -> Mapping[str, JsonValue]:
        """Set them, return what was set."""
        ...

    def restore(self) -> None:
        """Put back what was found."""
        ...


class CameraControls:
    """The controls of one opened device; used by the thread that reads it. Never raises.

    A control that ``options`` do not ask to lock is not touched at all.

    Parameters
    ----------
    dialect : None for a backend that cannot lock anything.
    side : what OpenCV does not reach.
    memory : keeps how the camera was found until it has been given back.
    """

    def __init__(
        self,
        port: Port,
        dialect: Dialect | None,
        options: LiveOptions,
        side: SideControls | None = None,
        memory: FoundControls | None = None,
    ) -> None:
        self._port = port
        self._dialect = dialect
        self._options = options
        self._side = side
        self._memory = memory
        self._found: dict[Property, float] = {}
        self._extras: Mapping[str, JsonValue] = {}

    def prepare(self) -> None:
        """Remember how the camera was found, and let it settle by itself."""
        if self._dialect is not None:
            self._found = {number: self._port.get(number) for number in _REMEMBERED}
            self._remember()
        if self._side is not None:
            self._extras = self._side.prepare()
        self.unlock()

    def lock(self) -> Generator[None, float, Mapping[str, JsonValue]]:
        """Freeze step by step; wants the mean level (0 to 255) of every new frame sent to it.

        Returns what was locked to which value and what was refused. When it is closed early, the
        controls are automatic again.
        """
        if self._dialect is None:
            entry = refused("not offered by this backend")
            return {"exposure": entry, "white_balance": entry, "focus": entry}
        done = False
        try:
            before = yield from mean_level(0)
            white_balance = self._lock_white_balance(self._dialect)
            focus = self._lock_focus()
            exposure: JsonValue = refused("not asked for")
            if self._options.lock_exposure:
                exposure = yield from lock_exposure(
                    self._port, self._dialect, self._options, before
                )
            if isinstance(exposure, dict) and not exposure["locked"]:
                self._free_exposure(self._dialect)
            done = True
        finally:
            if not done:
                self.unlock()
        return {
            "exposure": exposure,
            "white_balance": white_balance,
            "focus": focus,
            **self._extras,
        }

    def unlock(self) -> None:
        """Let the camera decide again."""
        if self._dialect is None:
            return
        self._free_exposure(self._dialect)
        if self._options.lock_white_balance and self._dialect.white_balance:
            self._port.set(Property.AUTO_WB, 1.0)
        if self._options.lock_focus and self._has(Property.AUTOFOCUS):
            self._port.set(Property.AUTOFOCUS, 1.0)

    def restore(self) -> None:
        """Put everything back as it was found when the device was opened."""
        if self._dialect is not None and self._found:
            self._restore_exposure(self._dialect)
            if self._options.lock_white_balance and self._dialect.white_balance:
                self._give_back(Property.AUTO_WB, Property.WB_TEMPERATURE)
            if self._options.lock_focus and self._has(Property.AUTOFOCUS):
                self._give_back(Property.AUTOFOCUS, Property.FOCUS)
        if self._side is not None:
            self._side.restore()
        if self._memory is not None:
            self._memory.forget()

    def _remember(self) -> None:
        """Take over what a killed run had found, and write down what is to be given back."""
        if self._memory is None:
            return
        left = self._memory.left()
        self._found = {n: left.get(n.name, value) for n, value in self._found.items()}
        self._memory.keep({number.name: value for number, value in self._found.items()})

    def _has(self, number: Property) -> bool:
        """Return whether the camera has a control: OpenCV answers -1 where it has not."""
        return self._found.get(number, -1.0) >= 0

    def _free_exposure(self, dialect: Dialect) -> None:
        if not self._options.lock_exposure:
            return
        found = self._found.get(Property.AUTO_EXPOSURE, -1.0)
        # shutter priority (2) and full auto (0) are automatic too, and not every camera has 3
        usable = dialect.reads_auto and found >= 0 and not dialect.is_manual(found)
        self._port.set(Property.AUTO_EXPOSURE, found if usable else dialect.auto)

    def _restore_exposure(self, dialect: Dialect) -> None:
        if not self._options.lock_exposure:
            return
        self._free_exposure(dialect)
        if dialect.is_manual(self._found[Property.AUTO_EXPOSURE]):
            self._port.set(Property.AUTO_EXPOSURE, self._found[Property.AUTO_EXPOSURE])
            self._port.set(Property.EXPOSURE, self._found[Property.EXPOSURE])
        if self._has(Property.GAIN):
            self._port.set(Property.GAIN, self._found[Property.GAIN])

    def _give_back(self, switch: Property, value: Property) -> None:
        self._port.set(switch, self._found[switch])
        if self._found[switch] == 0 and self._has(value):
            self._port.set(value, self._found[value])

    def _lock_white_balance(self, dialect: Dialect) -> JsonValue:
        if not self._options.lock_white_balance:
            return refused("not asked for")
        if not (dialect.white_balance and self._has(Property.AUTO_WB)):
            return refused("not offered by this camera or backend")
        kelvin = self._options.white_balance_k or self._port.get(Property.WB_TEMPERATURE)
        self._port.set(Property.AUTO_WB, 0.0)
        if kelvin > 0:
            self._port.set(Property.WB_TEMPERATURE, float(kelvin))
        if self._port.get(Property.AUTO_WB) != 0.0:
            self._port.set(Property.AUTO_WB, 1.0)
            return refused("the camera keeps automatic white balance")
        return {"locked": True, "kelvin": self._port.get(Property.WB_TEMPERATURE)}

    def _lock_focus(self) -> JsonValue:
        if not self._options.lock_focus:
            return refused("not asked for")
        if not self._has(Property.AUTOFOCUS):
            return refused("not offered by this camera or backend")
        position = self._port.get(Property.FOCUS)
        self._port.set(Property.AUTOFOCUS, 0.0)
        if position >= 0:
            self._port.set(Property.FOCUS, position)
        if self._port.get(Property.AUTOFOCUS) != 0.0:
            self._port.set(Property.AUTOFOCUS, 1.0)
            return refused("the camera keeps automatic focus")
        return {"locked": True, "position": self._port.get(Property.FOCUS)}
