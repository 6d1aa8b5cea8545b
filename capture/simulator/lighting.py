"""The light of the scene over time: the screen behind its flips, and the lamps of the room.

A flip reaches the face late and slowly: after the display's lag the new colour is scanned out from
top to bottom in one refresh, and every line of it follows with the time constant of the liquid
crystal. All integrals over an exposure are closed forms, so the light of a row is exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from capture.light.illumination import NEUTRAL_RGB, Flip, Rgb
from capture.options import option, options
from capture.simulator.colour import ArrayF, ColourF, linear_rgb

ArrayD: TypeAlias = NDArray[np.float64]

CROSSTALK = np.array([[0.93, 0.06, 0.01], [0.05, 0.88, 0.07], [0.01, 0.08, 0.91]])
"""Response of the camera's R, G, B (rows) to the screen's primaries (columns)."""

LAMPS_FROM = np.array([-0.30, 0.62, 0.72]) / np.linalg.norm([-0.30, 0.62, 0.72])
"""Where most of the room's light comes from: the ceiling, before the person."""

_UPWARD = 0.75
"""Share of the room's light that comes from there."""

_WARM_WHITE: ColourF = (1.0, 0.93, 0.75)

_INSTANT_MS = 1e-3

_SETTLED_NS = 400_000_000
"""A flip older than this has long settled; only its end colour counts."""


@options
class SimulatedScreenOptions:
    """The display, where it stands and how slow it is; the camera sits on its upper edge."""

    diagonal_in: float = option(24.0, unit="in", low=5, high=80, why="a common kiosk monitor")
    nits: float = option(300.0, unit="cd/m2", low=20, high=2000, why="a monitor at full brightness")
    lag_ms: float = option(15.0, unit="ms", low=0, high=80, why="monitors take 5 to 30")
    scan_ms: float = option(1000 / 60, unit="ms", low=0, high=50, why="one refresh at 60 Hz")
    lcd_tau_ms: float = option(4.0, unit="ms", low=0, high=20, why="panels take 3 to 6")
    refresh_hz: float = option(
        59.94, unit="Hz", low=20, high=360, why="no multiple of the camera's"
    )
    idle_rgb: Rgb = option(NEUTRAL_RGB, unit="sRGB", why="neutral before the first flip")

    @property
    def size_cm(self) -> tuple[float, float]:
        """Width and height of a 16:9 panel."""
        diagonal = self.diagonal_in * 2.54
        return diagonal * 16 / np.hypot(16, 9), diagonal * 9 / np.hypot(16, 9)


@options
class RoomOptions:
    """The other light, and the wall behind."""

    ambient_lx: float = option(400.0, unit="lx", low=0, high=50_000, why="an office: f about 0.3")
    tint: ColourF = option(_WARM_WHITE, unit="relative", why="warm white lamps")
    flicker: float = option(
        0.05, unit="1", low=0, high=0.9, why="lamps on 50 Hz mains: 0.05 to 0.3"
    )
    mains_hz: float = option(
        50.0, unit="Hz", low=40, high=70, why="lamps flicker at twice the mains"
    )
    wall_cm: float = option(150.0, unit="cm", low=20, high=2000, why="distance behind the person")


def _decay_integral(age_ms: ArrayD, tau_ms: float) -> ArrayD:
    """Integrate an exponential approach to 1 twice, from its start to ``age_ms``."""
    age = np.maximum(age_ms, 0.0)
    total: ArrayD = age * age / 2
    if tau_ms > _INSTANT_MS:
        total += -tau_ms * age - tau_ms * tau_ms * np.expm1(-age / tau_ms)
    return total


def _decay(age_ms: ArrayD, tau_ms: float) -> ArrayD:
    """Integrate an exponential approach to 1 once."""
    age = np.maximum(age_ms, 0.0)
    return age if tau_ms <= _INSTANT_MS else age + tau_ms * np.expm1(-age / tau_ms)


def shown_integral(age_ms: ArrayD, options: SimulatedScreenOptions) -> ArrayD:
    """Integrate the share (0..1) of the screen's light that has changed since a flip, in ms.

    ``age_ms`` counts from the flip itself, before the display's lag.
    """
    age = age_ms - options.lag_ms
    if options.scan_ms <= _INSTANT_MS:
        return _decay(age, options.lcd_tau_ms)
    ended = _decay_integral(age - options.scan_ms, options.lcd_tau_ms)
    return (_decay_integral(age, options.lcd_tau_ms) - ended) / options.scan_ms


def row_weights(
    flips: Sequence[Flip],
    starts_ns: NDArray[np.int64],
    exposure_ns: int,
    options: SimulatedScreenOptions,
) -> tuple[list[Flip | None], ArrayD]:
    """Return the flips that light an exposure and each one's share of it.

    Parameters
    ----------
    flips : in order of time.
    starts_ns : (n,) when each row's exposure starts, true time.
    exposure_ns : for how long it lasts; positive.

    Returns
    -------
    flips : None stands for what the screen showed before the first.
    weights : (n, len(flips)) shares; every row sums to 1.
    """
    first_ns, last_ns = int(starts_ns.min()), int(starts_ns.max()) + exposure_ns
    seen: list[Flip | None] = [None, *(flip for flip in flips if flip.t_ns < last_ns)]
    while len(seen) > 1 and (second := seen[1]) and second.t_ns < first_ns - _SETTLED_NS:
        del seen[0]
    begun = np.ones((len(starts_ns), len(seen) + 1))
    begun[:, -1] = 0.0
    for index, flip in enumerate(seen[1:], start=1):
        if flip is not None:
            before = (starts_ns - flip.t_ns) / 1e6
            span_ms = exposure_ns / 1e6
            late = shown_integral(before + span_ms, options) - shown_integral(before, options)
            begun[:, index] = late / span_ms
    return seen, begun[:, :-1] - begun[:, 1:]


def screen_colour(rgb: Rgb) -> ArrayD:
    """Return (3,) how the camera's R, G, B see the screen showing ``rgb``; white is 1."""
    seen: ArrayD = CROSSTALK @ linear_rgb(rgb) / CROSSTALK.sum(axis=1)
    return seen


def screen_rows(
    seen: Sequence[Flip | None], weights: ArrayD, options: SimulatedScreenOptions
) -> ArrayD:
    """Return (n, 3) the screen's mean light as the camera's R, G, B see it; white is 1."""
    return weights @ np.stack([screen_colour(f.rgb if f else options.idle_rgb) for f in seen])


def ambient_rows(starts_ns: NDArray[np.int64], exposure_ns: int, room: RoomOptions) -> ArrayD:
    """Return (n,) the lamps' mean light over each row's exposure; 1 on average."""
    omega = 2 * np.pi * 2 * room.mains_hz
    start, span = starts_ns / 1e9, exposure_ns / 1e9
    swing = (np.cos(omega * start) - np.cos(omega * (start + span))) / (omega * span)
    return np.asarray(1.0 + room.flicker * swing)


def lamp_level(upward: ArrayF) -> ArrayF:
    """Return the room's light, float32, 1 on a surface that faces the camera.

    ``upward`` is the cosine between the surface's normal and ``LAMPS_FROM``.
    """
    facing = 1 - _UPWARD + _UPWARD * LAMPS_FROM[2]
    level = upward * np.float32(_UPWARD / facing)
    level += np.float32((1 - _UPWARD) / facing)
    return np.maximum(level, np.float32(0.1), out=level)


@lru_cache(maxsize=8)
def screen_patches(options: SimulatedScreenOptions) -> ArrayD:
    """Return (40, 3) world positions of the patches that stand for the screen.

    The camera is the origin and sits 1.5 cm above the panel's upper edge.
    """
    width, height = options.size_cm
    x = (np.arange(8) + 0.5) / 8 * width - width / 2
    y = -1.5 - (np.arange(5) + 0.5) / 5 * height
    grid_x, grid_y = np.meshgrid(x, y)
    places: ArrayD = np.stack([grid_x.ravel(), grid_y.ravel(), np.zeros(40)], axis=1)
    places.flags.writeable = False
    return places


def vector_irradiance(points_cm: ArrayD, options: SimulatedScreenOptions) -> ArrayD:
    """Return (..., 3) lx of a white screen at world points: its dot with a normal is E.

    Exact wherever the whole screen is above the surface's horizon.
    """
    patches = screen_patches(options)
    area = options.size_cm[0] * options.size_cm[1] / len(patches)
    way = patches - points_cm[..., None, :]
    square = np.einsum("...i,...i->...", way, way)
    flux = np.maximum(way[..., 2], 0.0)
    flux *= options.nits * area
    flux /= square * square
    total: ArrayD = np.einsum("...k,...ki->...i", flux, way)
    return total
