"""The part of OpenCV's ``VideoCapture`` that we use, as a port; and a feed over it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from capture.clock import Clock
from capture.live.options import LiveOptions
from capture.live.reading.feed import DamagedFrameError, FeedFacts, RawFrame, as_bgr
from capture.live.reading.jpeg import whole_jpeg
from capture.live.webcam.controls import CameraControls
from capture.live.webcam.properties import Port, Property

STAMP_LIMIT_NS = 300_000_000
"""A driver's stamp is older than the arrival by USB, a few buffers and our own delay, no more."""

_EMPTY_HANDED_NS = 10_000_000


class VideoDevice(Port, Protocol):
    """An opened camera; used by one thread only, and never after ``release``."""

    @property
    def backend(self) -> str:
        """OpenCV's name of the backend, such as ``V4L2``."""
        ...

    def grab(self) -> bool:
        """Wait for the next frame; False when there was none."""
        ...

    def retrieve(self) -> NDArray[np.uint8] | None:
        """Return the grabbed frame, decoded, or as (1, N) bytes where raw data were asked for."""
        ...

    def release(self) -> None:
        """Give the camera back."""
        ...


OpenDevice: TypeAlias = Callable[[LiveOptions], VideoDevice]
"""Opens one certain camera with the wishes given; raises CameraError."""


class DeviceFeed:
    """Frames of an opened device.

    A device in raw mode (``CONVERT_RGB`` 0) hands out JPEG data as one row of bytes; they stay as
    they are.

    Parameters
    ----------
    who : what is known of the device's identity, by name.
    """

    def __init__(
        self,
        device: VideoDevice,
        controls: CameraControls | None,
        clock: Clock,
        who: Mapping[str, str] | None = None,
    ) -> None:
        self._device = device
        self._who = dict(who or {})
        self._clock = clock
        self._controls = controls
        self._facts = self._read_back()
        if controls is not None:
            controls.prepare()

    @property
    def facts(self) -> FeedFacts:
        """Backend, and the format that the device claims to deliver."""
        return self._facts

    @property
    def stamp_limit_ns(self) -> int:
        """See `STAMP_LIMIT_NS`."""
        return STAMP_LIMIT_NS

    @property
    def stamp_source(self) -> str:
        """The driver."""
        return "driver"

    @property
    def controls(self) -> CameraControls | None:
        """Exposure, white balance and focus."""
        return self._controls

    def next(self) -> RawFrame | None:
        """Return the next frame; None when the device had none."""
        if not self._device.grab():
            # some drivers refuse at once, and go on refusing
            self._clock.sleep_until(self._clock.now_ns() + _EMPTY_HANDED_NS)
            return None
        received_ns = self._clock.now_ns()
        source_ns = self._driver_stamp()
        data = self._device.retrieve()
        if data is None or data.size == 0:
            raise DamagedFrameError("a frame without data")
        if data.ndim == 2 and data.shape[0] == 1:
            return RawFrame(received_ns, source_ns, jpeg=whole_jpeg(data.tobytes()))
        return RawFrame(received_ns, source_ns, pixels=as_bgr(data))

    def close(self) -> None:
        """Restore the controls, then release the device."""
        if self._controls is not None:
            self._controls.restore()
        self._device.release()

    def _driver_stamp(self) -> int | None:
        """Return the stamp of the buffer that was grabbed last, on whatever clock."""
        stamp_ms = self._device.get(Property.POS_MSEC)
        return round(stamp_ms * 1e6) if math.isfinite(stamp_ms) and stamp_ms > 0 else None

    def _read_back(self) -> FeedFacts:
        claimed = self._device.get(Property.FPS)
        width, height = (
            self._device.get(number) for number in (Property.FRAME_WIDTH, Property.FRAME_HEIGHT)
        )
        details = {
            "backend": self._device.backend,
            "fourcc": fourcc_text(self._device.get(Property.FOURCC)),
            "claimed_size": f"{_whole(width)}x{_whole(height)}",
            **self._who,
        }
        fps = claimed if math.isfinite(claimed) and claimed > 0 else None
        return FeedFacts(fps, details=details)


def fourcc_text(code: float) -> str:
    """Return ``MJPG`` for OpenCV's number of it; empty where the backend has none."""
    number = _whole(code)
    if number <= 0 or number >= 1 << 32:
        return ""
    text = number.to_bytes(4, "little").decode("latin-1").rstrip("\0 ")
    return text if text.isprintable() and text.isascii() else f"0x{number:08x}"


def fourcc_number(text: str) -> int:
    """Return OpenCV's number of a four-character code."""
    return int.from_bytes(text.encode("ascii"), "little")


def _whole(value: float) -> int:
    return int(value) if math.isfinite(value) else 0
