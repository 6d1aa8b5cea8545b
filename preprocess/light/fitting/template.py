"""What the screen should have put on the face: its flips, integrated over each frame's exposure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from capture.light.illumination import NEUTRAL_RGB, Flip, Rgb
from capture.light.timeline import Timing
from preprocess.light.fitting.series import CHROMA_BASIS, Array
from preprocess.light.samples import LINEAR_OF_SRGB

_FOREVER_NS = 10**15

_EXPOSURES_MS = (4, 8, 12, 16, 20, 24, 28, 100 / 3, 42, 50, 60, 200 / 3, 80, 100, 400 / 3)
"""Tried where the exposure is not stated: steps of a fifth, the frame intervals among them."""

_SHORTEST_BOUND_NS = 8_000_000
_SLACK = 1.02

SOFT_NS = 2_800_000
"""Scale of the logistic edge that a flip has in the light of a face, sd 5 ms: scan-out of 7 to 17
ms, LCD response of 1 to 6 ms, and the rows between forehead and cheeks. A sharp edge would make
short exposures look longer than they are."""

TYPICAL_EXPOSURE_NS = 16_000_000
"""A webcam in a lit room, halfway between its shortest useful exposure and the 33 ms of 30 fps."""

TYPICAL_READOUT_NS = 20_000_000
"""Rolling shutters take 10 to 33 ms from the first row to the last."""

READOUT_SD_NS = 6_000_000
"""How far off that may be, where the readout is not stated."""

NEUTRAL_LINEAR = float(LINEAR_OF_SRGB[NEUTRAL_RGB[0]])
"""Linear light of the neutral screen, the level against which luminance counts."""


@dataclass(frozen=True, slots=True)
class LitSlot:
    """One stretch of one colour on the screen, ``[start_ns, end_ns)`` in flip time."""

    start_ns: int
    end_ns: int
    colour: str
    rgb: Rgb


@dataclass(frozen=True, slots=True)
class Shutter:
    """How a frame gathers light: exposure of a row, time from first to last row, in ns."""

    exposure_ns: int
    readout_ns: int


@dataclass(frozen=True, slots=True, eq=False)
class ShutterGuess:
    """Exposures to try: one where it was stated, else all up to the distance of two frames."""

    shutters: tuple[Shutter, ...]
    readout_sd_ns: int

    @classmethod
    def of(cls, timing: Timing, interval_ns: int) -> ShutterGuess:
        """Take an exposure that is stated, or below the default bound of `Timing`; seek any other.

        The default, and what a low frame rate makes of it, is an upper bound for guards; a template
        built on a bound would be centred too late by half of the excess. No exposure outlasts
        ``interval_ns``, the distance of two frames.
        """
        bound = Timing(0)
        unstated = timing.readout_ns == bound.readout_ns
        readout = TYPICAL_READOUT_NS if unstated else timing.readout_ns
        readout_sd = READOUT_SD_NS if unstated else 0
        if timing.exposure_stated or timing.exposure_ns < bound.exposure_ns:
            return cls((Shutter(timing.exposure_ns, readout),), readout_sd)
        longest = max(_SLACK * interval_ns, _SHORTEST_BOUND_NS)
        tried = [round(ms * 1e6) for ms in _EXPOSURES_MS if ms * 1e6 <= longest]
        return cls(tuple(Shutter(exposure, readout) for exposure in tried), readout_sd)


def lit_slots(flips: Iterable[Flip], end_ns: int | None = None) -> tuple[LitSlot, ...]:
    """Coloured stretches of a flip log; repeats of one colour are one slot."""
    ordered = sorted(flips, key=lambda flip: flip.t_ns)
    slots: list[LitSlot] = []
    for index, flip in enumerate(ordered):
        last = index + 1 == len(ordered)
        end = (end_ns or flip.t_ns + _FOREVER_NS) if last else ordered[index + 1].t_ns
        if flip.colour is None or end <= flip.t_ns:
            continue
        previous = slots[-1] if slots else None
        if (
            previous is not None
            and previous.end_ns == flip.t_ns
            and (previous.colour, previous.rgb) == (flip.colour, flip.rgb)
        ):
            slots[-1] = LitSlot(previous.start_ns, end, flip.colour, flip.rgb)
        else:
            slots.append(LitSlot(flip.t_ns, end, flip.colour, flip.rgb))
    return tuple(slots)


def direction_of(rgb: Rgb, *, luminance: bool) -> Array:
    """(2,) or (3,) feature that a small amount of this light adds; chroma is 0 for any grey.

    For light that is weak against the ambient, the log of a channel rises in proportion to the
    linear light in that channel.
    """
    linear = LINEAR_OF_SRGB[np.asarray(rgb)].astype(np.float64)
    plane: Array = linear @ CHROMA_BASIS
    return np.append(plane, linear.mean() - NEUTRAL_LINEAR) if luminance else plane


def is_achromatic(rgb: Rgb) -> bool:
    """Whether chroma cannot tell this light from a neutral screen."""
    return bool(np.linalg.norm(direction_of(rgb, luminance=False)) < 0.05)


@dataclass(frozen=True, slots=True, eq=False)
class SlotEdges:
    """The flips at which slots begin and end, each once.

    Attributes
    ----------
    edges_ns : (E,) float, ascending, counted from ``base_ns``.
    begin, end : (S,) index of each slot's first and last edge.
    """

    base_ns: int
    edges_ns: Array
    begin: NDArray[np.intp]
    end: NDArray[np.intp]

    @classmethod
    def of(cls, slots: Sequence[LitSlot], base_ns: int) -> SlotEdges:
        """Return the edges of slots in time order."""
        times = sorted({slot.start_ns for slot in slots} | {slot.end_ns for slot in slots})
        begin = np.searchsorted(times, [slot.start_ns for slot in slots])
        end = np.searchsorted(times, [slot.end_ns for slot in slots])
        return cls(base_ns, np.array([t - base_ns for t in times], np.float64), begin, end)

    def shares(self, opened_ns: Array, exposure_ns: float, edges_ns: Array | None = None) -> Array:
        """(..., N, S) share of exposures ``[opened, opened + exposure]`` that fell into each slot.

        ``opened_ns`` is (..., N) from ``base_ns`` on the display's clock; ``edges_ns`` (..., 1, E)
        or (E,) takes the place of the slots' own edges.
        """
        exposure = max(exposure_ns, 1_000.0)
        since = opened_ns[..., None] - (self.edges_ns if edges_ns is None else edges_ns)
        # share of the exposure after each edge: the integral of a logistic is a softplus
        after = np.logaddexp(0.0, (since + exposure) / SOFT_NS) - np.logaddexp(0.0, since / SOFT_NS)
        after *= SOFT_NS / exposure
        shares: Array = np.maximum(after[..., self.begin] - after[..., self.end], 0.0)
        return shares


def slot_shares(
    slots: Sequence[LitSlot],
    t_ns: NDArray[np.int64],
    face_row: Array,
    shutter: Shutter,
    delays_ns: NDArray[np.int64],
) -> Array:
    """(D, N, S) share of each frame's exposure that fell into each slot, for each delay.

    The face's rows of a frame stamped t gather light over ``[t - delay + row * readout, +
    exposure]`` of flip time (labelling rule of the timeline).
    """
    edges = SlotEdges.of(slots, int(t_ns[0]))
    opened = (t_ns - t_ns[0]) + face_row * shutter.readout_ns
    return edges.shares(opened - delays_ns[:, None].astype(np.float64), shutter.exposure_ns)
