"""The few questions to V4L2 that OpenCV does not ask; Linux only, answered by None elsewhere.

Layouts and numbers: ``linux/videodev2.h`` and ``linux/v4l2-controls.h``, which are user-space ABI.
"""

from __future__ import annotations

import logging
import os
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from capture.live.webcam.found_controls import FoundControls

if TYPE_CHECKING:
    from pydantic import JsonValue

_LOG = logging.getLogger(__name__)

_QUERYCAP, _G_CTRL, _S_CTRL = 0x80685600, 0xC008561B, 0xC008561C
_CAPABILITY = struct.Struct("=16s32s32sIII12x")
_CONTROL = struct.Struct("=Ii")
_VIDEO_CAPTURE, _VIDEO_CAPTURE_MPLANE, _DEVICE_CAPS = 0x1, 0x1000, 0x80000000

DYNAMIC_FRAMERATE = 0x009A0903
"""V4L2_CID_EXPOSURE_AUTO_PRIORITY: 1 lets the camera halve its rate in dim, red or blue light."""

POWER_LINE_FREQUENCY = 0x00980918
_LINE_MENU = {0: 0, 50: 1, 60: 2}

Ioctl: TypeAlias = Callable[[Path, int, bytes], bytes]
"""Opens a node, does one call with a buffer, returns the buffer; raises OSError."""


def ioctl(node: Path, request: int, buffer: bytes) -> bytes:
    """Do one call on a device node.

    Raises
    ------
    OSError
        no such node, no permission, not on Linux, or the driver refuses.
    """
    try:
        import fcntl  # noqa: PLC0415 - not on Windows
    except ImportError as error:
        raise OSError("no V4L2 on this system") from error
    handle = os.open(node, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        content = bytearray(buffer)
        fcntl.ioctl(handle, request, content)
        return bytes(content)
    finally:
        os.close(handle)


def captures_video(node: Path, call: Ioctl = ioctl) -> bool | None:
    """Return whether a node delivers pictures (not metadata); None if it cannot be asked."""
    try:
        answer = call(node, _QUERYCAP, bytes(_CAPABILITY.size))
    except OSError:
        return None
    *_, all_caps, own_caps = _CAPABILITY.unpack(answer)
    caps = own_caps if all_caps & _DEVICE_CAPS else all_caps
    return bool(caps & (_VIDEO_CAPTURE | _VIDEO_CAPTURE_MPLANE))


@dataclass(frozen=True, slots=True)
class Capability:
    """What a driver says of itself and of its device."""

    driver: str
    card: str
    bus: str


def capability(node: Path, call: Ioctl = ioctl) -> Capability | None:
    """Return driver, card and bus of a node; None if it cannot be asked."""
    try:
        answer = call(node, _QUERYCAP, bytes(_CAPABILITY.size))
    except OSError:
        return None
    texts = _CAPABILITY.unpack(answer)[:3]
    return Capability(*(t.split(b"\0")[0].decode("utf-8", errors="replace").strip() for t in texts))


class LineControls:
    """Keeps a camera from halving its frame rate and from flickering with the lamps.

    OpenCV has no property for these two controls. A camera without them is none the worse.

    Parameters
    ----------
    memory : keeps how they were found until they have been given back.
    """

    def __init__(
        self,
        node: Path,
        mains_hz: int,
        call: Ioctl = ioctl,
        memory: FoundControls | None = None,
    ) -> None:
        self._memory = memory
        self._node = node
        self._call = call
        self._wanted = {DYNAMIC_FRAMERATE: 0, POWER_LINE_FREQUENCY: _LINE_MENU[mains_hz]}
        self._found: dict[int, int] = {}

    def prepare(self) -> Mapping[str, JsonValue]:
        """Set them and return what was set."""
        names = {DYNAMIC_FRAMERATE: "dynamic_framerate", POWER_LINE_FREQUENCY: "power_line"}
        done: dict[str, JsonValue] = {}
        left = self._memory.left() if self._memory is not None else {}
        for control, value in self._wanted.items():
            try:
                now = self._get(control)
                found = int(left.get(names[control], now))
                if found != value:
                    self._found[control] = found
                    self._keep(names)
                if now != value:
                    self._set(control, value)
                done[names[control]] = value
            except OSError as error:
                _LOG.debug("%s: control %#x: %s", self._node, control, error)
        return done

    def restore(self) -> None:
        """Put back what was changed."""
        for control, value in self._found.items():
            try:
                self._set(control, value)
            except OSError as error:
                _LOG.debug("%s: control %#x: %s", self._node, control, error)
        self._found.clear()
        if self._memory is not None:
            self._memory.forget()

    def _keep(self, names: Mapping[int, str]) -> None:
        if self._memory is not None:
            self._memory.keep({names[control]: found for control, found in self._found.items()})

    def _get(self, control: int) -> int:
        return int(_CONTROL.unpack(self._call(self._node, _G_CTRL, _CONTROL.pack(control, 0)))[1])

    def _set(self, control: int, value: int) -> None:
        self._call(self._node, _S_CTRL, _CONTROL.pack(control, value))
