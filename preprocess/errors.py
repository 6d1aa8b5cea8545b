"""The one error tree of the package."""

from __future__ import annotations

from preprocess.reasons import Reason


class PreprocessError(Exception):
    """Root of everything that can go wrong between a frame and a clip."""


class TrackerError(PreprocessError):
    """The face tracker cannot be started, was closed, or was fed time that goes back."""


class EncodeError(PreprocessError):
    """Frames cannot be made into a container within the limits; says which limit."""


class OptionError(PreprocessError, ValueError):
    """An option has a value outside its range; names it and what was expected."""


class GeometryError(PreprocessError):
    """A rectangle or crop lies outside the image it is meant for."""


class ContainerError(PreprocessError):
    """Bytes are not the container they should be; says where and what was expected."""


class ClipRejected(PreprocessError):
    """The accepted frames make no clip that the service would take.

    ``reasons`` are those of ``result.json``; ``detail`` says the figures and the cure.
    """

    def __init__(self, reasons: tuple[Reason, ...], detail: str) -> None:
        super().__init__(detail)
        self.reasons = reasons
        self.detail = detail
