"""Records a live session beside the stages, and never slows them down."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from pathlib import Path

from capture.errors import CaptureError
from capture.frame import Frame
from capture.recording import RecordingHead, RecordingWriter
from capture.timeline import Timeline

QUEUE_FRAMES = 90
"""Three seconds: a whole session waits in memory where the disk stalls (250 MB at 720p)."""
JOIN_S = 30.0


class Recorder:
    """One recording in a thread of its own; a disk too slow for it ends the recording alone.

    Attributes
    ----------
    problem : why there will be no recording; empty while all is well.
    path : ``NAME.flrec``.
    """

    def __init__(self, path: Path, head: RecordingHead) -> None:
        self.path = path
        self.problem = ""
        self._writer = RecordingWriter(path, head)
        self._queue: queue.Queue[Frame | None] = queue.Queue(QUEUE_FRAMES)
        self._thread = threading.Thread(target=self._run, name="facelight-recorder", daemon=True)
        self._thread.start()

    def write(self, frame: Frame) -> None:
        """Hand over a frame; never waits."""
        if self.problem:
            return
        try:
            self._queue.put_nowait(frame)
        except queue.Full:
            self.problem = f"{self.path}: the disk does not keep up with the camera"

    def finish(self, timeline: Timeline | None) -> None:
        """Complete the recording in the background."""
        self._end(lambda: self._complete(timeline))

    def abort(self) -> None:
        """Delete what was written."""
        self._end(self._writer.abort)

    def _end(self, last: Callable[[], object]) -> None:
        self._last = last
        if not self._thread.is_alive():
            return
        try:
            self._queue.put(None, timeout=JOIN_S)
        except queue.Full:
            self.problem = self.problem or f"{self.path}: the disk does not answer"

    def join(self, timeout_s: float = JOIN_S) -> bool:
        """Wait until the recording is complete or gone; return whether it is."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while (frame := self._queue.get()) is not None:
            if self.problem:
                continue
            try:
                self._writer.write(frame)
            except CaptureError as error:
                self.problem = str(error)
        self._last()

    def _complete(self, timeline: Timeline | None) -> None:
        if self.problem:
            self._writer.abort()
            return
        try:
            self._writer.finish(timeline)
        except CaptureError as error:
            self.problem = str(error)
