"""Labels, stamps and the light's verdict on whole sessions relit by a physical screen and camera.

The sessions come from ``relight_physical.py`` beside the data, which knows each row's own light.
"""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from bench.figures import Figure
from calibration.tuning.statistics.intervals import wilson
from facelight.batch.one_input import Job, process_job
from facelight.config.settings import Settings
from preprocess.tracking.facemesh.facemesh import FaceMeshTracker

GENUINE = 60
WRONG = 12
"""Sessions of each kind of lie."""
SEED = 770_000
PEOPLE = ("d0", "d3", "d10", "d13", "s18")
CODECS = ("mjpeg", "h264")
COLOURS = ("Red", "Green", "Blue") * 2
OFFSETS_MS = (-150, -100, -60, -40, -20, 20, 40, 60, 100, 150)

TURNED_AWAY = {
    "another plan": {"light_mismatch", "light_none", "stamps_in_doubt"},
    "no light": {"light_none", "light_mismatch"},
    "wall only": {"light_none", "light_mismatch", "light_background"},
}
"""Reasons that count for what must never be accepted; anything else may also be put right."""


@dataclass(frozen=True)
class Outcome:
    """What `process` made of one session, against its truth."""

    kind: str
    setup: dict[str, Any]
    status: str
    reasons: tuple[str, ...]
    delay_ms: float | None
    sent_wrong: int
    kept: int
    truly_clean: int


def run(data: Path) -> list[Figure]:
    """Make, process and judge every session; ``data`` lies beside the tools."""
    outcomes: dict[str, list[Outcome]] = {}
    with tempfile.TemporaryDirectory() as folder, FaceMeshTracker() as tracker:
        for kind, name, arguments in _sessions():
            path = _relit(data, Path(folder), name, arguments)
            outcomes.setdefault(kind, []).append(_processed(kind, path, tracker))
    every = [outcome for found in outcomes.values() for outcome in found]
    wrong = sum(outcome.sent_wrong for outcome in every)
    genuine = outcomes["genuine"]
    return [
        Figure("submitted frames of a wrong colour, all kinds", wrong, "<= 0", "frames"),
        _rate("genuine: accepted", [o.status == "accepted" for o in genuine], ">= 0.98"),
        *_delays(genuine),
        *(_kept(genuine, fps, target) for fps, target in ((30, 0.9), (15, 0.8))),
        *(
            _rate(f"{kind}: turned away", [_is_away(o) for o in outcomes[kind]], ">= 0.99")
            for kind in TURNED_AWAY
        ),
        *(
            _rate(f"{kind}: turned away for time", [_is_away(o) for o in found])
            for kind, found in outcomes.items()
            if kind not in TURNED_AWAY and kind != "genuine"
        ),
    ]


def _sessions() -> Iterator[tuple[str, str, list[str]]]:
    """Yield kind, name and the tool's arguments of every session."""
    rng = np.random.default_rng(SEED)
    for index in range(GENUINE):
        yield "genuine", f"genuine-{index}", _drawn(SEED + index, index)
    for index in range(WRONG):
        latency = float(rng.uniform(60, 200))
        declared = max(latency + OFFSETS_MS[index % len(OFFSETS_MS)], 0.0)
        halve = ["--fps", "30", "--halve-rate-at", f"{rng.uniform(1200, 2500):.0f}"]
        lies = {
            "another plan": ["--lie", _plan(rng)],
            "no light": ["--screen-off"],
            "wall only": ["--wall-only"],
            "wrong delay": ["--latency-ms", str(latency), "--declared-latency-ms", str(declared)],
            "nominal stamps, 5 % lost": ["--nominal-rate", "--drop", "0.05", "--repeat", "0"],
            "nominal stamps, 20 % lost": ["--nominal-rate", "--drop", "0.2", "--repeat", "0"],
            "doubled": ["--double", "--fps", str(30 * (1 + index % 2))],
            "halved": halve + (["--nominal-rate", "--drop", "0"] if index % 2 else []),
        }
        for place, (kind, lie) in enumerate(lies.items()):
            seed = SEED + 1000 + 100 * index + place
            yield kind, f"{place}-{index}", [*_drawn(seed, index + place), *lie]


def _drawn(seed: int, index: int) -> list[str]:
    person, codec = PEOPLE[index % len(PEOPLE)], CODECS[index // len(PEOPLE) % len(CODECS)]
    return [person, "--random", "--seed", str(seed), "--codec", codec]


def _plan(rng: np.random.Generator) -> str:
    while True:
        names = rng.permutation(COLOURS)
        if all(one != other for one, other in pairwise(names)):
            return ",".join(f"{name}:{rng.uniform(400, 560):.1f}" for name in names)


def _relit(data: Path, folder: Path, name: str, arguments: Sequence[str]) -> Path:
    person, *rest = arguments
    tool = data.parent / "checks" / "relight_physical.py"
    source = data / "videos" / f"{person}.mp4"
    command = [sys.executable, str(tool), str(source), str(folder / name), *rest]
    subprocess.run(command, check=True, capture_output=True)
    return folder / f"{name}.mkv"


def _processed(kind: str, path: Path, tracker: FaceMeshTracker) -> Outcome:
    result = process_job(Job(str(path), path.stem, path.parent / "out"), Settings(), tracker)
    truth = _rows(path.with_suffix(".truth.csv"))
    frames = _rows(path.parent / "out" / path.stem / "frames.csv")
    pairs = list(zip(frames, truth, strict=bool(frames)))
    return Outcome(
        kind=kind,
        setup=json.loads(path.with_suffix(".setup.json").read_text(encoding="utf-8")),
        status=result.status,
        reasons=result.reasons,
        delay_ms=result.light.delay_ms if result.light else None,
        sent_wrong=sum(
            frame["frame_number"] != "" and frame["colour"] != true["colour"]
            for frame, true in pairs
        ),
        kept=sum(
            frame["label"] == "clean" and true["label"] == f"clean:{frame['colour']}"
            for frame, true in pairs
        ),
        truly_clean=sum(true["label"].startswith("clean:") for _, true in pairs),
    )


def _rows(path: Path) -> list[dict[str, str]]:
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _is_away(outcome: Outcome) -> bool:
    wanted = TURNED_AWAY.get(outcome.kind, {"stamps_in_doubt", "light_delay"})
    return outcome.status == "rejected" and bool(wanted & set(outcome.reasons))


def _rate(name: str, hits: Sequence[bool], target: str = "") -> Figure:
    share = sum(hits) / max(len(hits), 1)
    return Figure(name, share, target, interval=wilson(sum(hits), len(hits)))


def _delays(genuine: Sequence[Outcome]) -> Iterator[Figure]:
    for told, long, median, p95 in (("< 40 ms", False, 5, 12), (">= 40 ms", True, 8, 18)):
        errors = [
            abs(o.delay_ms - o.setup["half_light_ms"])
            for o in genuine
            if o.delay_ms is not None and (o.setup["exposure_ms"] >= 40) == long
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
