"""Is this face good, and if not, why and what to do: one picture."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass

from capture.frame import Frame, ImageU8
from facelight.config.settings import Settings
from facelight.pipeline import UNLABELLED
from facelight.report.reason_texts import words_of
from preprocess.errors import GeometryError
from preprocess.face.face import Face
from preprocess.gate.gate import judge
from preprocess.measures.blank import blank_reason
from preprocess.measures.measurer import Measurer
from preprocess.measures.measures import Measures
from preprocess.reasons import Reason
from preprocess.tracking.opening import open_tracker
from preprocess.tracking.tracker import Tracker


@dataclass(frozen=True, slots=True, eq=False)
class PictureVerdict:
    """What the gate says of one picture.

    Attributes
    ----------
    accepted : whether the face could be submitted.
    reasons : why not, the most helpful first; empty when accepted.
    warnings : what could be better.
    what, advice : the first reasons in words, and what to do; empty when accepted.
    face : the largest face, None without one.
    measures : native values, NaN where one picture does not tell (the speed).
    """

    accepted: bool
    reasons: tuple[Reason, ...]
    warnings: tuple[Reason, ...]
    what: str
    advice: str
    face: Face | None
    measures: Measures


def judge_picture(
    pixels: ImageU8, settings: Settings | None = None, tracker: Tracker | None = None
) -> PictureVerdict:
    """Return what the quality gate says of one picture.

    Parameters
    ----------
    pixels : (H, W, 3) uint8, BGR.
    settings : limits of the gate and the tracker; the defaults without.
    tracker : one that is open already, for many pictures: loading its models takes a second. It is
        reset: every picture stands for itself.

    Raises
    ------
    GeometryError
        ``pixels`` are no (H, W, 3) uint8.
    """
    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype.name != "uint8":
        shape = f"{pixels.shape} {pixels.dtype}"
        raise GeometryError(f"pixels: expected (H, W, 3) uint8 in BGR, got {shape}")
    settings = settings or Settings()
    frame = Frame(0, 0, 0, pixels)
    with ExitStack() as stack:
        if tracker is None:
            tracker = stack.enter_context(open_tracker(settings.tracker))
        tracker.reset()
        face = tracker.track(frame)
    measures = Measurer(grey=settings.clip.infrared).measure(frame, face)
    verdict = judge(measures, UNLABELLED, settings.thresholds)
    blank = blank_reason(pixels) if face is None else None
    reasons = (*verdict.reasons, blank) if blank else verdict.reasons
    what, advice = words_of([str(reason) for reason in reasons])
    return PictureVerdict(verdict.accepted, reasons, verdict.warnings, what, advice, face, measures)
