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

TYPICAL_EXPOSURE_NS = 16_000_000
"""A webcam in a lit room, halfway between its shortest useful exposure and the 33 ms of 30 fps."""

_EXPOSURES_NS = (4_000_000, 8_000_000, 16_000_000, 24_000_000, 33_333_333)

TYPICAL_READOUT_NS = 20_000_000
"""Rolling shutters take 10 to 33 ms from the first row to the last."""

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
    """Exposures to try, with their weights: one where it was stated, a range where it was not."""

    shutters: tuple[Shutter, ...]
    prior: Array

    @classmethod
    def of(cls, timing: Timing) -> ShutterGuess:
        """Take an exposure below the default bound of `Timing` as stated, seek any other.

        The default, and what a low frame rate makes of it, is an upper bound for guards; a template
        built on a bound would be centred too late by half of the excess.
        """
        bound = Timing(0)
        unstated = timing.readout_ns == bound.readout_ns
        readout = TYPICAL_READOUT_NS if unstated else timing.readout_ns
        longest = timing.exposure_ns
        if longest < bound.exposure_ns:
            return cls((Shutter(longest, readout),), np.ones(1))
        tried = np.unique([*_EXPOSURES_NS, longest])
        # so long a bound comes with a low frame rate: a dim room, where long is likely
        spread = 0.3 if longest == bound.exposure_ns else 0.6
        return cls(
            tuple(Shutter(int(exposure), readout) for exposure in tried),
            np.exp(-0.5 * (np.log(tried / TYPICAL_EXPOSURE_NS) / spread) ** 2),
        )


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
    exposure = float(max(shutter.exposure_ns, 1_000))
    base = t_ns[0]
    opened = (t_ns - base) + face_row * shutter.readout_ns
    start = opened[None, :] - delays_ns[:, None].astype(np.float64)
    on = np.array([slot.start_ns - base for slot in slots], np.float64)
    off = np.array([slot.end_ns - base for slot in slots], np.float64)
    overlap = np.minimum(start[..., None] + exposure, off) - np.maximum(start[..., None], on)
    shares: Array = np.clip(overlap, 0.0, None) / exposure
    return shares
