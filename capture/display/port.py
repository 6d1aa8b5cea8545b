"""What every screen is: something that lights the face and says exactly when."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import TracebackType
from typing import Protocol, Self

from capture.display.scene import Scene


class FlipSource(StrEnum):
    """Where the time of a flip comes from."""

    VSYNC = "vsync"
    """The flip blocked until the display took the picture."""
    SWAP = "swap"
    """Paced by software; right on a screen without scan-out (Xvfb, offscreen), else a guess."""
    SIMULATED = "simulated"
    """No screen at all."""


@dataclass(frozen=True, slots=True)
class FlipRecord:
    """One picture on its way to the glass; times in ns of the session clock.

    Attributes
    ----------
    requested_ns : ``show`` was called.
    submitted_ns : the picture was drawn and handed over.
    flipped_ns : the screen began to show it.
    refresh_hz : measured refresh rate.
    source : what ``flipped_ns`` is worth.
    """

    requested_ns: int
    submitted_ns: int
    flipped_ns: int
    refresh_hz: float
    source: FlipSource


@dataclass(frozen=True, slots=True)
class Refresh:
    """What was measured when the screen was opened.

    Attributes
    ----------
    hz : one over the median period.
    median_ms : median time between two flips.
    missed : flips that came more than 1.5 periods after the one before.
    flips : how many were measured.
    source : what the flips' times are worth.
    """

    hz: float
    median_ms: float
    missed: int
    flips: int
    source: FlipSource


class InputKind(StrEnum):
    """What a person did."""

    TOUCH = "touch"
    KEY = "key"
    QUIT = "quit"


@dataclass(frozen=True, slots=True)
class InputEvent:
    """A touch (or click), a key, or the wish to end.

    Attributes
    ----------
    kind : which of them.
    action : the ``Button.action`` that was touched, or whose key was pressed; else None.
    key : name of the key as SDL spells it in lower case ("return", "escape", "a"); else None.
    at_px : (x, y) of a touch; else None.
    """

    kind: InputKind
    action: str | None = None
    key: str | None = None
    at_px: tuple[int, int] | None = None


class Screen(Protocol):
    """Shows scenes; owned by one thread, the main one.

    After an error the screen is still closable; ``close`` may be called any number of times.
    """

    @property
    def size_wh(self) -> tuple[int, int]:
        """Width and height in pixels; valid while open."""
        ...

    @property
    def refresh(self) -> Refresh:
        """What ``open`` measured."""
        ...

    def open(self) -> None:
        """Take the display and measure its refresh.

        Raises
        ------
        DisplayError
            there is no display, or its flips have no known time.
        """
        ...

    def show(self, scene: Scene) -> FlipRecord:
        """Draw a scene, wait for the flip (at most a refresh or two) and return its times.

        Raises
        ------
        DisplayError
            the screen is closed or lost, or a text has a character that no font can show.
        """
        ...

    def poll(self) -> tuple[InputEvent, ...]:
        """Return what happened since the last call; never waits."""
        ...

    def close(self) -> None:
        """Give the display back; idempotent, never raises."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...
