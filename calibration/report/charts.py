"""Charts as inline SVG: a line over time, coloured bands under it, limits across it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import TypeAlias

_Scale: TypeAlias = Callable[[float], float]

WIDTH = 860
LEFT, RIGHT, TOP, BOTTOM = 56, 12, 8, 20


@dataclass(frozen=True, slots=True)
class Band:
    """A coloured stretch of the time axis; ``colour`` is a CSS colour."""

    start: float
    end: float
    colour: str
    title: str


@dataclass(frozen=True, slots=True)
class Line:
    """One series; a NaN breaks the line."""

    points: Sequence[tuple[float, float]]
    colour: str
    title: str


@dataclass(frozen=True, slots=True)
class LimitLine:
    """A horizontal limit: beyond it a frame is turned away."""

    value: float
    title: str


@dataclass(frozen=True, slots=True)
class Chart:
    """What ``svg`` draws: x from ``span``, y from what the lines and limits need."""

    span: tuple[float, float]
    lines: Sequence[Line] = ()
    bands: Sequence[Band] = ()
    limits: Sequence[LimitLine] = ()
    height: int = 120
    unit: str = ""


def svg(chart: Chart, label: str) -> str:
    """Return the chart as an ``<svg>`` element with ``label`` as its accessible name."""
    low, high = _value_range(chart)
    inner = chart.height - TOP - BOTTOM

    def x(t: float) -> float:
        start, end = chart.span
        share = (t - start) / (end - start) if end > start else 0.0
        return LEFT + min(max(share, 0.0), 1.0) * (WIDTH - LEFT - RIGHT)

    def y(value: float) -> float:
        return TOP + (high - value) / (high - low) * inner

    parts = [
        f'<svg viewBox="0 0 {WIDTH} {chart.height}" role="img" aria-label="{escape(label)}">',
        *(_band(band, x, inner) for band in chart.bands),
        *_axis(chart, low, high, y),
        *(_limit(limit, y) for limit in chart.limits if low <= limit.value <= high),
        *(_path(line, x, y) for line in chart.lines),
        "</svg>",
    ]
    return "".join(parts)


def _value_range(chart: Chart) -> tuple[float, float]:
    values = [v for line in chart.lines for _, v in line.points if math.isfinite(v)]
    values += [limit.value for limit in chart.limits if math.isfinite(limit.value)]
    if not values:
        return 0.0, 1.0
    low, high = min(values), max(values)
    air = (high - low) * 0.08 or abs(high) * 0.1 or 1.0
    return low - air, high + air


def _band(band: Band, x: _Scale, inner: int) -> str:
    left, right = x(band.start), x(band.end)
    return (
        f'<rect x="{left:.1f}" y="{TOP}" width="{max(right - left, 0.4):.1f}" height="{inner}" '
        f'fill="{escape(band.colour)}"><title>{escape(band.title)}</title></rect>'
    )


def _axis(chart: Chart, low: float, high: float, y: _Scale) -> list[str]:
    parts = []
    if chart.lines:
        for value in (low + (high - low) * 0.04, high - (high - low) * 0.04):
            text = f"{value:.3g}"
            parts.append(f'<text x="{LEFT - 6}" y="{y(value) + 4:.1f}" class="tick">{text}</text>')
    start, end = chart.span
    ground = chart.height - 5
    parts.append(f'<text x="{LEFT}" y="{ground}" class="time">{start:.0f} ms</text>')
    parts.append(f'<text x="{WIDTH - RIGHT}" y="{ground}" class="tick">{end:.0f} ms</text>')
    if chart.unit:
        parts.append(
            f'<text x="{LEFT + 4}" y="{TOP + 11}" class="unit">{escape(chart.unit)}</text>'
        )
    return parts


def _limit(limit: LimitLine, y: _Scale) -> str:
    at = f"{y(limit.value):.1f}"
    return (
        f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at}" y2="{at}" class="limit">'
        f"<title>{escape(limit.title)}</title></line>"
    )


def _path(line: Line, x: _Scale, y: _Scale) -> str:
    steps, pen = [], "M"
    for t, value in line.points:
        if not math.isfinite(value):
            pen = "M"
            continue
        steps.append(f"{pen}{x(t):.1f} {y(value):.1f}")
        pen = "L"
    title = escape(line.title)
    return (
        f'<path d="{"".join(steps)}" stroke="{escape(line.colour)}"><title>{title}</title></path>'
    )
