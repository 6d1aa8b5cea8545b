"""The one error tree of the package."""

from __future__ import annotations

from pathlib import Path


class CalibrationError(Exception):
    """Root of everything that can go wrong between recordings and a profile."""


class LabelError(CalibrationError):
    """A labels file holds something that cannot be meant; names file, line and field."""

    def __init__(self, path: str | Path, line: int, problem: str) -> None:
        super().__init__(f"{path}:{line}: {problem}" if line else f"{path}: {problem}")
        self.path = str(path)
        self.line = line
        self.problem = problem


class MaterialError(CalibrationError):
    """Labelled material cannot be measured, or cannot answer the question; says which and why."""


class CacheError(CalibrationError):
    """The cache of measures is damaged or cannot be used; names the file and the cure."""


class TuningError(CalibrationError):
    """An option of the tuner has a value that makes no sense; names it and what was expected."""


class MeasurementError(CalibrationError):
    """What was recorded does not allow the measurement; says what was seen and what is needed."""


class ProfileError(CalibrationError):
    """A profile cannot be read, written or used for this camera; names file, field and cure."""

    def __init__(self, path: str | Path, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = str(path)
        self.problem = problem
