"""The one error tree of the package."""

from __future__ import annotations


class CalibrationError(Exception):
    """Root of everything that can go wrong between recordings and a profile."""
