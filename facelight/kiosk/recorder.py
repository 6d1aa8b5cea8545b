"""Records a live session beside the stages, and never slows them down."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TypeAlias

from capture.errors import CaptureError
from capture.files.recording import RecordingHead, RecordingWriter, remove_unfinished
from capture.frame import Frame
from capture.light.timeline import Timeline

QUEUE_FRAMES = 90
"""Three seconds: a whole session waits in memory where the disk stalls (250 MB at 720p)."""

Ended: TypeAlias = Callable[["Recorder"], None]
OpenWriter: TypeAlias = Callable[[Path, RecordingHead], RecordingWriter]


class _Order(StrEnum):
    KEEP = "keep"
    DELETE = "delete"


class Recorder:
    """One recording in a thread of its own; a disk too slow for it ends the recording alone.

    Every method returns at once.

    Parameters
    ----------
    path : ``NAME.flrec``, which must not exist yet; it is opened in the thread.
    on_end : called once in the thread when the recording is complete, failed or was given up.
    open_writer : called in the thread.

    Attributes
    ----------
    problem : why there is no recording; empty while all is well.
    kept : the recording is complete on the disk.
    """

    def __init__(
        self,
        path: Path,
        head: RecordingHead,
        on_end: Ended | None = None,
        open_writer: OpenWriter = RecordingWriter,
    ) -> None:
        self.path = path
        self.problem = ""
        self.kept = False
        self._head = head
        self._on_end = on_end
        self._open_writer = open_writer
        self._frames: deque[tuple[Frame, bytes | None]] = deque()
        self._changed = threading.Condition()
        self._order: _Order | None = None
        self._timeline: Timeline | None = None
        self._thread = threading.Thread(target=self._run, name="facelight-recorder", daemon=True)
        self._thread.start()

    def write(self, frame: Frame, jpeg: bytes | None = None) -> None:
        """Hand over a frame, with the camera's own JPEG bytes where there are any."""
        with self._changed:
            if self.problem or self._order is not None:
                return
            if len(self._frames) >= QUEUE_FRAMES:
                self.problem = f"{self.path}: the disk does not keep up with the camera"
                self._frames.clear()
            else:
                self._frames.append((frame, jpeg))
            self._changed.notify()

    def finish(self, timeline: Timeline | None) -> None:
        """Complete the recording with the light that was really shown."""
        self._timeline = timeline
        self._end(_Order.KEEP)

    def abort(self) -> None:
        """Delete what was written; does nothing after ``finish``."""
        self._end(_Order.DELETE)

    def join(self, timeout_s: float) -> bool:
        """Wait until the recording is complete or gone; return whether it is."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def discard(self) -> None:
        """Delete what was written, now: its thread is too slow for a process that ends."""
        self.abort()
        remove_unfinished(self.path)

    def _end(self, order: _Order) -> None:
        with self._changed:
            if self._order is None:
                self._order = order
                if order is _Order.DELETE:
                    self._frames.clear()
                self._changed.notify()

    def _run(self) -> None:
        try:
            self._record()
        except CaptureError as error:
            self._fail(str(error))
        if self._on_end is not None:
            self._on_end(self)

    def _record(self) -> None:
        """Write until told to stop; an unfinished writer leaves nothing behind."""
        with self._open_writer(self.path, self._head) as writer:
            while (taken := self._next()) is not None:
                writer.write(*taken)
            if self._order is _Order.KEEP and not self.problem:
                writer.finish(self._timeline)
                self.kept = True

    def _next(self) -> tuple[Frame, bytes | None] | None:
        """Wait for a frame; None when there will be none, or the recording has failed."""
        with self._changed:
            self._changed.wait_for(lambda: self._frames or self._order or self.problem)
            if self.problem or not self._frames:
                return None
            return self._frames.popleft()

    def _fail(self, problem: str) -> None:
        with self._changed:
            self.problem = self.problem or problem
            self._frames.clear()
