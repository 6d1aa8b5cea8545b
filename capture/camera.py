"""What every source of frames is: a webcam, a recording, a stream or the simulator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self, runtime_checkable

from capture.frame import Frame

if TYPE_CHECKING:
    from pydantic import JsonValue


class Provenance(StrEnum):
    """Where pixels come from; travels from the frame to the payload."""

    CAMERA = "camera"
    SIMULATED = "simulated"
    IMPORTED = "imported"


@dataclass(frozen=True, slots=True)
class CameraInfo:
    """What a camera says of itself; ``id`` is stable over replugging where the system has one."""

    id: str
    name: str
    size_wh: tuple[int, int]
    fps: float | None
    provenance: Provenance
    details: dict[str, str] = field(default_factory=dict)


class Camera(Protocol):
    """A source of frames with strictly increasing ``seq`` and ``t_frame_ns``.

    After an error the camera is still closable; ``close`` may be called any number of times.
    """

    @property
    def info(self) -> CameraInfo:
        """What is known of the camera; valid from construction to after ``close``."""
        ...

    def read(self, timeout_s: float = 2.0) -> Frame | None:
        """Return the next frame, or None when the source has ended.

        Raises
        ------
        CameraError
            no new frame within ``timeout_s``, or the device is lost.
        SourceError
            the file behind the camera is damaged from here on.
        """
        ...

    def close(self) -> None:
        """Release the device; idempotent, never raises."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


@runtime_checkable
class Lockable(Protocol):
    """A camera whose exposure and white balance can stand still while the light changes."""

    def lock(self) -> bool:
        """Freeze what can be frozen; False where the camera refuses. Never raises."""
        ...

    def unlock(self) -> None:
        """Give the controls back to the camera; idempotent, never raises."""
        ...


@runtime_checkable
class ReportsControls(Protocol):
    """A camera that can say what `Lockable.lock` achieved."""

    @property
    def controls(self) -> Mapping[str, JsonValue]:
        """What is locked to which value and what was refused, for ``session.json``."""
        ...
