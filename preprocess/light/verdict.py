"""What is said of the light of a session: quality control, no statement about liveness."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from preprocess.light.fitting.delay import DelayEstimate
from preprocess.light.fitting.flip_steps import StepCheck
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


@dataclass(frozen=True, slots=True)
class Exposures:
    """How the camera exposed the face, as the session itself tells.

    Attributes
    ----------
    delay : see `DelayEstimate`; counts to half of a flip's light, or to its first where ``rise_ns``
        is known.
    readout_ns : of the whole frame, stated or typical; the delay counts from the first row with it.
    exposure_stated : the exposure is not fitted but was given.
    interval_ns : distance of two frames, which no exposure outlasts.
    rise_ns : from a flip to half of its light, 0 where nobody knows.
    row, row_top, row_bottom : the face's middle, first and last row, 0..1 of the frame's height.
    """

    delay: DelayEstimate
    readout_ns: int
    exposure_stated: bool
    interval_ns: int
    rise_ns: int
    row: float
    row_top: float
    row_bottom: float


@dataclass(frozen=True, slots=True, eq=False)
class LightResponse:
    """The verdict on the light of one session, with its figures.

    Attributes
    ----------
    state : see `LightState`.
    rho, p_value : correlation with the plan over time and channels at its best delay, and the share
        of shuffled plans that reach it.
    strength : light of the screen over ambient light, on the face; the median over the colours.
    exposures : delay and exposure; None where there is no light to measure them.
    declared_delay_ns : the lag of the timeline; None where nobody declared one.
    delay_disagrees : what was measured lies beyond what the timeline's guards cover, surely.
    steps : each flip's own step; None where there is no light of the plan.
    retimed : light that fits no delay is the plan's own at other times.
    background_ratio : response of the background over that of the face; None without background.
    n_samples : frames that were measured.
    """

    state: LightState
    rho: float
    p_value: float
    strength: float
    exposures: Exposures | None
    declared_delay_ns: int | None
    delay_disagrees: bool
    steps: StepCheck | None
    retimed: bool
    background_ratio: float | None
    colours: tuple[ColourResponse, ...]
    n_samples: int
    trace: Trace

    @property
    def delay_ns(self) -> int | None:
        """The estimated lag."""
        return None if self.exposures is None else self.exposures.delay.delay_ns

    @property
    def delay_sd_ns(self) -> int | None:
        """Its standard deviation."""
        return None if self.exposures is None else self.exposures.delay.sd_ns

    @property
    def answers(self) -> bool:
        """Whether the plan's light is on the face, in its order, however faint."""
        return self.state not in (LightState.MISMATCH, LightState.NONE)

    @property
    def stamps_in_doubt(self) -> bool:
        """Whether the steps of the light contradict the frames' stamps."""
        return self.retimed or (self.answers and self.steps is not None and self.steps.in_doubt)

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
        if self.stamps_in_doubt:
            found.append(Reason.STAMPS_IN_DOUBT)
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
            **_exposure_fields(self.exposures),
            **_stamp_fields(self),
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


def _exposure_fields(exposures: Exposures | None) -> dict[str, Any]:
    delay = None if exposures is None else exposures.delay
    return {
        "exposure_ms": None if delay is None else _ms(delay.exposure_ns),
        "exposure_sd_ms": None if delay is None else _ms(delay.exposure_sd_ns),
    }


def _stamp_fields(response: LightResponse) -> dict[str, Any]:
    steps = response.steps
    return {
        "stamps_in_doubt": response.stamps_in_doubt,
        "drift_ms": None if steps is None else _ms(steps.drift_ns),
        "drift_sd_ms": None if steps is None else _ms(steps.drift_sd_ns),
        "flip_shifts_ms": []
        if steps is None
        else [[_ms(step.shift_ns), _ms(step.sd_ns)] for step in steps.steps],
    }


def _ms(value_ns: int | None) -> float | None:
    return None if value_ns is None else round(value_ns / 1e6, 1)
