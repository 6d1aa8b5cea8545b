"""Labels, stamps and the light's verdict on whole sessions relit by a physical screen and camera.

Footage and results stay in a folder where ``FACELIGHT_BENCH_SESSIONS`` names one, and are taken as
they are when the bench runs again; delete its ``results`` to process the same footage anew.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.figures import Figure
from bench.quality.relit_sessions import RelitSession, made, read_rows, sessions, setup_of
from calibration.tuning.statistics.intervals import wilson
from facelight.batch.one_input import Job, process_job
from facelight.config.settings import Settings
from preprocess.tracking.facemesh.facemesh import FaceMeshTracker

KEEP = "FACELIGHT_BENCH_SESSIONS"
LONG_MS = 40.0
"""Exposures from which a delay may be measured less closely."""

TURNED_AWAY = {
    "another plan": {"light_mismatch", "light_none", "stamps_in_doubt"},
    "no light": {"light_none", "light_mismatch"},
    "wall only": {"light_none", "light_mismatch", "light_background"},
    "another person": {"face_changed"},
    "away": {"face_lost"},
}
"""Reasons that count for what must never be accepted; anything else may also be put right."""

TURNED_AWAY_TARGETS = {
    "another plan": ">= 0.99",
    "no light": ">= 0.99",
    "wall only": ">= 1",
    "another person": ">= 1",
    "away": ">= 1",
}


@dataclass(frozen=True)
class Outcome:
    """What `process` made of one session, against its truth."""

    kind: str
    setup: dict[str, Any]
    status: str
    reasons: tuple[str, ...]
    delay_ms: float | None
    sent: int
    sent_wrong: int
    kept: int
    truly_clean: int


def run(data: Path) -> list[Figure]:
    """Make, process and judge every session; ``data`` lies beside the tools."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(os.environ.get(KEEP, temporary))
        return figures_of(list(_outcomes(data, folder)))


def _outcomes(data: Path, folder: Path) -> Iterator[Outcome]:
    with FaceMeshTracker() as tracker:
        for session in sessions():
            outcome = outcome_of(session, made(session, data, folder), tracker)
            told = f"{outcome.status} {' '.join(outcome.reasons)}, {outcome.sent_wrong} wrong"
            print(f"{session.name}: {told}", file=sys.stderr, flush=True)
            yield outcome


def outcome_of(session: RelitSession, path: Path, tracker: FaceMeshTracker) -> Outcome:
    """Process one session, unless its result is there, and compare it with its truth."""
    out = path.parent / "results"
    if not (out / session.name / "result.json").exists():
        process_job(Job(str(path), session.name, out), Settings(), tracker)
    result = json.loads((out / session.name / "result.json").read_text(encoding="utf-8"))
    truth = read_rows(path.with_suffix(".truth.csv"))
    frames = read_rows(out / session.name / "frames.csv")
    pairs = list(zip(frames, truth, strict=bool(frames)))
    sent = [(frame, true) for frame, true in pairs if frame["frame_number"] != ""]
    return Outcome(
        kind=session.kind,
        setup=setup_of(path),
        status=result["status"],
        reasons=tuple(result["reasons"]),
        delay_ms=(result.get("light") or {}).get("delay_ms"),
        sent=len(sent),
        sent_wrong=sum(frame["colour"] != true["colour"] for frame, true in sent),
        kept=sum(
            frame["label"] == "clean" and true["label"] == f"clean:{frame['colour']}"
            for frame, true in pairs
        ),
        truly_clean=sum(true["label"].startswith("clean:") for _, true in pairs),
    )


def figures_of(every: Sequence[Outcome]) -> list[Figure]:
    """Return the figures of all outcomes together and of each kind."""
    kinds: dict[str, list[Outcome]] = {}
    for outcome in every:
        kinds.setdefault(outcome.kind, []).append(outcome)
    genuine = kinds["genuine"]
    sent = sum(outcome.sent for outcome in every)
    wrong = sum(outcome.sent_wrong for outcome in every)
    return [
        Figure("sessions", len(every)),
        Figure("submitted frames, all kinds", sent),
        Figure("of them under a wrong colour", wrong, "<= 0", interval=wilson(wrong, sent)),
        _rate("genuine: accepted", [o.status == "accepted" for o in genuine], ">= 0.98"),
        *_delays(genuine),
        *(_kept(genuine, fps, target) for fps, target in ((30, 0.9), (15, 0.8))),
        *(
            _rate(f"{kind}: turned away", [_is_away(o) for o in found], TURNED_AWAY_TARGETS[kind])
            for kind, found in kinds.items()
            if kind in TURNED_AWAY
        ),
        *(
            figure
            for kind, found in kinds.items()
            if kind not in TURNED_AWAY and kind != "genuine"
            for figure in _timed(kind, found)
        ),
    ]


def _timed(kind: str, found: Sequence[Outcome]) -> Iterator[Figure]:
    """Yield the figures of a fault of time: put right or turned away, never sent as it is."""
    yield _rate(f"{kind}: accepted", [o.status == "accepted" for o in found])
    yield _rate(f"{kind}: no frame of a wrong colour", [not o.sent_wrong for o in found], ">= 1")


def _is_away(outcome: Outcome) -> bool:
    wanted = TURNED_AWAY[outcome.kind]
    return outcome.status == "rejected" and bool(wanted & set(outcome.reasons))


def _rate(name: str, hits: Sequence[bool], target: str = "") -> Figure:
    share = sum(hits) / max(len(hits), 1)
    return Figure(name, share, target, interval=wilson(sum(hits), len(hits)))


def _delays(genuine: Sequence[Outcome]) -> Iterator[Figure]:
    for told, long, median, p95 in (("< 40 ms", False, 5, 12), (">= 40 ms", True, 8, 18)):
        errors = [
            abs(o.delay_ms - o.setup["half_light_ms"])
            for o in genuine
            if o.delay_ms is not None and (o.setup["exposure_ms"] >= LONG_MS) == long
        ]
        if errors:
            name = f"genuine: delay error, exposures {told}"
            yield Figure(f"{name}, median", float(np.median(errors)), f"<= {median}", "ms")
            percentile = float(np.percentile(errors, 95))
            yield Figure(f"{name}, 95th percentile", percentile, f"<= {p95}", "ms")


def _kept(genuine: Sequence[Outcome], fps: int, target: float) -> Figure:
    mine = [o for o in genuine if o.setup["fps"] == fps]
    kept, clean = sum(o.kept for o in mine), sum(o.truly_clean for o in mine)
    share = kept / max(clean, 1)
    return Figure(f"genuine, {fps} fps: truly clean frames kept", share, f">= {target}")
