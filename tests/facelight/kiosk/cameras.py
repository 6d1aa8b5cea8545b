"""Cameras that do what a test says."""

from __future__ import annotations

import queue
from collections.abc import Callable
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

    @property
    def info(self) -> CameraInfo:
        return CameraInfo("queue", "queue", (64, 48), None, Provenance.SIMULATED)

    def read(self, timeout_s: float = 2.0) -> Frame | None:
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


def wait_until(so: Callable[[], bool], timeout_s: float = 20.0) -> None:
    """Let other threads work until something is so."""
    import time

    end_s = time.monotonic() + timeout_s
    while not so():
        assert time.monotonic() < end_s, "it did not come to that"
        time.sleep(0.005)
