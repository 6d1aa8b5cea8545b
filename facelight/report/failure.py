"""What decided against a session: the reason, its limit, and the worst and best frame by it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from facelight.pipeline import FrameReport, SessionResult
from preprocess.gate.gate import rules_in
from preprocess.gate.rules import RULES, Rule
from preprocess.gate.thresholds import Thresholds
from preprocess.reasons import Reason


@dataclass(frozen=True, slots=True, eq=False)
class Failure:
    """Why a session was rejected.

    Attributes
    ----------
    reason : the first of the session's reasons.
    rule : the limit that most frames were beyond; None for a reason without a measure.
    frames : how many frames were turned away for this reason.
    worst : the frame furthest beyond the limit, None where the reason is none of frames.
    best : the frame that is best by the same measure, None where there is no other.
    """

    reason: Reason
    rule: Rule | None
    frames: int
    worst: FrameReport | None
    best: FrameReport | None


def failure_of(session: SessionResult, thresholds: Thresholds) -> Failure | None:
    """Return why a session was rejected; None for one that was accepted, or has no reason."""
    if session.accepted or not session.reasons:
        return None
    reason = session.reasons[0]
    affected = [r for r in session.reports if reason in r.verdict.reasons]
    rule = _rule_of(reason, affected, thresholds)
    if rule is None:
        worst = affected[len(affected) // 2] if affected else None
        best = _sharpest([r for r in session.reports if r.face is not None and r not in affected])
        return Failure(reason, None, len(affected), worst, best)

    def badness(report: FrameReport) -> float:
        return rule.sign * rule.value(report.measures, thresholds)

    beyond = [r for r in affected if _violates(rule, r, thresholds)]
    judged = [r for r in session.reports if not math.isnan(rule.value(r.measures, thresholds))]
    worst = max(beyond, key=badness)
    best = min(judged, key=lambda r: (not r.verdict.accepted, badness(r)))
    return Failure(reason, rule, len(affected), worst, None if best is worst else best)


def _rule_of(reason: Reason, affected: Sequence[FrameReport], limits: Thresholds) -> Rule | None:
    """Return the rule of that reason that most of the frames are beyond."""
    counts = [
        (sum(_violates(rule, report, limits) for report in affected), -place)
        for place, rule in enumerate(RULES)
        if rule.reason is reason and rule.rejects
    ]
    most, place = max(counts, default=(0, 0))
    return RULES[-place] if most else None


def _violates(rule: Rule, report: FrameReport, limits: Thresholds) -> bool:
    return (
        rule in rules_in(report.label)
        and rule.beyond(rule.value(report.measures, limits), limits, strict=False)
        and rule.speaks(report.measures, limits, strict=False)
    )


def _sharpest(reports: Sequence[FrameReport]) -> FrameReport | None:
    """Return the sharpest accepted frame, else the sharpest."""
    return min(reports, key=_by_verdict_and_blur, default=None)


def _by_verdict_and_blur(report: FrameReport) -> tuple[bool, float]:
    blur = report.measures.blur_pct
    return not report.verdict.accepted, math.inf if math.isnan(blur) else blur
