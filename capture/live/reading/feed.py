"""What the reader thread reads from: one opened connection to a camera, until it breaks."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from capture.camera import Provenance
from capture.errors import CameraError
from capture.frame import ImageU8

if TYPE_CHECKING:
    from pydantic import JsonValue


class DamagedFrameError(CameraError):
    """One frame cannot be used; the next may be good again."""


@dataclass(frozen=True, slots=True, eq=False)
class RawFrame:
    """A frame as it came; either ``jpeg`` or ``pixels`` is set.

    Attributes
    ----------
    t_received_ns : monotonic, when it reached us: after ``grab``, or the first bytes of a part.
    t_source_ns : what driver or sender say about its time; not to be believed without a check.
    jpeg : the camera's own bytes, SOI to EOI.
    pixels : (H, W, 3) uint8 BGR, contiguous, read-only.
    """

    t_received_ns: int
    t_source_ns: int | None = None
    jpeg: bytes | None = None
    pixels: ImageU8 | None = None


@dataclass(frozen=True, slots=True)
class FeedFacts:
    """What a feed says of itself once it is open; ``fps`` is its claim, None where it has none."""

    fps: float | None = None
    provenance: Provenance = Provenance.CAMERA
    details: dict[str, str] = field(default_factory=dict)


class LockableControls(Protocol):
    """Exposure, white balance and focus of a camera; used by the thread that reads it."""

    def lock(self) -> Generator[None, float, Mapping[str, JsonValue]]:
        """Freeze them step by step: yields for each new frame, is sent its mean level.

        Returns the report: one entry a control.
        """
        ...

    def unlock(self) -> None:
        """Give back what was locked."""
        ...


class Feed(Protocol):
    """One opened connection; only the thread that opened it may use it."""

    @property
    def facts(self) -> FeedFacts:
        """Backend, formats and claims."""
        ...

    @property
    def stamp_limit_ns(self) -> int:
        """How long before its arrival a frame can have been stamped."""
        ...

    @property
    def stamp_source(self) -> str:
        """Who writes ``t_source_ns``: ``driver`` or ``sender``."""
        ...

    @property
    def controls(self) -> LockableControls | None:
        """Exposure and the like; None where the connection has no such thing."""
        ...

    def next(self) -> RawFrame | None:
        """Return the next frame, or None after a short while without one.

        Raises
        ------
        DamagedFrameError
            this frame is of no use.
        CameraError
            the connection is broken.
        """
        ...

    def close(self) -> None:
        """Restore the controls and release the camera; never raises."""
        ...


OpenFeed: TypeAlias = Callable[[], Feed]
"""Opens the camera by its stable address; raises CameraError."""


def as_bgr(pixels: NDArray[np.uint8]) -> ImageU8:
    """Return (H, W, 3) uint8 BGR, contiguous and read-only, from BGR, BGRA or grey pixels.

    Raises
    ------
    DamagedFrameError
        an empty frame, another shape, or another type than uint8.
    """
    shape = pixels.shape
    if pixels.dtype != np.uint8 or pixels.size == 0 or len(shape) not in {2, 3}:
        raise DamagedFrameError(
            f"expected (H, W, 1, 3 or 4) uint8 pixels, got {shape} {pixels.dtype}"
        )
    channels = 1 if len(shape) == 2 else shape[2]
    if channels not in {1, 3, 4}:
        raise DamagedFrameError(f"expected 1, 3 or 4 channels, got {channels}")
    if channels == 1:
        bgr = np.repeat(pixels.reshape(shape[0], shape[1], 1), 3, axis=2)
    else:
        bgr = pixels[..., :3]
    # memory that is not this array's own belongs to a driver, which will write to it again
    if not (bgr.flags.c_contiguous and bgr.flags.owndata):
        bgr = np.array(bgr, order="C")
    bgr.flags.writeable = False
    return bgr
