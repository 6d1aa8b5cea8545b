"""Whether submitted frames show the colours that they are declared to show.

The view from the other end of the wire: only frames under one clean colour arrive, cropped and
compressed, with the colours' names and without the screen's flips. What is left to test is whether
the light changes when the names do, into the colours that the names say, and whether the names
explain it better than other names in the same order. Quality control, no proof of a live person.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from capture.light.illumination import Rgb
from capture.options import option, options
from preprocess.light.fitting.fit import (
    Moments,
    Noise,
    SlotFit,
    fit_slots,
    likeliest_noise,
    moments,
    residual_noise,
)
from preprocess.light.fitting.foreign import has_foreign_steps
from preprocess.light.fitting.labelling import Labelling, judge_labelling
from preprocess.light.fitting.series import Series, series_of
from preprocess.light.fitting.template import direction_of
from preprocess.light.samples import ChromaSample

AgreementState: TypeAlias = Literal["ok", "weak", "mismatch", "none"]

KNOWN_COLOURS: dict[str, Rgb] = {
    "red": (255, 0, 0),
    "green": (0, 255, 0),
    "blue": (0, 0, 255),
    "yellow": (255, 255, 0),
    "cyan": (0, 255, 255),
    "magenta": (255, 0, 255),
    "white": (255, 255, 255),
    "black": (0, 0, 0),
    "grey": (128, 128, 128),
    "gray": (128, 128, 128),
}
"""Names whose direction is known, in lower case; any other name only has to be consistent."""


@options
class AgreementOptions:
    """Limits of the verdict."""

    present: float = option(
        0.1,
        unit="log-determinant a slot",
        low=0.01,
        high=2,
        why="few frames a slot let each follow its own noise; on top of .25",
    )
    present_most: float = option(
        0.85,
        unit="log-determinant",
        low=0.1,
        high=20,
        why="unlit clips reach .75, a light of 5 % of the ambient mostly 1.2 and more",
    )
    certain: float = option(
        0.6,
        unit="log-determinant",
        low=0.0,
        high=20,
        why="so much more is light even where no known colours explain it",
    )
    rho_ok: float = option(0.75, unit="correlation", low=0, high=1, why="clear beyond motion")
    rho_least: float = option(
        0.5, unit="correlation", low=0, high=1, why="below, most of what was seen is not declared"
    )
    rival_slots: float = option(
        0.4, unit="slots", low=0.05, high=5, why="less than what one wrong slot costs"
    )
    p_limit: float = option(
        0.05, unit="probability", low=0.001, high=0.5, why="above, shuffled names do as well"
    )
    snr_ok: float = option(3.0, unit="amplitude / sd", low=0.5, high=100, why="a frame shows it")
    gap_ms: float = option(
        1000.0, unit="ms", low=100, high=60_000, why="a run of one colour with a hole is two slots"
    )
    min_frames: int = option(
        8, unit="frames", low=4, high=1000, why="fewer frames than that fit any names"
    )
    permutations: int = option(1000, unit="shuffles", low=100, high=100_000, why="p to .001")
    seed: int = option(0, unit="seed", low=0, why="the same frames give the same p")


@dataclass(frozen=True, slots=True)
class Agreement:
    """The verdict on declared colours.

    Attributes
    ----------
    state : ``ok``; ``weak``: nothing speaks against the names, but the light is faint or the names
        leave little to test; ``mismatch``: the light changes, but not as declared; ``none``: no
        light changes with the names.
    rho : correlation with the declared light.
    p_value : share of shuffles of the names over the runs of one colour that reach it.
    snr : mean step of the light over the noise of one frame.
    """

    state: AgreementState
    rho: float
    p_value: float
    snr: float


_NOTHING = Agreement("none", 0.0, 1.0, 0.0)


def agreement(
    samples: Sequence[ChromaSample],
    colours: Sequence[str | None],
    options: AgreementOptions | None = None,
) -> Agreement:
    """Compare samples (any order) with the colour declared for each; None is left out.

    Raises
    ------
    ValueError
        ``samples`` and ``colours`` differ in length.
    """
    options = options or AgreementOptions()
    if len(samples) != len(colours):
        raise ValueError(f"colours: expected one a sample, {len(samples)}, got {len(colours)}")
    declared = {
        sample.t_frame_ns: _canonical(colour)
        for sample, colour in zip(samples, colours, strict=True)
        if colour is not None
    }
    lit = [sample for sample in samples if sample.t_frame_ns in declared]
    if len(declared) < options.min_frames or len(set(declared.values())) < 2:
        return _NOTHING
    views = [_view(series_of(lit, background=False), declared, options)]
    against = series_of(lit)
    if against.with_background:
        views.append(_view(against, declared, options))
    # the rim of a crop is hair and collar as often as wall: take the feature that shows more
    seen = [view for view in views if view is not None]
    if not seen:
        return _NOTHING
    verdict = _judge(max(seen, key=lambda view: view.fit.strength), options)
    if verdict.state == "none" and any(_is_foreign(view) for view in seen):
        return replace(verdict, state="mismatch")
    return verdict


@dataclass(frozen=True, slots=True, eq=False)
class _View:
    """One feature of the samples against the runs of declared colours."""

    names: tuple[str, ...]
    labels: NDArray[np.intp]
    fit: SlotFit
    sums: Moments
    sd: float
    series: Series
    noise: Noise


def _is_foreign(view: _View) -> bool:
    features = view.series.features(luminance=False)
    return has_foreign_steps(view.series.t_ns, features, view.noise, len(view.labels))


def _view(series: Series, declared: dict[int, str], options: AgreementOptions) -> _View | None:
    names = [declared[int(t)] for t in series.t_ns]
    run = _runs(series.t_ns, names, options.gap_ms)
    count = int(run[-1]) + 1 if len(run) else 0
    if count < 2 or len(run) < max(options.min_frames, 2 * count):
        return None
    palette = tuple(dict.fromkeys(names))
    first = np.searchsorted(run, np.arange(count))
    labels = np.array([palette.index(names[i]) for i in first], np.intp)
    shares = (run[:, None] == np.arange(count)).astype(np.float64)
    slot_s = float(series.t_ns[-1] - series.t_ns[0]) / 1e9 / count
    features = series.features(luminance=False)
    noise = likeliest_noise(series.t_ns, features, shares[None], slot_s)
    sums = moments(series.t_ns, features, shares[None], noise)
    return _View(
        names=palette,
        labels=labels,
        fit=fit_slots(sums),
        sums=sums,
        sd=residual_noise(series.t_ns, features, shares, slot_s),
        series=series,
        noise=noise,
    )


def _judge(view: _View, options: AgreementOptions) -> Agreement:
    known = np.array([name in KNOWN_COLOURS for name in view.names])
    directions = np.array(
        [direction_of(KNOWN_COLOURS.get(name, (0, 0, 0)), luminance=False) for name in view.names]
    )
    verdict = judge_labelling(
        view.sums.weighted(view.fit.weights),
        directions @ view.fit.weights,
        view.labels,
        free=~known,
        permutations=options.permutations,
        seed=options.seed,
    )
    centred = view.fit.levels - view.fit.levels.mean(axis=0)
    snr = float(np.mean(np.linalg.norm(centred, axis=1))) / max(view.sd, 1e-6)
    return Agreement(
        state=_state(view, verdict, snr, options),
        rho=verdict.peak,
        p_value=verdict.p_value,
        snr=snr,
    )


def _state(
    view: _View, verdict: Labelling, snr: float, options: AgreementOptions
) -> AgreementState:
    explained = max(verdict.peak, verdict.rival_rho) >= 1.1 * options.rho_least
    needed = min(0.25 + options.present * len(view.labels), options.present_most)
    if view.fit.strength < (needed if explained else needed + options.certain):
        return "none"
    limit = max(options.p_limit, 1.5 * verdict.p_floor)
    lost = verdict.beaten(options.rival_slots / len(view.labels))
    if verdict.peak < options.rho_least or verdict.p_value > limit or lost:
        return "mismatch"
    testable = verdict.p_floor < 0.5
    return "ok" if testable and verdict.peak >= options.rho_ok and snr >= options.snr_ok else "weak"


def _canonical(name: str) -> str:
    lowered = name.strip().lower()
    return lowered if lowered in KNOWN_COLOURS else name


def _runs(t_ns: NDArray[np.int64], names: Sequence[str], gap_ms: float) -> NDArray[np.intp]:
    """(N,) index of the run of one colour that each frame belongs to."""
    changed = np.array([a != b for a, b in itertools.pairwise(names)], bool)
    starts = np.concatenate([[False], changed | (np.diff(t_ns) > gap_ms * 1e6)])
    result: NDArray[np.intp] = np.cumsum(starts)
    return result
