"""Whether the face answered the screen in this session, how strongly, and how late.

This is quality control: it tells a kiosk that the room was too bright, the screen too far away or
the labels wrong before anything is sent. It makes no statement about liveness: a feed that tints a
face with the screen's colours within some 100 ms answers as a face does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from capture.light.timeline import LabelKind, Timeline
from preprocess.light.errors import LightError
from preprocess.light.fitting.feature_fit import Attempt, attempt
from preprocess.light.fitting.fit import residual_noise, slot_levels
from preprocess.light.fitting.flip_steps import check_steps
from preprocess.light.fitting.foreign import has_foreign_steps
from preprocess.light.fitting.retiming import fits_at_other_times
from preprocess.light.fitting.series import CHROMA_BASIS, Array, Series, series_of
from preprocess.light.fitting.template import lit_slots
from preprocess.light.guards import coverage
from preprocess.light.options import ResponseOptions
from preprocess.light.samples import ChromaSample
from preprocess.light.verdict import ColourResponse, Exposures, LightResponse, LightState, Trace


def respond(
    samples: Sequence[ChromaSample],
    timeline: Timeline,
    options: ResponseOptions | None = None,
    *,
    delay_known: bool = True,
    stamps_vouched: bool = True,
) -> LightResponse:
    """Measure the response of a session's samples (any order) to its timeline.

    Parameters
    ----------
    delay_known : False where the timeline's lag stands for none: nobody declared one.
    stamps_vouched : False for files of unknown origin: light that fits no delay is then looked for
        at other times, as lying stamps would show it.

    Raises
    ------
    LightError
        the timeline shows no coloured light, so that there is no response to speak of.
    """
    options = options or ResponseOptions()
    slots = lit_slots(timeline.flips, timeline.end_ns)
    if not slots:
        raise LightError("the timeline shows no coloured light: expected at least one lit slot")
    series = series_of(samples)
    tried = attempt(series, slots, timeline.timing, options)
    if series.with_background and not _present(tried, options):
        # a background lit as the face is cancels the light; the face alone still shows it
        alone = attempt(series_of(samples, background=False), slots, timeline.timing, options)
        tried = alone if _present(alone, options) else tried
    if tried is None:
        found = _unmeasured(series, timeline)
        return found if delay_known else replace(found, declared_delay_ns=None)
    found = _report(tried, samples, timeline, options)
    if not delay_known:
        found = replace(found, declared_delay_ns=None, delay_disagrees=False)
    if not stamps_vouched and not found.answers:
        found = replace(found, retimed=fits_at_other_times(tried, options))
    return found


def _present(tried: Attempt | None, options: ResponseOptions) -> bool:
    """Whether light steps at the plan's flips, in whatever colours."""
    if tried is None:
        return False
    labelling = tried.labelling
    explained = max(labelling.peak, labelling.rival_rho) >= options.rho_least
    return tried.fit.strength >= (options.present if explained else options.certain)


@dataclass(frozen=True, slots=True, eq=False)
class _Levels:
    """Levels of the slots at the estimated delay, and the noise of one frame around them.

    ``along`` (S,) is each level's length along its declared direction, per unit of that
    direction: the light of the screen over the ambient, as a log.
    """

    length: Array
    along: Array
    noise: float


def _report(
    tried: Attempt,
    samples: Sequence[ChromaSample],
    timeline: Timeline,
    options: ResponseOptions,
) -> LightResponse:
    levels = _measure(tried)
    colours = _colours(tried, levels, timeline)
    strength = float(np.expm1(max(float(np.median(levels.along)), 0.0)))
    present = _present(tried, options)
    foreign = not present and has_foreign_steps(
        tried.series.t_ns, tried.series.features(luminance=False), tried.noise, len(tried.slots)
    )
    state = (
        _state(tried, colours, strength, options)
        if present
        else (LightState.MISMATCH if foreign else LightState.NONE)
    )
    exposures = _exposures(tried, timeline, options) if present else None
    trusted = present and state is not LightState.MISMATCH
    return LightResponse(
        state=state,
        rho=tried.labelling.peak,
        p_value=tried.labelling.p_value,
        strength=strength if trusted else 0.0,
        exposures=exposures,
        declared_delay_ns=timeline.timing.latency_ns,
        delay_disagrees=trusted
        and exposures is not None
        and coverage(timeline.timing, exposures).surely_exceeded,
        steps=check_steps(tried) if trusted else None,
        retimed=False,
        background_ratio=_background_ratio(tried, samples) if trusted else None,
        colours=colours,
        n_samples=len(tried.series),
        trace=_trace(tried, levels),
    )


def _exposures(tried: Attempt, timeline: Timeline, options: ResponseOptions) -> Exposures:
    series = tried.series
    return Exposures(
        delay=tried.delay,
        readout_ns=tried.shutter.readout_ns,
        exposure_stated=timeline.timing.exposure_stated,
        interval_ns=round(float(np.median(np.diff(series.t_ns)))),
        rise_ns=options.rise_ns,
        row=float(np.median(series.face_row)),
        # a face that moves: its rows in nearly every frame
        row_top=float(np.percentile(series.face_top, 5)),
        row_bottom=float(np.percentile(series.face_bottom, 95)),
    )


def _measure(tried: Attempt) -> _Levels:
    found = slot_levels(tried.series.t_ns, tried.features, tried.shares, tried.noise)
    directions = np.array(list(tried.palette.values()))[tried.labels]
    size = np.maximum(np.linalg.norm(directions, axis=1), 1e-9)
    return _Levels(
        length=np.linalg.norm(found, axis=1),
        along=np.sum(found * directions, axis=1) / size**2,
        noise=residual_noise(tried.series.t_ns, tried.features, tried.shares, tried.noise.slot_s),
    )


def _colours(tried: Attempt, levels: _Levels, timeline: Timeline) -> tuple[ColourResponse, ...]:
    t_ns = tried.series.t_ns
    labelled = [timeline.label(int(t)) for t in t_ns]
    clean = np.array([label.kind is LabelKind.CLEAN for label in labelled])
    names = np.array([label.colour or "" for label in labelled])
    found = []
    for index, name in enumerate(tried.palette):
        mine = tried.labels == index
        lit = clean & (names == name)
        amplitude = float(np.mean(levels.length[mine]))
        found.append(
            ColourResponse(
                colour=name,
                slots=int(mine.sum()),
                clean_frames=int(lit.sum()),
                amplitude=amplitude,
                snr=amplitude / max(levels.noise, 1e-6),
                clipped_share=float(tried.series.clipped[lit].mean()) if lit.any() else 0.0,
            )
        )
    return tuple(found)


def _state(
    tried: Attempt,
    colours: Sequence[ColourResponse],
    strength: float,
    options: ResponseOptions,
) -> LightState:
    if _mismatched(tried, options):
        return LightState.MISMATCH
    clipped = max(colour.clipped_share for colour in colours)
    if clipped > options.clipped_limit:
        return LightState.SATURATED
    if strength < options.faint and float(np.median(tried.series.level)) > options.bright_level:
        return LightState.TOO_BRIGHT
    noisy = min(colour.snr for colour in colours) < options.snr_ok
    if noisy or clipped > options.clipped_ok or tried.labelling.peak < options.rho_ok:
        return LightState.WEAK
    return LightState.OK


def _mismatched(tried: Attempt, options: ResponseOptions) -> bool:
    labelling = tried.labelling
    # with few slots hardly any shuffle differs from the plan, and p cannot become small
    limit = max(options.p_limit, 1.5 * labelling.p_floor)
    return (
        labelling.peak < options.rho_least
        or labelling.p_value > limit
        or labelling.beaten(options.rival_slots / len(tried.slots))
    )


def _background_ratio(tried: Attempt, samples: Sequence[ChromaSample]) -> float | None:
    """Length of the background's response over the face's, both on their own."""
    seen = [sample for sample in samples if sample.background_rgb is not None]
    if len(seen) < len(tried.slots) * 2:
        return None
    face = series_of(seen, background=False)
    both = series_of(seen)
    if not both.with_background:
        return None
    rows = np.isin(tried.series.t_ns, face.t_ns)
    if rows.sum() != len(face):
        return None
    shares = tried.shares[rows]
    alone = slot_levels(face.t_ns, face.chroma @ CHROMA_BASIS, shares, tried.noise)
    wall = (face.chroma - both.chroma) @ CHROMA_BASIS
    behind = slot_levels(face.t_ns, wall, shares, tried.noise)
    power = float(np.sum(alone**2))
    return float(np.sum(alone * behind)) / power if power > 0 else None


def _trace(tried: Attempt, levels: _Levels) -> Trace:
    directions = np.array(list(tried.palette.values()))[tried.labels][:, :2]
    size = max(float(np.median(levels.along)), 0.0)
    template = size * (tried.shares @ directions) @ CHROMA_BASIS.T
    return Trace(tried.series.t_ns, tried.series.chroma, template)


def _unmeasured(series: Series, timeline: Timeline) -> LightResponse:
    """Too few frames showed enough of a face: no light was seen, whether or not there was any."""
    return LightResponse(
        state=LightState.NONE,
        rho=0.0,
        p_value=1.0,
        strength=0.0,
        exposures=None,
        declared_delay_ns=timeline.timing.latency_ns,
        delay_disagrees=False,
        steps=None,
        retimed=False,
        background_ratio=None,
        colours=(),
        n_samples=len(series),
        trace=Trace(series.t_ns, series.chroma, np.zeros_like(series.chroma)),
    )
