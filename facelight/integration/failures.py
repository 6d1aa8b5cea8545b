"""The roots of everything that is raised on purpose; each message names the cause and the cure."""

from __future__ import annotations

from typing import Final

from calibration.errors import CalibrationError
from capture.errors import CaptureError
from facelight.errors import FacelightError
from preprocess.errors import PreprocessError
from uploader.errors import UploaderError

__all__ = ["ERRORS", "CaptureError", "FacelightError", "PreprocessError", "UploaderError"]

ERRORS: Final = (
    CaptureError,
    PreprocessError,
    UploaderError,
    CalibrationError,
    FacelightError,
)
"""``except facelight.ERRORS`` catches every one."""
