"""What becomes of a session by its light: one pure decision, live and for recorded sessions.

Time first, always: whether labels are true is ours to know. Then the light: whether a face is real
is the service's to say, so light that does not answer is turned away only where nothing but
somebody else's sidecar vouches for the colours.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from capture.light.timeline import Timing
from preprocess.light.guards import (
    TYPICAL_RISE_NS,
    agrees,
    confirmed_timing,
    coverage,
    measured_timing,
)
from preprocess.light.options import LightPolicy, ResponseOptions
from preprocess.light.verdict import Exposures, LightResponse, LightState
from preprocess.reasons import Reason

CLEAR_STRENGTH = 0.1
"""Screen over ambient light from which the wall's response says anything: at .07 it reads up to .63
of the face's where it is .1 [measured on relit faces]."""


class DelayOrigin(StrEnum):
    """Where the delay that labels a session comes from."""

    DECLARED = "declared"
    """From the sidecar or the recording."""
    PROFILE = "profile"
    """From the kiosk's profile."""
    MEASURED = "measured"
    """From the light of the session itself."""


@dataclass(frozen=True, slots=True)
class LightEvidence:
    """What the decision is taken on.

    Attributes
    ----------
    response : measured against ``timing``.
    timing : in force so far; None where nobody declared a delay, the guards are then ``bounds``.
    bounds : guards that suit any camera, for a delay that is measured.
    origin : of ``timing``.
    imported : nothing but a sidecar of unknown origin vouches for the colours.
    relabels : the frames are still at hand, to be labelled by another timing.
    overrun_ns : how far the last colour begins beyond the last frame.
    """

    response: LightResponse
    timing: Timing | None
    bounds: Timing
    origin: DelayOrigin
    imported: bool
    relabels: bool
    overrun_ns: int = 0


@dataclass(frozen=True, slots=True)
class LightDecision:
    """What becomes of the session.

    Attributes
    ----------
    reasons : why it is turned away; empty where it goes on.
    detail : the same in words, with figures and the cure.
    timing : labels the frames; None where no timing can be believed.
    origin : where its delay comes from.
    policy : what was in force for light that does not answer.
    """

    reasons: tuple[Reason, ...]
    detail: str
    timing: Timing | None
    origin: DelayOrigin
    policy: LightPolicy

    @property
    def accepted(self) -> bool:
        """Whether labels and light let the session go on."""
        return not self.reasons


def decide(evidence: LightEvidence, options: ResponseOptions) -> LightDecision:
    """Decide on time, then on light."""
    policy = options.imported if evidence.imported else options.own
    timed = _time(evidence, options, policy)
    if timed.reasons or policy == "send":
        return timed
    reason, detail = _unanswered(evidence.response, options)
    if reason is None:
        return timed
    return LightDecision((reason,), detail, timed.timing, timed.origin, policy)


def _time(evidence: LightEvidence, options: ResponseOptions, policy: LightPolicy) -> LightDecision:
    """Return the timing that labels the session, or why none can."""
    response, timing = evidence.response, evidence.timing
    seen = response.exposures if response.answers else None
    sure = seen is not None and seen.delay.sd_ns <= options.sure_delay_ns
    reason, detail = Reason.LIGHT_DELAY, ""
    by, origin = timing, evidence.origin
    if response.stamps_in_doubt:
        reason, detail = Reason.STAMPS_IN_DOUBT, _stamps_told(response)
    elif evidence.overrun_ns and evidence.imported:
        reason, detail = Reason.STAMPS_IN_DOUBT, _overrun_told(evidence.overrun_ns)
    elif timing is None and not sure:
        detail = _unknown_told(seen)
    elif seen is not None and (timing is None or _is_wrong(evidence.imported, timing, seen)):
        if sure and evidence.relabels:
            by, origin = measured_timing(evidence.bounds, seen), DelayOrigin.MEASURED
        elif timing is not None:
            detail = _wrong_told(timing, seen)
    elif seen is not None and timing is not None and sure and evidence.imported:
        by = confirmed_timing(timing, seen)
    if detail:
        return LightDecision((reason,), detail, None, origin, policy)
    return LightDecision((), "", by, origin, policy)


def _is_wrong(imported: bool, timing: Timing, seen: Exposures) -> bool:
    """Return whether a delay that was stated makes labels false.

    A kiosk's own guards are what its labels have to stand by; a sidecar's are bounds for any
    camera, which its delay has to be right within.
    """
    return not agrees(timing, seen) if imported else coverage(timing, seen).surely_exceeded


def _unanswered(response: LightResponse, options: ResponseOptions) -> tuple[Reason | None, str]:
    """Return why nothing but the sidecar's word stands for the colours, None where light does."""
    if response.state is LightState.MISMATCH:
        told = "the light on the face comes in other colours, or at other times, than declared"
        return Reason.LIGHT_MISMATCH, f"{told}: is the sidecar this video's?"
    if response.state is LightState.NONE:
        told = "no light of the declared colours is on the face"
        return Reason.LIGHT_NONE, f"{told}: a brighter screen, a darker room, or no sidecar"
    ratio = response.background_ratio if response.strength >= CLEAR_STRENGTH else None
    if ratio is not None and ratio >= options.background_limit:
        told = f"what is behind the face follows the colours as much as the face ({ratio:.2f})"
        return Reason.LIGHT_BACKGROUND, f"{told}: a flat picture, or a wall too close"
    return None, ""


def _stamps_told(response: LightResponse) -> str:
    cure = "frames were lost, repeated or stamped at a nominal rate; keep the camera's own times"
    if response.retimed or response.steps is None:
        return f"the declared colours come at times that no single delay explains: {cure}"
    steps = response.steps
    largest = max((abs(step.shift_ns) for step in steps.steps), default=0) / 1e6
    return (
        f"the light's steps move against the frames' times, by up to {largest:.0f} ms,"
        f" {steps.drift_ns / 1e6:+.0f} ms from the first colour to the last: {cure}"
    )


def _overrun_told(overrun_ns: int) -> str:
    return (
        f"the last colour begins {overrun_ns / 1e6:.0f} ms after the video's end: its frames' times"
        " run too fast, the video was cut, or the sidecar is another video's"
    )


def _unknown_told(seen: Exposures | None) -> str:
    if seen is None:
        return "no latency_ms, and too little light on the face to measure it: declare latency_ms"
    return (
        f"no latency_ms, and the light tells it only to within"
        f" {2 * seen.delay.sd_ns / 1e6:.0f} ms: declare latency_ms"
    )


def _wrong_told(timing: Timing, seen: Exposures) -> str:
    first = seen.delay.delay_ns - (0 if seen.rise_ns else TYPICAL_RISE_NS)
    return (
        f"declared {timing.latency_ns / 1e6:.0f} ms, the light shows {first / 1e6:.0f} ms"
        f" (sd {seen.delay.sd_ns / 1e6:.0f} ms): declare that"
    )
