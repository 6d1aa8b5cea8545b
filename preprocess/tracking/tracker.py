"""What every face tracker is; each adapter has a room of its own beside this module."""

from __future__ import annotations

from types import TracebackType
from typing import Protocol, Self

from capture.frame import Frame
from preprocess.face.face import Face


class Tracker(Protocol):
    """Finds the largest face of each frame; fresh, or reset, for every session and person."""

    @property
    def backend(self) -> str:
        """Name, version and model of the backend: scores of two backends do not compare."""
        ...

    def track(self, frame: Frame) -> Face | None:
        """Return the largest face or None.

        Raises
        ------
        TrackerError
            after ``close``, or when ``t_frame_ns`` does not increase.
        """
        ...

    def reset(self) -> None:
        """Forget every frame and face: what follows is bit for bit what a fresh tracker finds."""
        ...

    def close(self) -> None:
        """Release the model; idempotent."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...
