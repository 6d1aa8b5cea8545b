"""Light response: delay and verdicts, over modelled kiosks and real faces relit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np

from bench.figures import Figure
from bench.quality.light_sessions import (
    Kiosk,
    Plan,
    draw_kiosk,
    draw_plan,
    modelled,
    other_plan,
    relit,
    shots,
    timeline_of,
    unlit,
)
from calibration.face_light import FaceLight, frames_of
from capture.light.plan import make_plan
from capture.light.timeline import LabelKind, Timeline
from capture.simulator.planned_session import simulate, step_latency_ns
from capture.simulator.sim_spec import parse_spec
from preprocess.light.agreement import agreement
from preprocess.light.response import respond
from preprocess.light.samples import ChromaSample
from preprocess.tracking.facemesh.facemesh import FaceMeshTracker

Session = Callable[[Plan, Kiosk, np.random.Generator], list[ChromaSample]]

SESSIONS = 200
RENDERED = 12
"""Sessions of each kind that the simulator renders: pixels, mesh and all."""

CLIP = 15
"""Submitted frames a colour."""

GOOD = {"ok", "weak"}


def run(data: Path) -> list[Figure]:
    """Measure both kinds of sessions; ``data`` holds the plain videos."""
    footage = [shots(path) for path in sorted((data / "videos").glob("*.mp4"))]

    def real(plan: Plan, kiosk: Kiosk, rng: np.random.Generator) -> list[ChromaSample]:
        return relit(footage[int(rng.integers(len(footage)))], plan, kiosk, rng)

    return [*_figures("modelled", modelled, 1), *_figures("relit", real, 2), *_rendered(3)]


def _figures(name: str, session: Session, seed: int) -> list[Figure]:
    rng = np.random.default_rng(seed)
    errors, states, ends = [], {}, {}
    for kind in ("genuine", "other", "dark"):
        states[kind], ends[kind] = Counter[str](), Counter[str]()
        for _ in range(SESSIONS):
            plan, kiosk = draw_plan(rng), draw_kiosk(rng)
            shown = other_plan(plan, rng) if kind == "other" else plan
            samples = session(shown, unlit(kiosk) if kind == "dark" else kiosk, rng)
            timeline = timeline_of(plan, kiosk.timing())
            response = respond(samples, timeline)
            states[kind][response.state.value] += 1
            ends[kind][_submitted(samples, timeline, rng)] += 1
            if kind == "genuine" and response.delay_ns is not None:
                errors.append(abs(response.delay_ns / 1e6 - kiosk.latency_ms))
    found = _delays(name, errors)
    found.append(
        Figure(f"{name}: session, another rhythm called mismatch", _rhythm(session, rng), "", "")
    )
    for where, counts in (("session", states), ("clip", ends)):
        found += [
            Figure(
                f"{name}: {where}, genuine called ok or weak",
                _share(counts["genuine"], GOOD),
                ">= .98",
            ),
            Figure(
                f"{name}: {where}, another sequence called mismatch",
                _share(counts["other"], {"mismatch"}),
                ">= .99",
            ),
            Figure(
                f"{name}: {where}, no light called none", _share(counts["dark"], {"none"}), ">= .99"
            ),
        ]
    return found


def _rhythm(session: Session, rng: np.random.Generator) -> float:
    """Return how often light that steps at other times than the plan's is called a mismatch."""
    right = 0
    for _ in range(SESSIONS // 4):
        plan, kiosk = draw_plan(rng), draw_kiosk(rng)
        other = tuple((name, float(rng.uniform(300, 800))) for name, _ in draw_plan(rng))
        response = respond(session(other, kiosk, rng), timeline_of(plan, kiosk.timing()))
        right += response.state.value == "mismatch"
    return right / (SESSIONS // 4)


def _rendered(seed: int) -> list[Figure]:
    """Run the simulator's own sessions; its true delay to half light is known."""
    rng = np.random.default_rng(seed)
    errors: list[float] = []
    right: Counter[str] = Counter()
    for index in range(RENDERED):
        for person, wanted in (("real", GOOD), ("unlit", {"none"}), ("replay", {"mismatch"})):
            options = parse_spec(
                f"sim:size=640x360,person={person},seed={seed * 100 + index},"
                f"latency={rng.uniform(40, 250):.0f},fps={rng.choice([15, 30])},"
                f"drops={rng.choice([0.0, 0.2])},ambient={rng.uniform(200, 1500):.0f},"
                f"lock={rng.choice(['yes', 'refused'])}"
            )
            session = simulate(make_plan(seed=int(rng.integers(1 << 30))), options)
            with FaceMeshTracker() as tracker:
                light = FaceLight(tracker)
                for frame in frames_of(session.camera):
                    light.add(frame)
            response = respond(light.samples, session.timeline)
            right[person] += response.state.value in wanted
            if person == "real" and response.delay_ns is not None:
                truth_ns = step_latency_ns(options.camera, options.screen)
                errors.append(abs(response.delay_ns - truth_ns) / 1e6)
    return [
        *_delays("rendered", errors),
        Figure("rendered: genuine called ok or weak", right["real"] / RENDERED, ">= .98"),
        Figure("rendered: no light called none", right["unlit"] / RENDERED, ">= .99"),
        Figure("rendered: a replay called mismatch", right["replay"] / RENDERED, ">= .99"),
    ]


def _delays(name: str, errors: list[float]) -> list[Figure]:
    return [
        Figure(f"{name}: delay error, median", float(np.median(errors)), "<= 5", "ms"),
        Figure(
            f"{name}: delay error, 95th percentile",
            float(np.percentile(errors, 95)),
            "<= 12",
            "ms",
        ),
    ]


def _submitted(samples: list[ChromaSample], timeline: Timeline, rng: np.random.Generator) -> str:
    """Return what the other end says of the clean frames, at most `CLIP` of each colour."""
    labels = [timeline.label(sample.t_frame_ns) for sample in samples]
    clean = [i for i, label in enumerate(labels) if label.kind is LabelKind.CLEAN]
    chosen: list[int] = []
    for colour in sorted({labels[i].colour or "" for i in clean}):
        mine = [i for i in clean if labels[i].colour == colour]
        chosen += rng.permutation(mine)[:CLIP].tolist()
    chosen.sort()
    return agreement([samples[i] for i in chosen], [labels[i].colour for i in chosen]).state


def _share(counts: Counter[str], wanted: set[str]) -> float:
    return sum(counts[state] for state in wanted) / max(counts.total(), 1)
