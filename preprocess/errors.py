"""The one error tree of the package."""

from __future__ import annotations


class PreprocessError(Exception):
    """Root of everything that can go wrong between a frame and a clip."""


class TrackerError(PreprocessError):
    """The face tracker cannot be started, was closed, or was fed time that goes back."""


class EncodeError(PreprocessError):
    """Frames cannot be made into a container within the limits; says which limit."""


class GeometryError(PreprocessError):
    """A rectangle or crop lies outside the image it is meant for."""
