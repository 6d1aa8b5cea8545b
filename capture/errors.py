"""The one error tree of the package; every message names the file, field or device and the cure."""

from __future__ import annotations

from pathlib import Path


class CaptureError(Exception):
    """Root of everything that can go wrong between the light and a labelled frame."""


class SourceError(CaptureError):
    """A file or folder is no readable session: missing, empty, truncated, without video."""

    def __init__(self, path: str | Path, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = str(path)
        self.problem = problem


class SidecarError(SourceError):
    """A sidecar or ``session.json`` holds a value that cannot be true; names the field."""

    def __init__(self, path: str | Path, field: str, problem: str) -> None:
        super().__init__(path, f"{field}: {problem}" if field else problem)
        self.field = field


class CameraError(CaptureError):
    """A camera cannot be opened, or stopped delivering new frames."""


class DisplayError(CaptureError):
    """The screen cannot be opened, or its flips have no known time."""


class PlanError(CaptureError):
    """An illumination plan is malformed or fails the photosensitivity check."""
