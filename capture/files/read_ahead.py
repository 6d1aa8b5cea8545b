"""A camera that is read ahead in a thread: the next frames are decoded while one is looked at."""

from __future__ import annotations

from collections import deque
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from types import TracebackType
from typing import Final, Self

from capture.camera import Camera, CameraInfo
from capture.errors import CameraError
from capture.frame import Frame

FRAMES: Final = 4
"""Frames that wait: 11 MB at 720p. One would do; a few even out what single frames cost."""


class ReadAhead:
    """The frames of another camera, the same and in the same order; closes it, too.

    For files: nothing is gained on a live camera, whose newest frame is the one that counts. Errors
    come with the frame that they belong to.
    """

    def __init__(self, camera: Camera) -> None:
        self._camera = camera
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="read-ahead")
        self._coming: deque[Future[Frame | None]] = deque()
        self._open = True
        self._ended = False

    @property
    def info(self) -> CameraInfo:
        """What is known of the camera."""
        return self._camera.info

    def read(self, timeout_s: float = 2.0) -> Frame | None:
        """Return the next frame, or None after the last."""
        if not self._open:
            raise CameraError(f"{self.info.name}: the file is closed")
        while len(self._coming) < (1 if self._ended else FRAMES):
            self._coming.append(self._thread.submit(self._camera.read, timeout_s))
        try:
            frame = self._coming.popleft().result()
        except CancelledError as error:
            raise CameraError(f"{self.info.name}: the file is closed") from error
        self._ended = self._ended or frame is None
        return frame

    def close(self) -> None:
        """End the thread and release the file; idempotent."""
        if self._open:
            self._open = False
            self._thread.shutdown(wait=True, cancel_futures=True)
            self._coming.clear()
        self._camera.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
