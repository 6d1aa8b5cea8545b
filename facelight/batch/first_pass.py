"""The first pass over a recorded session with light: faces, light, and with them the labels.

Delay and exposure are known only once the whole session has been seen, so frames are looked at
twice: here for faces and light, then by the pipeline, which finds the faces again in memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from types import TracebackType
from typing import Self

import numpy as np

from capture.camera import Provenance
from capture.errors import SourceError
from capture.files.repeats import Repeats
from capture.files.sidecar import SLOWEST_EXPOSURE_NS
from capture.files.source import SessionSource
from capture.frame import Frame
from capture.light.timeline import Label, LabelKind, Timeline
from facelight.config.settings import Settings
from preprocess.errors import TrackerError
from preprocess.face.continuity import Break, first_break
from preprocess.face.face import Face
from preprocess.light.decision import DelayOrigin, LightDecision, LightEvidence, decide
from preprocess.light.response import respond
from preprocess.light.samples import ChromaSample, sample_light
from preprocess.light.verdict import LightResponse
from preprocess.tracking.tracker import Tracker

_NEIGHBOURS = 4
_OTHER_RATE = 1.4
"""The distance of the frames around one may differ so much from the session's by drops alone."""

UNLABELLED = Label(LabelKind.NONE)


@dataclass(frozen=True, slots=True, eq=False)
class Observation:
    """Every frame of a session, seen once.

    Attributes
    ----------
    t_ns : stamps in order.
    first_ns : for each frame, when its picture first came.
    faces : by stamp; None where nobody was seen.
    """

    t_ns: tuple[int, ...]
    first_ns: tuple[int, ...]
    faces: dict[int, Face | None]
    samples: tuple[ChromaSample, ...]


@dataclass(frozen=True, slots=True, eq=False)
class LitSession:
    """What the first pass makes of a session with light.

    Attributes
    ----------
    timeline : labels by the timing in force; None where no label can be believed.
    labels : of every frame, by its stamp.
    broken : why it is not one person through all colours, None where it is.
    """

    response: LightResponse
    decision: LightDecision
    timeline: Timeline | None
    labels: dict[int, Label]
    broken: Break | None

    def label(self, t_frame_ns: int) -> Label:
        """Return the label of the frame of that time."""
        return self.labels[t_frame_ns]


class RecalledFaces:
    """The tracker of the second pass: every face as the first pass found it."""

    def __init__(self, faces: dict[int, Face | None], backend: str) -> None:
        self._faces = faces
        self.backend = backend

    def track(self, frame: Frame) -> Face | None:
        """Return the face of the frame of that time.

        Raises
        ------
        TrackerError
            the first pass saw no such frame.
        """
        if frame.t_frame_ns not in self._faces:
            raise TrackerError(f"frame {frame.seq}: was not there when the file was read before")
        return self._faces[frame.t_frame_ns]

    def reset(self) -> None:
        """Every frame stands for itself."""

    def close(self) -> None:
        """Nothing is open."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def observe(source: SessionSource, tracker: Tracker) -> Observation:
    """Read every frame once, with a tracker that knows no frame yet."""
    repeats, times, firsts = Repeats(), list[int](), list[int]()
    faces: dict[int, Face | None] = {}
    samples = []
    imported = is_imported(source)
    while (frame := source.camera.read()) is not None:
        face = tracker.track(frame)
        first = repeats.first_ns(frame) if imported else frame.t_frame_ns
        times.append(frame.t_frame_ns)
        firsts.append(first)
        faces[frame.t_frame_ns] = face
        if face is not None and first == frame.t_frame_ns:
            sample = sample_light(frame.pixels, face, frame.t_frame_ns)
            samples += [] if sample is None else [sample]
    if not times:
        raise SourceError(source.path, "none of its frames can be read")
    return Observation(tuple(times), tuple(firsts), faces, tuple(samples))


def is_imported(source: SessionSource) -> bool:
    """Return whether nothing but somebody's sidecar vouches for the session's light."""
    return source.provenance is Provenance.IMPORTED


def light_of(
    source: SessionSource, timeline: Timeline, seen: Observation, settings: Settings
) -> LitSession:
    """Measure the light against ``timeline``, decide on it, and label every frame."""
    imported, profiled = is_imported(source), settings.profile is not None
    known = source.delay_declared or profiled
    response = respond(
        seen.samples,
        timeline,
        settings.light,
        delay_known=known,
        stamps_vouched=not imported,
    )
    evidence = LightEvidence(
        response=response,
        timing=timeline.timing if known else None,
        bounds=timeline.timing,
        origin=DelayOrigin.PROFILE if profiled else DelayOrigin.DECLARED,
        imported=imported,
        relabels=True,
        overrun_ns=source.overrun_ns,
    )
    decision = decide(evidence, settings.light)
    if decision.timing is None:
        unlabelled = dict.fromkeys(seen.t_ns, UNLABELLED)
        return LitSession(response, decision, None, unlabelled, None)
    by = Timeline(timeline.flips, decision.timing, timeline.end_ns)
    span = by.colour_span_ns()
    broken = None if span is None else first_break([*seen.faces.items()], *span)
    return LitSession(response, decision, by, label_frames(by, seen, imported=imported), broken)


def label_frames(timeline: Timeline, seen: Observation, *, imported: bool) -> dict[int, Label]:
    """Label every frame; a repeated picture by the time at which it came first.

    A kiosk's own recording is labelled as the kiosk did: by one timing for all.
    """
    if not imported:
        return {t: timeline.label(t) for t in seen.t_ns}
    exposures = _exposures_ns(seen, timeline.timing.exposure_ns)
    by_first = {first: timeline.label(first, exposures[first]) for first in seen.first_ns}
    return {t: by_first[first] for t, first in zip(seen.t_ns, seen.first_ns, strict=True)}


def _exposures_ns(seen: Observation, exposure_ns: int) -> dict[int, int]:
    """Return how long each new picture may have been exposed.

    Where the frames come at another rate than in most of the session, auto exposure has changed it,
    and an exposure may last as long as the frames lie apart there.
    """
    fresh = sorted(set(seen.first_ns))
    gaps = np.array([after - before for before, after in pairwise(fresh)], np.float64)
    if len(gaps) < 2 * _NEIGHBOURS:
        return dict.fromkeys(fresh, exposure_ns)
    usual = float(np.median(gaps))
    found = {}
    for index, t in enumerate(fresh):
        around = float(np.median(gaps[max(0, index - _NEIGHBOURS) : index + _NEIGHBOURS]))
        slower = around > _OTHER_RATE * usual or usual > _OTHER_RATE * around
        bound = min(round(around), SLOWEST_EXPOSURE_NS)
        found[t] = max(exposure_ns, bound) if slower else exposure_ns
    return found
