"""One session over frames of one's own camera, through the stages that the kiosk uses."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import replace

from capture.frame import Frame
from capture.light.illumination import Flip
from capture.light.timeline import Timeline, Timing
from facelight.config.settings import Settings
from facelight.pipeline import SessionPipeline, SessionResult
from preprocess.face.continuity import first_break
from preprocess.light.decision import DelayOrigin, LightEvidence, decide
from preprocess.tracking.opening import open_tracker
from preprocess.tracking.tracker import Tracker

__all__ = ["Flip", "SessionResult", "Timing", "run_session"]


def run_session(
    frames: Iterable[Frame],
    settings: Settings | None = None,
    *,
    flips: Sequence[Flip] = (),
    timing: Timing | None = None,
    tracker: Tracker | None = None,
) -> SessionResult:
    """Take every frame through tracker, measures, gate, crop and encoder; return what came of it.

    ``SessionResult.clip`` is what can be submitted, None where the session is rejected for its
    ``reasons``; ``reports`` has a row for each frame.

    Parameters
    ----------
    frames : ``seq`` and ``t_frame_ns`` strictly increasing, on one monotonic clock.
    settings : limits, crop, clip; the defaults without.
    flips : what the screen showed and when, on the same clock; empty: no light information.
    timing : delay from flip to frame stamp, with what is known of it; that of the settings without.
    tracker : one that is open already; it is reset.

    Raises
    ------
    PreprocessError
        a frame out of order, a tracker that fails.
    PlanError
        flips that are out of order.
    """
    settings = settings or Settings()
    timeline = Timeline(tuple(flips), timing or settings.timing.timing()) if flips else None
    colours = tuple(dict.fromkeys(flip.colour for flip in flips if flip.colour is not None))
    with ExitStack() as stack:
        if tracker is None:
            tracker = stack.enter_context(open_tracker(settings.tracker))
        tracker.reset()
        pipeline = stack.enter_context(
            SessionPipeline(settings, tracker, timeline, colours or None)
        )
        for frame in frames:
            pipeline.feed(frame)
        result = pipeline.finish(timeline)
    return result if timeline is None else _judged(result, timeline, settings)


def _judged(result: SessionResult, timeline: Timeline, settings: Settings) -> SessionResult:
    """Turn away a session whose labels the light contradicts, or that is not one person's.

    The flips are one's own, as a kiosk's: light that does not answer is sent, with its state.
    """
    decision, reasons, detail = None, list(result.reasons), result.detail
    if result.response is not None:
        evidence = LightEvidence(
            response=result.response,
            timing=timeline.timing,
            bounds=timeline.timing,
            origin=DelayOrigin.DECLARED,
            imported=False,
            relabels=False,
        )
        decision = decide(evidence, settings.light)
        reasons += decision.reasons
        detail = detail or decision.detail
    span = timeline.colour_span_ns()
    if span is not None:
        seen = [(report.t_frame_ns, report.face) for report in result.reports]
        if (broken := first_break(seen, *span)) is not None:
            reasons.append(broken.reason)
            detail = detail or broken.detail
    return replace(
        result,
        clip=None if reasons else result.clip,
        reasons=tuple(dict.fromkeys(reasons)),
        detail=detail,
        decision=decision,
    )
