"""The light of a session: what the screen should show, and what it really showed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

Rgb: TypeAlias = tuple[int, int, int]
"""sRGB, 0..255 a channel, in the order red, green, blue."""

NEUTRAL_RGB: Rgb = (128, 128, 128)
"""Grey lead-in and tail: black would double the flash count (see ``photosensitivity``)."""

PRIMARIES: dict[str, Rgb] = {
    "Red": (255, 0, 0),
    "Green": (0, 255, 0),
    "Blue": (0, 0, 255),
    "White": (255, 255, 255),
}


@dataclass(frozen=True, slots=True)
class Slot:
    """One stretch of one colour; ``colour`` None is neutral."""

    colour: str | None
    rgb: Rgb
    dwell_ms: float


@dataclass(frozen=True, slots=True)
class IlluminationPlan:
    """Slots in order, neutral lead-in and tail included; ``seed`` reproduces order and jitter."""

    slots: tuple[Slot, ...]
    seed: int | None = None

    @property
    def duration_ms(self) -> float:
        """Length of the whole plan."""
        return sum(slot.dwell_ms for slot in self.slots)


@dataclass(frozen=True, slots=True)
class Flip:
    """The moment (session clock) at which the screen began to show ``rgb``."""

    t_ns: int
    colour: str | None
    rgb: Rgb
