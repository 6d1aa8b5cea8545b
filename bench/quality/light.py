"""Light response: delay and verdicts, over modelled kiosks and real faces relit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np

from bench.quality.figures import Figure
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
from capture.timeline import LabelKind, Timeline
from preprocess.light.agreement import agreement
from preprocess.light.response import respond
from preprocess.light.samples import ChromaSample

Session = Callable[[Plan, Kiosk, np.random.Generator], list[ChromaSample]]

SESSIONS = 200
CLIP = 15
"""Submitted frames a colour."""

GOOD = {"ok", "weak"}


def run(data: Path) -> list[Figure]:
    """Measure both kinds of sessions; ``data`` holds the plain videos."""
    footage = [shots(path) for path in sorted((data / "videos").glob("*.mp4"))]

    def real(plan: Plan, kiosk: Kiosk, rng: np.random.Generator) -> list[ChromaSample]:
        return relit(footage[int(rng.integers(len(footage)))], plan, kiosk, rng)

    return [*_figures("modelled", modelled, 1), *_figures("relit", real, 2)]


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
    found = [
        Figure(f"{name}: delay error, median", float(np.median(errors)), "<= 5", "ms"),
        Figure(
            f"{name}: delay error, 95th percentile", float(np.percentile(errors, 95)), "<= 12", "ms"
        ),
    ]
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


def _submitted(samples: list[ChromaSample], timeline: Timeline, rng: np.random.Generator) -> str:
    """Return what the other end says of the clean frames, at most `CLIP` of each colour."""
    labels = [timeline.label(sample.t_frame_ns) for sample in samples]
    clean = [i for i, label in enumerate(labels) if label.kind is LabelKind.CLEAN]
    chosen: list[int] = []
    for colour in {labels[i].colour for i in clean}:
        mine = [i for i in clean if labels[i].colour == colour]
        chosen += rng.permutation(mine)[:CLIP].tolist()
    chosen.sort()
    return agreement([samples[i] for i in chosen], [labels[i].colour for i in chosen]).state


def _share(counts: Counter[str], wanted: set[str]) -> float:
    return sum(counts[state] for state in wanted) / max(counts.total(), 1)
