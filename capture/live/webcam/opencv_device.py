"""OpenCV's ``VideoCapture`` behind the `Device` port."""

from __future__ import annotations

import os
import sys
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from capture.errors import CameraError
from capture.live.options import LiveOptions
from capture.live.webcam.device import fourcc_number, fourcc_text
from capture.live.webcam.properties import Property

SELECT_TIMEOUT_S = "2"


def open_opencv(
    target: int | str, options: LiveOptions, backend: int | None = None
) -> OpenCvDevice:
    """Open a camera by index or path with everything that is asked of it.

    All parameters go into the one call that opens it, for every later change renegotiates the
    stream. A backend that refuses one of them refuses to open; then they are set one by one.

    Parameters
    ----------
    backend : OpenCV's number; None for the system's own (V4L2, MSMF, AVFoundation).

    Raises
    ------
    CameraError
        it cannot be opened.
    """
    cv2 = _opencv()
    if backend is None:
        backend = _own_backend(cv2)
    asked = wishes(options, v4l2=backend == cv2.CAP_V4L2)
    flat = [int(part) for wish in asked for part in wish]
    try:
        capture = cv2.VideoCapture(target, backend, flat)
        if not capture.isOpened():
            capture = cv2.VideoCapture(target, backend)
            for number, value in asked if capture.isOpened() else ():
                capture.set(number, value)
        if not capture.isOpened():
            raise CameraError("it cannot be opened; is another program using it?")
    except cv2.error as error:
        raise CameraError(f"it cannot be opened: {_first_line(error)}") from error
    device = OpenCvDevice(capture, cv2)
    # last, for a change of format undoes it; and only where the data are JPEG
    is_jpeg = fourcc_text(device.get(Property.FOURCC)) in {"MJPG", "JPEG"}
    if options.camera_jpeg and is_jpeg and backend == cv2.CAP_V4L2:
        device.set(Property.CONVERT_RGB, 0)
    return device


class OpenCvDevice:
    """A `Device`; cv2's errors become `CameraError`."""

    def __init__(self, capture: Any, cv2: ModuleType) -> None:
        self._capture = capture
        self._error: type[Exception] = cv2.error
        self.backend: str = capture.getBackendName()

    def grab(self) -> bool:
        """Wait for the next frame; False when there was none."""
        try:
            return bool(self._capture.grab())
        except self._error as error:
            raise CameraError(f"reading failed: {_first_line(error)}") from error

    def retrieve(self) -> NDArray[np.uint8] | None:
        """Return the grabbed frame in an array of its own."""
        try:
            found, pixels = self._capture.retrieve()
        except self._error as error:
            raise CameraError(f"reading failed: {_first_line(error)}") from error
        return pixels if found else None

    def get(self, number: int) -> float:
        """Return a property; 0 or -1 where there is none."""
        try:
            return float(self._capture.get(number))
        except self._error:
            return -1.0

    def set(self, number: int, value: float) -> bool:
        """Set a property; True proves nothing."""
        try:
            return bool(self._capture.set(number, value))
        except self._error:
            return False

    def release(self) -> None:
        """Give the camera back."""
        self._capture.release()


def wishes(options: LiveOptions, *, v4l2: bool) -> list[tuple[int, float]]:
    """Return what to set, in the backend's order: DirectShow forgets the format with the size."""
    width, height = options.size_wh
    size = [(Property.FRAME_WIDTH, width), (Property.FRAME_HEIGHT, height)]
    rate = [(Property.FPS, round(options.fps))]
    form = [(Property.FOURCC, fourcc_number(options.fourcc))] if options.fourcc else []
    ordered = [*form, *size, *rate] if v4l2 else [*size, *rate, *form]
    if options.buffers:
        ordered.append((Property.BUFFERSIZE, options.buffers))
    return [(int(number), float(value)) for number, value in ordered]


def _own_backend(cv2: ModuleType) -> int:
    """Return a backend for cameras: any other than that would be FFmpeg's, which takes files."""
    names = {"win32": "CAP_MSMF", "darwin": "CAP_AVFOUNDATION"}
    return int(getattr(cv2, names.get(sys.platform, "CAP_V4L2")))


def _opencv() -> ModuleType:
    """Import cv2 with the two settings that it reads from the environment only once.

    V4L2 waits 10 s for a frame by default, and cannot be stopped meanwhile; MSMF takes many
    seconds to open a camera when it looks for hardware transforms (opencv/opencv#17687).
    """
    os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", SELECT_TIMEOUT_S)
    os.environ.setdefault("OPENCV_VIDEOIO_MSMF_ENABLE_HW_TRANSFORMS", "0")
    import cv2  # noqa: PLC0415 - not before the environment is set

    return cv2


def _first_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
