"""Cameras that do what a test says."""

from __future__ import annotations

import queue
from types import TracebackType
from typing import Self

from capture.camera import CameraInfo, Provenance
from capture.errors import CameraError
from capture.frame import Frame


class QueueCamera:
    """Gives what was put: frames, errors, or None for the end; without any, time-outs."""

    def __init__(self) -> None:
        self.given: queue.SimpleQueue[Frame | Exception | None] = queue.SimpleQueue()
        self.last_jpeg: bytes | None = None
        self.closed = False
        self.longest_read_s = 0.0

    @property
    def info(self) -> CameraInfo:
        return CameraInfo("queue", "queue", (64, 48), None, Provenance.SIMULATED)

    def read(self, timeout_s: float = 2.0) -> Frame | None:
        self.longest_read_s = max(self.longest_read_s, timeout_s)
        try:
            given = self.given.get(timeout=timeout_s)
        except queue.Empty as error:
            raise CameraError("no new frame") from error
        if isinstance(given, Exception):
            raise given
        return given

    def close(self) -> None:
        self.closed = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class DueCamera(QueueCamera):
    """A `QueueCamera` that tells what is due, and never waits."""

    def ready(self) -> bool:
        return not self.given.empty()
