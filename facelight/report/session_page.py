"""The page of one session: why it was rejected, light and labels, response, measures, frames."""

from __future__ import annotations

import base64
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import cv2
from markupsafe import Markup

from calibration.report.charts import Band, Chart, Line, svg
from capture.frame import ImageU8
from capture.light.timeline import LabelKind, Timeline
from facelight.config.settings import Settings
from facelight.pipeline import FrameReport, SessionResult
from facelight.report.failure import Failure, failure_of
from facelight.report.frame_pictures import SessionPictures, stills_of
from facelight.report.measure_charts import (
    MeasureChart,
    limit_text,
    measure_chart,
    measure_charts,
    span_ms,
)
from facelight.report.measure_texts import MEASURE_TEXTS
from facelight.report.page import environment
from facelight.report.reason_texts import words_of
from facelight.result import ResultRecord
from preprocess.clip.clip import Clip, ClipEntry
from preprocess.gate.thresholds import Thresholds
from preprocess.reasons import Reason
from preprocess.reduction import shrunk

LABEL_COLOURS = {
    LabelKind.CLEAN: "#2f9e58",
    LabelKind.TRANSITION: "#e0a33a",
    LabelKind.NEUTRAL: "#9aa3ad",
    LabelKind.NONE: "#d7dbe0",
}
CHANNEL_COLOURS = ("#c6352f", "#23863f", "#2b62c4")
LIGHT_REASONS = {
    Reason.LIGHT_NONE, Reason.LIGHT_WEAK, Reason.LIGHT_MISMATCH, Reason.LIGHT_DELAY,
    Reason.LIGHT_BACKGROUND, Reason.STAMPS_IN_DOUBT,
}  # fmt: skip
WHY_HEIGHT = 180
THUMBS = 9
THUMB_SIDE_PX = 200


@dataclass(frozen=True, slots=True)
class Thumb:
    """One submitted frame, small."""

    number: int
    text: str
    source: str


@dataclass(frozen=True, slots=True)
class Why:
    """Why a session was rejected, as the page begins.

    Attributes
    ----------
    what, cure : of the first two reasons, in words.
    frames : how many frames were turned away for the first; 0 where it is none of frames.
    limit : what the failing limit turns away, in words; empty without one.
    measure : the failing measure with its limit drawn.
    response : the light's answer instead, where the light was the reason.
    thumbs : the worst and the best frame.
    """

    what: str
    cure: str
    frames: int
    limit: str
    measure: MeasureChart | None
    response: Markup
    thumbs: tuple[Thumb, ...]


def session_page(
    result: ResultRecord,
    session: SessionResult,
    settings: Settings,
    timeline: Timeline | None,
    pictures: SessionPictures | None = None,
) -> str:
    """Return the page of a session; pictures are small and blurred until clicked."""
    why = _why(session, settings.thresholds, timeline, pictures or SessionPictures())
    failing = why.measure.name if why and why.measure else ""
    outcome = Markup(outcome_block(result))  # noqa: S704  (a template's own output)
    counts = Counter(report.label.kind for report in session.reports)
    return (
        environment()
        .get_template("session.html.j2")
        .render(
            result=result,
            outcome=outcome,
            why=why,
            strip=_strip(session, timeline) if timeline else "",
            label_counts=[
                (kind.value, colour, counts[kind]) for kind, colour in LABEL_COLOURS.items()
            ],
            response=_response_rows(session),
            response_colours=_response_colours(session),
            response_chart="" if why and why.response else _response_chart(session, timeline),
            measures=measure_charts(session.reports, settings.thresholds, failing),
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


def _why(
    session: SessionResult,
    thresholds: Thresholds,
    timeline: Timeline | None,
    pictures: SessionPictures,
) -> Why | None:
    failure = failure_of(session, thresholds)
    if failure is None:
        return None
    what, cure = words_of([str(reason) for reason in session.reasons])
    rule = failure.rule
    chart, limit = None, ""
    if rule is not None:
        chart = measure_chart(rule.measure, session.reports, thresholds, WHY_HEIGHT)
        limit = limit_text(rule, thresholds)
    response = Markup("")
    if failure.reason in LIGHT_REASONS:
        response = _response_chart(session, timeline)
    named = (
        ("worst", failure.worst, pictures.worst),
        ("best", failure.best, pictures.best),
    )
    thumbs = tuple(
        _jpeg_thumb(report.seq, f"{word} frame{_value_text(failure, report)}", jpeg)
        for word, report, jpeg in named
        if report is not None and jpeg is not None
    )
    return Why(what, cure, failure.frames, limit, chart, response, thumbs)


def _value_text(failure: Failure, report: FrameReport) -> str:
    if failure.rule is None:
        return ""
    value = float(getattr(report.measures, failure.rule.measure))
    unit = MEASURE_TEXTS[failure.rule.measure].unit
    return f": {value:.3g} {unit}"


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
    start, end = span_ms(session.reports)
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
        span_ms(session.reports), lines=lines, height=170, unit="log-chroma, face minus background"
    )
    return Markup(svg(chart, "log-chroma of the face over time"))  # noqa: S704


def _count_rows(result: ResultRecord) -> list[tuple[str, str]]:
    shown = result.counts.model_dump() if result.counts else {}
    counts = [(name, _told(value)) for name, value in shown.items()]
    gave_up = result.encoding.fallbacks if result.encoding else ()
    return [*counts, ("encoder", "; ".join(gave_up))] if gave_up else counts


def _thumbs(clip: Clip) -> list[Thumb]:
    """Return a few frames over the whole clip, small, as data URIs."""
    step = max(1, math.ceil(len(clip.entries) / THUMBS))
    chosen = clip.entries[::step]
    stills = stills_of(clip, chosen)
    return [_thumb(entry, still) for entry, still in zip(chosen, stills, strict=True)]


def _thumb(entry: ClipEntry, pixels: ImageU8) -> Thumb:
    _, jpeg = cv2.imencode(".jpg", shrunk(pixels, THUMB_SIDE_PX), [cv2.IMWRITE_JPEG_QUALITY, 80])
    text = f"{entry.colour or 'no light'}, {entry.t_ms} ms"
    return _jpeg_thumb(entry.frame_number, text, jpeg.tobytes())


def _jpeg_thumb(number: int, text: str, jpeg: bytes) -> Thumb:
    source = "data:image/jpeg;base64," + base64.b64encode(jpeg).decode("ascii")
    return Thumb(number, text, source)
