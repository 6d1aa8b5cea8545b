"""One feature of the samples fitted to the plan: slots, delay and labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from capture.light.timeline import Timing
from preprocess.light.fitting.delay import PANEL_SD_NS, DelayEstimate, estimate_delay
from preprocess.light.fitting.fit import Noise, SlotFit, fit_slots, likeliest_noise, moments
from preprocess.light.fitting.labelling import Labelling, judge_labelling
from preprocess.light.fitting.series import Array, Series
from preprocess.light.fitting.template import (
    LitSlot,
    Shutter,
    ShutterGuess,
    SlotEdges,
    direction_of,
    is_achromatic,
    slot_shares,
)
from preprocess.light.options import ResponseOptions

_MIN_SEEN = 2.0
"""Frames' worth of light that a slot must have received to count."""


@dataclass(frozen=True, slots=True, eq=False)
class Attempt:
    """A series, the slots that its frames saw, and how the two agree.

    Attributes
    ----------
    palette : colour name to (F,) unweighted direction, in order of first appearance.
    labels : (S,) index into ``palette``.
    features : (N, F); F is 3 with luminance, which is used when the plan shows white.
    shares : (N, S) share of each frame's exposure in each slot, at ``delay``.
    edges : the flips, from the first frame's stamp on.
    opened_ns : (N,) when the face's rows began to be exposed, at ``delay``.
    shutter : exposure (as found) and readout that ``shares`` were computed with.
    planned : all slots of the plan, also those that no frame saw.
    """

    series: Series
    slots: tuple[LitSlot, ...]
    palette: dict[str, Array]
    labels: NDArray[np.intp]
    features: Array
    shares: Array
    fit: SlotFit
    labelling: Labelling
    delay: DelayEstimate
    noise: Noise
    edges: SlotEdges
    opened_ns: Array
    shutter: Shutter
    planned: tuple[LitSlot, ...]


def attempt(
    series: Series, slots: Sequence[LitSlot], timing: Timing, options: ResponseOptions
) -> Attempt | None:
    """Fit the slots to the series; None where frames are too few for the slots they saw."""
    if len(series) < options.min_samples:
        return None
    delays = _delays_ns(options)
    guess = ShutterGuess.of(timing, round(float(np.median(np.diff(series.t_ns)))))
    tried = [
        slot_shares(slots, series.t_ns, series.face_row, shutter, delays + options.rise_ns)
        for shutter in guess.shutters
    ]
    # a slot that a recording which ends early never saw would be fitted to nothing
    planned = tuple(slots)
    seen = tried[0].sum(axis=1).max(axis=0) >= _MIN_SEEN
    slots = tuple(slot for slot, kept in zip(slots, seen, strict=True) if kept)
    if not slots or len(series) < options.min_samples + len(slots):
        return None
    luminance = series.with_background and any(is_achromatic(slot.rgb) for slot in slots)
    features = series.features(luminance=luminance)
    slot_s = float(np.median([min(slot.end_ns - slot.start_ns, 2e9) for slot in slots])) / 1e9
    tried = [shares[..., seen] for shares in tried]
    noise = likeliest_noise(series.t_ns, features, tried[len(tried) // 2], slot_s)
    every = [moments(series.t_ns, features, shares, noise) for shares in tried]
    fits = [fit_slots(sums) for sums in every]
    best = int(np.argmin([fit.cost.min() for fit in fits]))
    sums, fit = every[best], fits[best]
    palette = {slot.colour: direction_of(slot.rgb, luminance=luminance) for slot in slots}
    labels = label_indices(slots, palette)
    labelling = judge_labelling(
        sums.weighted(fit.weights),
        np.array(list(palette.values())) @ fit.weights,
        labels,
        permutations=options.permutations,
        seed=options.seed,
    )
    row = float(np.median(series.face_row))
    delay = estimate_delay(
        delays,
        [shutter.exposure_ns for shutter in guess.shutters],
        np.array([each.cost for each in fits]),
        sums.freedom,
        near=labelling.best if labelling.peak >= options.rho_least else None,
        sd_ns=round(np.hypot(PANEL_SD_NS, row * guess.readout_sd_ns)),
    )
    shutter = Shutter(delay.exposure_ns, guess.shutters[best].readout_ns)
    edges = SlotEdges.of(slots, int(series.t_ns[0]))
    opened = _opened_ns(series, shutter, delay.delay_ns + options.rise_ns)
    return Attempt(
        series=series,
        slots=slots,
        palette=palette,
        labels=labels,
        features=features,
        shares=edges.shares(opened, shutter.exposure_ns),
        fit=fit,
        labelling=labelling,
        delay=delay,
        noise=noise,
        edges=edges,
        opened_ns=opened,
        shutter=shutter,
        planned=planned,
    )


def _delays_ns(options: ResponseOptions) -> NDArray[np.int64]:
    """Return the delays that are tried."""
    low, high = options.delay_low_ns, options.delay_high_ns
    return np.arange(low, high + 1, options.delay_step_ns, np.int64)


def _opened_ns(series: Series, shutter: Shutter, late_ns: int) -> Array:
    """Return when the face's rows began to be exposed, on the screen's clock from the first stamp.

    Kept as float64: a difference from the first stamp loses nothing there, a stamp itself would.
    """
    rows = (series.t_ns - series.t_ns[0]) + series.face_row * shutter.readout_ns
    opened: Array = rows - float(late_ns)
    return opened


def label_indices(slots: Sequence[LitSlot], palette: dict[str, Array]) -> NDArray[np.intp]:
    """(S,) place of each slot's colour in the palette."""
    names = list(palette)
    return np.array([names.index(slot.colour) for slot in slots], np.intp)
