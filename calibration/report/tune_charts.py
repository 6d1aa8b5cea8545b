"""Distribution and trade-off of one limit as inline SVG; the script moves their markers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape
from typing import Final

import numpy as np
from numpy.typing import NDArray

from calibration.tuning.levels import Level
from calibration.tuning.statistics.det import Det, det_curve
from calibration.tuning.tuner import Tuning

BINS: Final = 48
POINTS: Final = 400
WIDTH, HEIGHT = 560, 190
EDGE, TOP, FOOT = 10, 10, 24
SIDE = 300
DET_LEFT, DET_FOOT = 44, 34
DET_RANGE: Final = (0.001, 0.9)
DET_TICKS: Final = (0.001, 0.01, 0.05, 0.2, 0.5, 0.8)


@dataclass(frozen=True, slots=True, eq=False)
class Figure:
    """The numbers behind the two charts of a limit.

    Attributes
    ----------
    span : native values from the left edge of the distribution to the right one; frames outside
        are counted in the outermost bins.
    good, bad : (BINS,) frames; NaN and unassessable ones are in neither.
    unassessed : frames, good and bad for the reason, whose measure failed.
    det : the whole curve, all subjects.
    """

    key: str
    span: tuple[float, float]
    good: NDArray[np.int64]
    bad: NDArray[np.int64]
    unassessed: int
    det: Det

    @property
    def trades(self) -> bool:
        """Whether there are good and bad frames to draw a trade-off of."""
        det = self.det
        return bool(len(det.badness)) and not (np.isnan(det.far).any() or np.isnan(det.frr).any())

    @property
    def edges(self) -> NDArray[np.float64]:
        """(BINS + 1,) native values."""
        return np.linspace(*self.span, BINS + 1)


def figure_of(tuning: Tuning, number: int) -> Figure:
    """Return the figure of limit ``number``."""
    limit, badness = tuning.limits[number], tuning.badness[number]
    good, bad = tuning.material.good, tuning.material.bad_for(limit.reason)
    native = limit.rule.sign * badness
    finite = np.isfinite(badness)
    span = _span(native[finite & (good | bad)], (limit.default, tuning.levels[limit.key]))
    edges = np.linspace(*span, BINS + 1)
    counts = [
        np.histogram(native[finite & chosen].clip(*span), bins=edges)[0] for chosen in (good, bad)
    ]
    return Figure(
        limit.key,
        span,
        counts[0],
        counts[1],
        int((np.isinf(badness) & (good | bad)).sum()),
        det_curve(badness, good, bad, tuning.material.subject),
    )


def thinned(det: Det) -> NDArray[np.int64]:
    """Return the indices of at most ``POINTS`` points that show the curve."""
    count = len(det.badness)
    return np.unique(np.linspace(0, count - 1, min(POINTS, count)).astype(np.int64))


def distribution_svg(figure: Figure, one: Level, label: str) -> str:
    """Return both distributions, each scaled to its own peak, and the limits across them."""
    parts = [f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(label)}">']
    for kind, counts in (("good", figure.good), ("bad", figure.bad)):
        if counts.any():
            parts.append(_area(kind, counts, figure))
    ground = HEIGHT - FOOT
    parts.append(f'<path class="axis" d="M{EDGE} {ground}H{WIDTH - EDGE}"/>')
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        low, high = figure.span
        x = EDGE + share * (WIDTH - 2 * EDGE)
        anchor = {0.0: "start", 1.0: "end"}.get(share, "middle")
        text = f"{low + share * (high - low):.3g}"
        parts.append(f'<text x="{x:.1f}" y="{HEIGHT - 8}" text-anchor="{anchor}">{text}</text>')
    if one.conformal is not None:
        parts.append(_mark("conformal", one.conformal, figure.span, "conformal level"))
    parts.append(_mark("default", one.limit.default, figure.span, "default"))
    parts.append(_mark("level", one.level, figure.span, "level"))
    parts.append("</svg>")
    return "".join(parts)


def det_svg(figure: Figure, label: str) -> str:
    """Return the trade-off curve on logit axes, the operating point and the default's."""
    det = figure.det
    parts = [f'<svg viewBox="0 0 {SIDE} {SIDE - 60}" role="img" aria-label="{escape(label)}">']
    for tick in DET_TICKS:
        x, y = det_xy(tick, tick)
        beside = min(y + 4, SIDE - 60 - DET_FOOT)
        text = f"{100 * tick:g}"
        right, ground = SIDE - EDGE, SIDE - 60 - DET_FOOT
        parts += [
            f'<path class="grid" d="M{x:.1f} {TOP}V{ground}M{DET_LEFT} {y:.1f}H{right}"/>',
            f'<text x="{x:.1f}" y="{ground + 13}" text-anchor="middle">{text}</text>',
            f'<text x="{DET_LEFT - 5}" y="{beside:.1f}" text-anchor="end">{text}</text>',
        ]
    middle = (DET_LEFT + SIDE) / 2
    parts.append(
        f'<text x="{middle}" y="{SIDE - 64}" text-anchor="middle">good rejected, %</text>'
        f'<text transform="translate(11 {(SIDE - 60 - DET_FOOT) / 2 + 40}) rotate(-90)">'
        "bad accepted, %</text>"
    )
    points = [det_xy(float(det.frr[i]), float(det.far[i])) for i in thinned(det)]
    path = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    parts.append(f'<path class="curve" d="M{path}"/>')
    parts.append('<circle class="point default" r="4"/><circle class="point level" r="5"/></svg>')
    return "".join(parts)


def det_xy(frr: float, far: float) -> tuple[float, float]:
    """Return where a pair of rates lies; rates beyond the axes lie on their edge."""
    x, y = _logit_share(frr), _logit_share(far)
    ground = SIDE - 60 - DET_FOOT
    return DET_LEFT + x * (SIDE - EDGE - DET_LEFT), ground - y * (ground - TOP)


def _logit_share(rate: float) -> float:
    low, high = (math.log(p / (1 - p)) for p in DET_RANGE)
    clipped = min(max(rate, DET_RANGE[0]), DET_RANGE[1])
    return (math.log(clipped / (1 - clipped)) - low) / (high - low)


def _span(values: NDArray[np.float64], levels: tuple[float, float]) -> tuple[float, float]:
    if len(values):
        low, high = (float(v) for v in np.quantile(values, (0.002, 0.998)))
    else:
        low, high = min(levels), max(levels)
    low, high = min(low, *levels), max(high, *levels)
    air = 0.06 * (high - low) or abs(high) * 0.1 or 1.0
    return (max(0.0, low - air) if low >= 0 else low - air), high + air


def _area(kind: str, counts: NDArray[np.int64], figure: Figure) -> str:
    width = (WIDTH - 2 * EDGE) / BINS
    ground, room = HEIGHT - FOOT, HEIGHT - FOOT - TOP
    steps = [f"M{EDGE} {ground}"]
    for number, count in enumerate(counts):
        y = ground - room * float(count) / float(counts.max())
        steps.append(f"V{y:.1f}H{EDGE + (number + 1) * width:.1f}")
    title = f"{kind}: {int(counts.sum())} frames, {figure.edges[0]:.3g} to {figure.edges[-1]:.3g}"
    return f'<path class="area {kind}" d="{"".join(steps)}V{ground}Z"><title>{title}</title></path>'


def _mark(kind: str, value: float, span: tuple[float, float], title: str) -> str:
    low, high = span
    x = EDGE + min(max((value - low) / (high - low), 0.0), 1.0) * (WIDTH - 2 * EDGE)
    return (
        f'<line class="mark {kind}" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 6}" y2="{HEIGHT - FOOT}">'
        f"<title>{escape(title)} {value:.4g}</title></line>"
    )
