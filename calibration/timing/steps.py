"""Grey and white steps of the screen, found again in the brightness of the picture.

Half of a step is crossed between two frames: between the running 10th and 90th percentile of the
brightness in linear light, with hysteresis and a debounce of two frames.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from calibration.errors import MeasurementError
from capture.light.illumination import Flip
from capture.options import option, options

Array: TypeAlias = NDArray[np.float64]


@options
class StepOptions:
    """When a step counts as seen."""

    high: float = option(0.6, unit="share of the step", low=0.5, high=0.9, why="hysteresis")
    low: float = option(0.4, unit="share of the step", low=0.1, high=0.5, why="hysteresis")
    debounce: int = option(
        2, unit="frames", low=1, high=10, why="a single frame may be noise or a repeat"
    )
    window_s: float = option(
        3.0, unit="s", low=1.0, high=20.0, why="holds both levels; follows daylight and sway"
    )
    earliest_ms: float = option(
        -50.0, unit="ms", low=-500, high=0, why="stamps that lie show light before its flip"
    )
    latest_ms: float = option(
        500.0, unit="ms", low=100, high=2000, why="hardware lags 40 to 250 ms; below the dwell"
    )
    hole: float = option(
        2.5, unit="frame periods", low=1.5, high=10, why="an edge inside a drop-out has no time"
    )
    min_contrast_codes: float = option(
        6.0,
        unit="sRGB codes",
        low=1,
        high=200,
        why="a mean over thousands of pixels: far above its steps of rounding",
    )
    min_contrast_noise: float = option(
        5.0, unit="noise sd", low=2, high=1000, why="moves a crossing by a fifth of a frame"
    )
    min_steps: int = option(8, unit="steps", low=3, high=1000, why="a median that is worth it")
    max_missed: float = option(
        0.4, unit="share", low=0.0, high=0.9, why="more: the picture follows something else"
    )


@dataclass(frozen=True, slots=True)
class LightStep:
    """A change of the screen's brightness; ``rising`` to the brighter one."""

    t_ns: int
    rising: bool


@dataclass(frozen=True, slots=True)
class StepLags:
    """Lags in ms of the steps that were found.

    Attributes
    ----------
    lags_ms, rising : one a step.
    missed : steps without a crossing of their own, or with one inside a drop-out.
    contrast_codes : how far apart the two levels are, in sRGB codes.
    """

    lags_ms: tuple[float, ...]
    rising: tuple[bool, ...]
    missed: int
    contrast_codes: float

    @classmethod
    def joined(cls, parts: Sequence[StepLags]) -> StepLags:
        """Return the steps of several recordings as one; the contrast is the least of them."""
        return cls(
            tuple(lag for part in parts for lag in part.lags_ms),
            tuple(up for part in parts for up in part.rising),
            sum(part.missed for part in parts),
            min(part.contrast_codes for part in parts),
        )

    @property
    def median_ms(self) -> float:
        """Mean of the medians up and down: a slow panel is slower one way."""
        return (self.median_of(rising=True) + self.median_of(rising=False)) / 2

    @property
    def mad_ms(self) -> float:
        """Median absolute deviation from the median of the same direction."""
        centre = {up: self.median_of(rising=up) for up in (True, False)}
        return float(
            np.median(
                [abs(lag - centre[up]) for lag, up in zip(self.lags_ms, self.rising, strict=True)]
            )
        )

    @property
    def p95_ms(self) -> float:
        """95th percentile of the lags."""
        return float(np.percentile(self.lags_ms, 95))

    def median_of(self, *, rising: bool) -> float:
        """Median lag of one direction; of all where there is none of it."""
        mine = [lag for lag, up in zip(self.lags_ms, self.rising, strict=True) if up is rising]
        return float(np.median(mine or self.lags_ms))


def screen_steps(flips: Sequence[Flip]) -> list[LightStep]:
    """Return the changes of brightness among greys; empty when a flip shows a colour."""
    if any(max(flip.rgb) - min(flip.rgb) > 8 for flip in flips):
        return []
    steps = []
    for before, after in pairwise(flips):
        if abs(after.rgb[1] - before.rgb[1]) >= 20:
            steps.append(LightStep(after.t_ns, after.rgb[1] > before.rgb[1]))
    return steps


def measure_steps(
    t_ns: NDArray[np.int64],
    level: Array,
    steps: Sequence[LightStep],
    options: StepOptions | None = None,
) -> StepLags:
    """Match crossings of (N,) linear brightness with the steps of the screen.

    Raises
    ------
    MeasurementError
        too little contrast, too few steps, or too many that were not found.
    """
    options = options or StepOptions()
    if len(t_ns) < 4 or not steps:
        raise MeasurementError(f"expected frames and steps, got {len(t_ns)} and {len(steps)}")
    share, contrast = _normalised(t_ns, level, options)
    if contrast < options.min_contrast_codes:
        raise MeasurementError(
            f"the picture changes by {contrast:.0f} codes with the screen, expected "
            f"{options.min_contrast_codes:.0f}: come closer, darken the room, or lock the exposure"
        )
    # differences of neighbours: of a step only the edges, of noise all
    noise = float(np.median(np.abs(np.diff(share)))) * 1.4826 / np.sqrt(2)
    if noise * options.min_contrast_noise > 1.0:
        raise MeasurementError(
            f"the step is {1 / noise:.1f} times the picture's noise, expected "
            f"{options.min_contrast_noise:g}: keep still, lock the exposure, or light the room less"
        )
    found = crossings(t_ns, share, options)
    lags, rising = [], []
    for step in steps:
        lag_ms = _lag_ms(step, found, options)
        if lag_ms is not None:
            lags.append(lag_ms)
            rising.append(step.rising)
    missed = len(steps) - len(lags)
    if len(lags) < options.min_steps or missed > options.max_missed * len(steps):
        raise MeasurementError(
            f"{len(lags)} of {len(steps)} steps were found in the picture, expected at least "
            f"{options.min_steps} and {1 - options.max_missed:.0%}: keep still, and keep the "
            "screen in sight of nothing but the face"
        )
    return StepLags(tuple(lags), tuple(rising), missed, contrast)


@dataclass(frozen=True, slots=True)
class Crossing:
    """The brightness passed half of the step at ``t_ns``."""

    t_ns: float
    rising: bool


def crossings(t_ns: NDArray[np.int64], share: Array, options: StepOptions) -> list[Crossing]:
    """Return the confirmed crossings of 0.5 by (N,) ``share`` of the step, 0 dark to 1 bright.

    A crossing between frames that are further apart than ``hole`` periods is left out.
    """
    period = float(np.median(np.diff(t_ns)))
    high = _held(share >= options.high, options.debounce)
    low = _held(share <= options.low, options.debounce)
    found: list[Crossing] = []
    state: bool | None = None
    for index in range(len(share)):
        now = True if high[index] else False if low[index] else state
        if state is not None and now is not None and now != state:
            crossing = _interpolated(t_ns, share, index, rising=now)
            if crossing is not None and crossing[1] <= options.hole * period:
                found.append(Crossing(crossing[0], now))
        state = now
    return found


def _held(flags: NDArray[np.bool_], count: int) -> NDArray[np.bool_]:
    """Whether a flag holds here and in the next ``count`` - 1 frames."""
    padded = np.concatenate([flags, np.zeros(count - 1, bool)])
    held: NDArray[np.bool_] = np.lib.stride_tricks.sliding_window_view(padded, count).all(axis=1)
    return held


def _interpolated(
    t_ns: NDArray[np.int64], share: Array, index: int, *, rising: bool
) -> tuple[float, float] | None:
    """Return the time of 0.5 at or before ``index``, and how far apart its two frames are."""
    while index > 0:
        before, after = share[index - 1], share[index]
        if (before < 0.5 <= after) if rising else (before > 0.5 >= after):
            gap = float(t_ns[index] - t_ns[index - 1])
            return float(t_ns[index - 1]) + (0.5 - before) / (after - before) * gap, gap
        index -= 1
    return None


def _normalised(t_ns: NDArray[np.int64], level: Array, options: StepOptions) -> tuple[Array, float]:
    """Share of the step between running percentiles, and the median contrast in sRGB codes."""
    half = options.window_s * 5e8
    low, high = np.empty(len(level)), np.empty(len(level))
    for index, t in enumerate(t_ns):
        window = level[np.searchsorted(t_ns, t - half) : np.searchsorted(t_ns, t + half, "right")]
        low[index], high[index] = np.percentile(window, (10, 90))
    span = np.maximum(high - low, 1e-6)
    contrast = float(np.median(_code(high) - _code(low)))
    return (level - low) / span, contrast


def _code(linear: Array) -> Array:
    clipped = np.clip(linear, 0.0, 1.0)
    code = np.where(clipped <= 0.0031308, clipped * 12.92, 1.055 * clipped ** (1 / 2.4) - 0.055)
    return np.asarray(255 * code, np.float64)


def _lag_ms(step: LightStep, found: Sequence[Crossing], options: StepOptions) -> float | None:
    for crossing in found:
        lag_ms = (crossing.t_ns - step.t_ns) / 1e6
        if crossing.rising is step.rising and options.earliest_ms <= lag_ms <= options.latest_ms:
            return lag_ms
    return None
