"""What is said of the light of a session: quality control, no statement about liveness."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from preprocess.light.fitting.series import Array
from preprocess.reasons import Reason


class LightState(StrEnum):
    """What became of the screen's light."""

    OK = "ok"
    WEAK = "weak"
    """It is there and in order, but faint against noise or ambient."""
    TOO_BRIGHT = "too_bright"
    """Faint because the room outshines the screen."""
    SATURATED = "saturated"
    """Face pixels clip while a colour is on."""
    MISMATCH = "mismatch"
    """Light came and went in other colours, another order or another rhythm than declared."""
    NONE = "none"
    """No light of this plan is on the face."""


_REASONS = {
    LightState.WEAK: Reason.LIGHT_WEAK,
    LightState.TOO_BRIGHT: Reason.LIGHT_WEAK,
    LightState.SATURATED: Reason.OVER_EXPOSED,
    LightState.MISMATCH: Reason.LIGHT_MISMATCH,
    LightState.NONE: Reason.LIGHT_NONE,
}


@dataclass(frozen=True, slots=True)
class ColourResponse:
    """One colour's share in the response.

    ``amplitude`` is the mean length of the log-chroma step from neutral (of the log-luminance step
    for white); ``snr`` divides it by the noise of a single frame.
    """

    colour: str
    slots: int
    clean_frames: int
    amplitude: float
    snr: float
    clipped_share: float


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """What a plot shows: (N,) ``t_ns``, (N, 3) ``chroma`` (red green blue) and its ``template``."""

    t_ns: NDArray[np.int64]
    chroma: Array
    template: Array


@dataclass(frozen=True, slots=True, eq=False)
class LightResponse:
    """The verdict on the light of one session, with its figures.

    Attributes
    ----------
    state : see `LightState`.
    rho, p_value : correlation with the plan over time and channels at its best delay, and the share
        of shuffled plans that reach it.
    strength : light of the screen over ambient light, on the face; the median over the colours.
    delay_ns, delay_sd_ns : estimated lag; None where there is no light to measure it.
    declared_delay_ns : the lag of the timeline.
    delay_disagrees : the estimate differs from it by more than the tolerance.
    background_ratio : response of the background over that of the face; None without background.
    n_samples : frames that were measured.
    """

    state: LightState
    rho: float
    p_value: float
    strength: float
    delay_ns: int | None
    delay_sd_ns: int | None
    declared_delay_ns: int
    delay_disagrees: bool
    background_ratio: float | None
    colours: tuple[ColourResponse, ...]
    n_samples: int
    trace: Trace

    @property
    def background_follows(self) -> bool:
        """Whether the wall is lit nearly as the face: close wall, flat picture, white balance."""
        return self.background_ratio is not None and self.background_ratio >= 0.5

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """Why this session's light is not as it should be; empty when it is."""
        found = [_REASONS[self.state]] if self.state in _REASONS else []
        if self.delay_disagrees:
            found.append(Reason.LIGHT_DELAY)
        return tuple(found)

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON, rounded to what they are good for; times in ms."""
        return {
            "state": self.state.value,
            "rho": round(self.rho, 3),
            "p_value": round(self.p_value, 4),
            "strength": round(self.strength, 4),
            "delay_ms": _ms(self.delay_ns),
            "delay_sd_ms": _ms(self.delay_sd_ns),
            "declared_delay_ms": _ms(self.declared_delay_ns),
            "delay_disagrees": self.delay_disagrees,
            "background_ratio": None
            if self.background_ratio is None
            else round(self.background_ratio, 3),
            "frames": self.n_samples,
            "colours": {
                colour.colour: {
                    "slots": colour.slots,
                    "clean_frames": colour.clean_frames,
                    "amplitude": round(colour.amplitude, 4),
                    "snr": round(colour.snr, 2),
                    "clipped_share": round(colour.clipped_share, 4),
                }
                for colour in self.colours
            },
        }


def _ms(value_ns: int | None) -> float | None:
    return None if value_ns is None else round(value_ns / 1e6, 1)
