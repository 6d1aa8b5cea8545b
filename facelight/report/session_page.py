"""What the page of one session shows: light and labels, response, measures, submitted frames."""

from __future__ import annotations

import base64
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, cast

import cv2
import numpy as np
from markupsafe import Markup

from calibration.report.charts import Band, Chart, LimitLine, Line, svg
from capture.frame import ImageU8
from capture.light.timeline import LabelKind, Timeline
from facelight.config.settings import Settings
from facelight.pipeline import FrameReport, SessionResult
from facelight.report.page import environment
from facelight.result import ResultRecord
from preprocess.clip.clip import Clip, ClipEntry
from preprocess.gate.rules import RULES, Rule
from preprocess.gate.thresholds import Thresholds
from preprocess.reduction import shrunk
from preprocess.webp.stills import decode_still
from preprocess.webp.webp_reader import read_animation

LABEL_COLOURS = {
    LabelKind.CLEAN: "#2f9e58",
    LabelKind.TRANSITION: "#e0a33a",
    LabelKind.NEUTRAL: "#9aa3ad",
    LabelKind.NONE: "#d7dbe0",
}
CHANNEL_COLOURS = ("#c6352f", "#23863f", "#2b62c4")
MEASURES = (
    "blur_pct", "speed_ied_s", "yaw_deg", "pitch_deg", "roll_deg", "ied_px", "contrast_codes",
    "frame_bright_codes", "over_any_share", "over_two_share", "over_lit_share", "side_light_stops",
)  # fmt: skip
THUMBS = 9
THUMB_SIDE_PX = 200


@dataclass(frozen=True, slots=True)
class Thumb:
    """One submitted frame, small."""

    number: int
    text: str
    source: str


def session_page(
    result: ResultRecord, session: SessionResult, settings: Settings, timeline: Timeline | None
) -> str:
    """Return the page of a session; pictures are small and blurred until clicked."""
    outcome = Markup(outcome_block(result))  # noqa: S704  (a template's own output)
    counts = Counter(report.label.kind for report in session.reports)
    return (
        environment()
        .get_template("session.html.j2")
        .render(
            result=result,
            outcome=outcome,
            strip=_strip(session, timeline) if timeline else "",
            label_counts=[
                (kind.value, colour, counts[kind]) for kind, colour in LABEL_COLOURS.items()
            ],
            response=_response_rows(session),
            response_colours=_response_colours(session),
            response_chart=_response_chart(session, timeline),
            measures=list(_measure_charts(session.reports, settings.thresholds)),
            counts=_count_rows(result),
            thumbs=list(_thumbs(session.clip)) if session.clip else [],
        )
    )


def outcome_block(result: ResultRecord) -> str:
    """Return the part of the page that tells the outcome; empty before there is one."""
    return environment().get_template("outcome.html.j2").render(result=result)


def with_outcome(page: str, result: ResultRecord) -> str:
    """Return a session's page with the outcome that came after it was written."""
    head, start, rest = page.partition("<!--outcome-->")
    _, end, tail = rest.partition("<!--/outcome-->")
    return head + start + outcome_block(result) + end + tail


def _span(reports: Sequence[FrameReport]) -> tuple[float, float]:
    return (reports[0].t_frame_ns / 1e6, reports[-1].t_frame_ns / 1e6) if reports else (0.0, 1.0)


def _light_bands(timeline: Timeline, end_ms: float) -> list[Band]:
    """Return what the screen showed, at the time at which the camera could see it."""
    lag_ms = timeline.timing.latency_ns / 1e6
    starts = [flip.t_ns / 1e6 + lag_ms for flip in timeline.flips] + [math.inf]
    return [
        Band(
            start,
            min(end, end_ms),
            f"rgb{flip.rgb}",
            f"{flip.colour or 'neutral'} from {start:.0f} ms",
        )
        for flip, (start, end) in zip(timeline.flips, pairwise(starts), strict=True)
    ]


def _strip(session: SessionResult, timeline: Timeline) -> Markup:
    start, end = _span(session.reports)
    light = svg(Chart((start, end), bands=_light_bands(timeline, end), height=64), "screen light")
    times = [report.t_frame_ns / 1e6 for report in session.reports] + [end]
    labels = [
        Band(a, b, LABEL_COLOURS[r.label.kind], f"frame {r.seq}: {r.label.kind.value}")
        for r, (a, b) in zip(session.reports, pairwise(times), strict=True)
    ]
    sent = {entry.seq for entry in session.clip.entries} if session.clip else set()
    marks = [
        Band(r.t_frame_ns / 1e6, r.t_frame_ns / 1e6 + 6, "#000", f"frame {r.seq} is submitted")
        for r in session.reports
        if r.seq in sent
    ]
    label = svg(Chart((start, end), bands=labels, height=64), "label of each frame")
    mark = svg(Chart((start, end), bands=marks, height=44), "submitted frames")
    return Markup(light + label + mark)  # noqa: S704  (charts escape their texts)


def _response_rows(session: SessionResult) -> list[tuple[str, str]]:
    if session.response is None:
        return []
    found = session.response.as_dict()
    return [(name, _told(value)) for name, value in found.items() if name != "colours"]


def _response_colours(session: SessionResult) -> list[list[str]]:
    if session.response is None:
        return []
    colours: Mapping[str, Mapping[str, Any]] = session.response.as_dict()["colours"]
    return [[name, *(_told(value) for value in row.values())] for name, row in colours.items()]


def _told(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_told(item)}" for key, item in value.items())
    return str(value)


def _response_chart(session: SessionResult, timeline: Timeline | None) -> Markup:
    response = session.response
    if response is None or timeline is None:
        return Markup("")
    trace = response.trace
    times = [t_ns / 1e6 for t_ns in trace.t_ns.tolist()]
    lines = [
        Line(list(zip(times, values, strict=True)), colour, name)
        for name, colour, values in zip(
            ("red", "green", "blue"), CHANNEL_COLOURS, trace.chroma.T.tolist(), strict=True
        )
    ]
    chart = Chart(
        _span(session.reports), lines=lines, height=170, unit="log-chroma, face minus background"
    )
    return Markup(svg(chart, "log-chroma of the face over time"))  # noqa: S704


def _measure_charts(
    reports: Sequence[FrameReport], thresholds: Thresholds
) -> list[tuple[str, Markup, str]]:
    charts = []
    span = _span(reports)
    for name in MEASURES:
        points = [(r.t_frame_ns / 1e6, float(getattr(r.measures, name))) for r in reports]
        if not any(math.isfinite(value) for _, value in points):
            continue
        rules = [rule for rule in RULES if rule.measure == name]
        limits = [limit for rule in rules for limit in _limits(rule, thresholds)]
        chart = Chart(span, lines=[Line(points, "#2b62c4", name)], limits=limits, height=96)
        note = "; ".join(f"{limit.title} {limit.value:g}" for limit in limits if limit.value >= 0)
        if others := sorted({c.measure for rule in rules for c in rule.only_if}):
            note += f" (together with {', '.join(others)})"
        charts.append((name, Markup(svg(chart, name)), note))  # noqa: S704
    return charts


def _limits(rule: Rule, thresholds: Thresholds) -> list[LimitLine]:
    limits = []
    for word, field in (("accept", rule.accept), ("drop", rule.drop)):
        if field:
            value = float(getattr(thresholds, field))
            limits.append(LimitLine(value, word))
            if rule.magnitude:
                limits.append(LimitLine(-value, word))
    return limits


def _count_rows(result: ResultRecord) -> list[tuple[str, str]]:
    shown = result.counts.model_dump() if result.counts else {}
    counts = [(name, _told(value)) for name, value in shown.items()]
    gave_up = result.encoding.fallbacks if result.encoding else ()
    return [*counts, ("encoder", "; ".join(gave_up))] if gave_up else counts


def _thumbs(clip: Clip) -> list[Thumb]:
    """Return a few frames over the whole clip, small, as data URIs."""
    step = max(1, math.ceil(len(clip.entries) / THUMBS))
    chosen = clip.entries[::step]
    stills = _stills(clip, chosen)
    return [_thumb(entry, still) for entry, still in zip(chosen, stills, strict=True)]


def _stills(clip: Clip, chosen: Sequence[ClipEntry]) -> list[ImageU8]:
    files = {file.name: file.content for file in clip.files}
    if len(files) > 1:
        raw = [np.frombuffer(files[entry.file_name], np.uint8) for entry in chosen]
        return [cast("ImageU8", cv2.imdecode(data, cv2.IMREAD_COLOR)) for data in raw]
    frames = read_animation(clip.files[0].content).frames
    return [decode_still(frames[entry.frame_number].still) for entry in chosen]


def _thumb(entry: ClipEntry, pixels: ImageU8) -> Thumb:
    small = shrunk(pixels, THUMB_SIDE_PX)
    _, jpeg = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 80])
    source = "data:image/jpeg;base64," + base64.b64encode(jpeg.tobytes()).decode("ascii")
    return Thumb(entry.frame_number, f"{entry.colour or 'no light'}, {entry.t_ms} ms", source)
