"""What every source of frames is: a webcam, a recording, a stream or the simulator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import StrEnum
from types import TracebackType
from typing import TYPE_CHECKING, Final, Protocol, Self, runtime_checkable

from capture.errors import CameraError
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


@runtime_checkable
class Paced(Protocol):
    """A camera that can tell whether a frame is due without waiting for it."""

    def ready(self) -> bool:
        """Return whether ``read`` would return at once."""
        ...


@runtime_checkable
class KeepsJpeg(Protocol):
    """A camera that delivers JPEG and keeps its own bytes."""

    @property
    def last_jpeg(self) -> bytes | None:
        """Bytes of the frame that ``read`` returned last."""
        ...


OFFERED: Final = {
    "Lockable": ("lock", "unlock"),
    "ReportsControls": ("controls",),
    "KeepsStats": ("stats",),
    "KeepsJpeg": ("last_jpeg",),
    "Paced": ("ready",),
}
"""What a camera may offer beyond `Camera`, by the protocol's name (``docs/api.md``)."""

_NEARLY: Final = 0.75
"""Likeness of two names beyond which one is taken for a slip of the pen (``difflib``)."""


def check_offers(camera: Camera) -> None:
    """Refuse a camera that nearly offers something: what is misspelt would never be used.

    Raises
    ------
    CameraError
        a public member that nearly is one of `OFFERED`, or half of a protocol; names both.
    """
    kind = type(camera)
    public = {name for name in dir(kind) if not name.startswith("_")}
    known = {member for members in OFFERED.values() for member in members}
    for name in sorted(public - known - {"info", "read", "close"}):
        if near := get_close_matches(name, sorted(known - public), 1, _NEARLY):
            raise CameraError(f"camera {kind.__name__}: offers {name!r}; did you mean {near[0]!r}?")
    for protocol, members in OFFERED.items():
        missing = sorted(set(members) - public)
        if missing and len(missing) < len(members):
            raise CameraError(f"camera {kind.__name__}: {protocol} without {', '.join(missing)}")
