"""One session through all stages, frame by frame: live, replayed and simulated alike.

``Camera.read -> Timeline.label -> Tracker -> measures -> Verdict -> crop -> ClipBuilder``. Nothing
here looks ahead: what a frame becomes depends on the frames before it alone, so that a replay does
what the live session did.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Protocol, Self

from capture.frame import Frame
from capture.light.timeline import Label, LabelKind, Timeline
from facelight.config.settings import Settings
from preprocess.clip.clip import Candidate, Clip, CropOffset
from preprocess.clip.clip_builder import ClipBuilder, ClipReport
from preprocess.clip.crop import CropFollower, window_for
from preprocess.errors import ClipRejected
from preprocess.face.continuity import Break
from preprocess.face.face import Face, Rect
from preprocess.gate.gate import Verdict, judge
from preprocess.light.decision import LightDecision
from preprocess.light.response import respond
from preprocess.light.samples import ChromaSample, sample_light
from preprocess.light.verdict import LightResponse
from preprocess.measures.blank import blank_reason
from preprocess.measures.measurer import Measurer
from preprocess.measures.measures import Measures
from preprocess.reasons import Reason
from preprocess.tracking.tracker import Tracker

UNLABELLED = Label(LabelKind.NONE, None, None)
FACES_BEFORE_CROP = 30
"""The crop's size comes from at most this many faces before it: about the last second."""


class Labeller(Protocol):
    """Tells what lit a frame: a ``Timeline``, or one that still grows."""

    def label(self, t_frame_ns: int) -> Label:
        """Return the label of the frame of that time."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class FrameReport:
    """What became of one source frame: a row of ``frames.csv``."""

    seq: int
    t_frame_ns: int
    label: Label
    face: Face | None
    crop: CropOffset | None
    measures: Measures
    verdict: Verdict


@dataclass(frozen=True, slots=True, eq=False)
class LightFinding:
    """What is known of a session's light before its clip is packed: it was looked at before."""

    response: LightResponse
    decision: LightDecision
    broken: Break | None = None


@dataclass(frozen=True, slots=True, eq=False)
class SessionResult:
    """What became of a session; ``clip`` is None when it was rejected.

    ``decision`` is that on its light; None without light, and live until the session is judged.
    ``crop_wh`` is the size of the crops, None where no frame was good enough to fix it.
    """

    reports: tuple[FrameReport, ...]
    clip: Clip | None
    reasons: tuple[Reason, ...]
    detail: str
    response: LightResponse | None
    full_wh: tuple[int, int]
    encoding: ClipReport = field(default_factory=ClipReport)
    decision: LightDecision | None = None
    crop_wh: tuple[int, int] | None = None

    @property
    def accepted(self) -> bool:
        """Whether there is something to submit."""
        return self.clip is not None


@dataclass(slots=True)
class _Kept:
    reports: list[FrameReport] = field(default_factory=list)
    samples: list[ChromaSample] = field(default_factory=list)
    full_wh: tuple[int, int] = (0, 0)


class SessionPipeline:
    """Feed it every frame, then ask for the result; it owns neither camera nor tracker.

    Parameters
    ----------
    light : what is known of the light before, so that it is not looked at again; a session that it
        turns away has no clip.
    """

    def __init__(
        self,
        settings: Settings,
        tracker: Tracker,
        labeller: Labeller | None,
        colours: Sequence[str] | None,
        light: LightFinding | None = None,
    ) -> None:
        self._settings = settings
        self._light = light
        self._tracker = tracker
        infrared = settings.clip.infrared  # it sees no colours of a screen
        self._labeller = None if infrared else labeller
        self._measurer = Measurer(grey=settings.clip.infrared)
        self._follower: CropFollower | None = None
        self._first_faces: deque[Face] = deque(maxlen=FACES_BEFORE_CROP)
        self._builder = ClipBuilder(settings.clip, None if infrared else colours)
        self._kept = _Kept()

    def feed(self, frame: Frame) -> FrameReport:
        """Take one frame through every stage and return what became of it."""
        label = self._labeller.label(frame.t_frame_ns) if self._labeller else UNLABELLED
        clean = label.kind is LabelKind.CLEAN
        face = self._tracker.track(frame)
        measures = self._measurer.measure(frame, face, label.rgb if clean else None)
        verdict = judge(measures, label, self._settings.thresholds)
        if face is None and (blank := blank_reason(frame.pixels)):
            verdict = Verdict(False, (*verdict.reasons, blank))
        wanted = verdict.accepted and (clean or self._labeller is None)
        crop = None
        if face is not None:
            crop = self._place(face, frame, wanted)
            if self._labeller and self._light is None:
                self._sample(frame, face)
        if wanted and crop is None:
            verdict = Verdict(False, (Reason.OUT_OF_CROP,))
        elif wanted and face is not None and crop is not None:
            self._offer(frame, face, crop, label, measures)
        report = FrameReport(frame.seq, frame.t_frame_ns, label, face, crop, measures, verdict)
        self._kept.reports.append(report)
        self._kept.full_wh = frame.size_wh
        return report

    def finish(self, timeline: Timeline | None = None) -> SessionResult:
        """Return the result; with all flips known in ``timeline`` the light is checked."""
        light = self._light
        kept = self._kept
        response, decision = (light.response, light.decision) if light else (None, None)
        if timeline is not None and kept.samples:
            response = respond(kept.samples, timeline, self._settings.light)
        clip, reasons, detail = None, tuple[Reason, ...](), ""
        if light is not None and light.broken is not None:
            self._builder.close()
            reasons, detail = (light.broken.reason,), light.broken.detail
        elif decision is not None and not decision.accepted:
            self._builder.close()
            reasons, detail = _unlit_reasons(kept.reports, decision), decision.detail
        else:
            try:
                clip = self._builder.finish()
            except ClipRejected as error:
                reasons = session_reasons(kept.reports, error.reasons)
                detail = error.detail
        return SessionResult(
            tuple(kept.reports),
            clip,
            reasons,
            detail,
            response,
            kept.full_wh,
            self._builder.report,
            decision,
            self._crop_wh,
        )

    @property
    def _crop_wh(self) -> tuple[int, int] | None:
        window = None if self._follower is None else self._follower.window
        return None if window is None else (window.width_px, window.height_px)

    def close(self) -> None:
        """Stop the encoder threads; idempotent."""
        self._builder.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _place(self, face: Face, frame: Frame, wanted: bool) -> CropOffset | None:
        """Fix the crop's size at the first frame that may be submitted, then follow the face."""
        if self._follower is None:
            self._first_faces.append(face)
            if not wanted:
                return None
            options = self._settings.crop
            window = window_for(self._first_faces, frame.size_wh, options)
            self._follower = CropFollower(window, options)
        return self._follower.place(face.rectangle)

    def _sample(self, frame: Frame, face: Face) -> None:
        sample = sample_light(frame.pixels, face, frame.t_frame_ns)
        if sample is not None:
            self._kept.samples.append(sample)

    def _offer(
        self, frame: Frame, face: Face, crop: CropOffset, label: Label, measures: Measures
    ) -> None:
        if self._follower is None:
            return
        window, box = self._follower.window, face.rectangle
        target = Rect(box.left - crop.x_px, box.top - crop.y_px, box.width, box.height)
        candidate = Candidate(
            frame.seq, frame.t_frame_ns, label.colour, target, crop, measures.blur_pct
        )
        rows = slice(crop.y_px, crop.y_px + window.height_px)
        columns = slice(crop.x_px, crop.x_px + window.width_px)
        self._builder.add(candidate, frame.pixels[rows, columns])


def session_reasons(reports: Sequence[FrameReport], found: Sequence[Reason]) -> tuple[Reason, ...]:
    """Return why a session failed: what most frames failed for first, then what the clip lacked.

    A frame reason counts when at least a fifth of the frames give it; rarer ones did not decide.
    """
    counts = Counter(reason for report in reports for reason in report.verdict.reasons)
    often = [r for r, n in counts.most_common() if n * 5 >= len(reports)]
    return tuple(dict.fromkeys([*often, *found]))


def _unlit_reasons(reports: Sequence[FrameReport], decision: LightDecision) -> tuple[Reason, ...]:
    """Return why light turned a session away; first what kept it from being seen at all."""
    if any(report.verdict.accepted for report in reports):
        return decision.reasons
    return session_reasons(reports, decision.reasons)
