"""Measures over time with their limits, as charts of a session's page."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from calibration.report.charts import Chart, LimitLine, Line, svg
from facelight.pipeline import FrameReport
from facelight.report.measure_texts import MEASURE_TEXTS
from preprocess.gate.rules import RULES, Rule
from preprocess.gate.thresholds import Thresholds

SHOWN: Final = (
    "blur_pct", "speed_ied_s", "yaw_deg", "pitch_deg", "roll_deg", "ied_px", "contrast_codes",
    "frame_bright_codes", "over_any_share", "over_two_share", "over_lit_share", "side_light_stops",
)  # fmt: skip
"""Measures that every page shows."""

LINE_COLOUR: Final = "#2b62c4"


@dataclass(frozen=True, slots=True)
class MeasureChart:
    """One measure of a session.

    Attributes
    ----------
    name : column of ``frames.csv``.
    words, unit : the same as people say it.
    note : its limits, and what else has to be so for them to hold.
    """

    name: str
    words: str
    unit: str
    chart: Markup
    note: str


def span_ms(reports: Sequence[FrameReport]) -> tuple[float, float]:
    """Return first and last time of a session."""
    return (reports[0].t_frame_ns / 1e6, reports[-1].t_frame_ns / 1e6) if reports else (0.0, 1.0)


def measure_charts(
    reports: Sequence[FrameReport], thresholds: Thresholds, without: str = ""
) -> list[MeasureChart]:
    """Return the charts of all measures that could be assessed, except one."""
    charts = (measure_chart(name, reports, thresholds) for name in SHOWN if name != without)
    return [chart for chart in charts if chart is not None]


def measure_chart(
    name: str, reports: Sequence[FrameReport], thresholds: Thresholds, height: int = 96
) -> MeasureChart | None:
    """Return a measure over time with its limits; None where no frame has it."""
    points = [(r.t_frame_ns / 1e6, float(getattr(r.measures, name))) for r in reports]
    if not any(math.isfinite(value) for _, value in points):
        return None
    words, unit = MEASURE_TEXTS[name]
    rules = [rule for rule in RULES if rule.measure == name]
    limits = [limit for rule in rules for limit in _limits(rule, thresholds)]
    line = Line(points, LINE_COLOUR, words)
    chart = svg(Chart(span_ms(reports), [line], (), limits, height), words)
    return MeasureChart(name, words, unit, Markup(chart), _note(rules, thresholds))  # noqa: S704


def _note(rules: Sequence[Rule], thresholds: Thresholds) -> str:
    told = [sentence for rule in rules if (sentence := limit_text(rule, thresholds))]
    others = sorted({MEASURE_TEXTS[c.measure].words for rule in rules for c in rule.only_if})
    if others:
        told.append(f"together with {', '.join(others)}")
    return "; ".join(dict.fromkeys(told))


def limit_text(rule: Rule, thresholds: Thresholds) -> str:
    """Return what a rule turns away, in words; of one that only warns, from where it does."""
    beyond, within = ("above", "up to") if rule.sign > 0 else ("below", "from")
    accept = f"{getattr(thresholds, rule.accept):g}"
    if rule.rejects:
        return f"turned away {beyond} {getattr(thresholds, rule.drop):g}, good {within} {accept}"
    return f"a warning {beyond} {accept}"


def _limits(rule: Rule, thresholds: Thresholds) -> list[LimitLine]:
    zero = float(getattr(thresholds, rule.zero)) if rule.zero else 0.0
    limits = []
    for word, field in (("good up to here", rule.accept), ("turned away beyond", rule.drop)):
        if field:
            value = float(getattr(thresholds, field))
            limits.append(LimitLine(zero + value, word))
            if rule.magnitude:
                limits.append(LimitLine(zero - value, word))
    return limits
