"""Where frames come from: any camera, any recorded session, or frames of one's own."""

from __future__ import annotations

from collections.abc import Iterator

from capture.camera import Camera, CameraInfo, Provenance
from capture.files.source import SessionSource, open_source
from capture.frame import Frame
from capture.live.spec import open_camera

__all__ = [
    "Camera",
    "CameraInfo",
    "Frame",
    "Provenance",
    "SessionSource",
    "frames_of",
    "open_camera",
    "open_source",
]


def frames_of(camera: Camera, timeout_s: float = 2.0) -> Iterator[Frame]:
    """Yield the frames of a camera until it ends.

    Raises
    ------
    CameraError
        no new frame within ``timeout_s``, or the device is lost.
    SourceError
        the file behind the camera is damaged from here on.
    """
    while (frame := camera.read(timeout_s)) is not None:
        yield frame
