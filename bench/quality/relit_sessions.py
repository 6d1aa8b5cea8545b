"""Sessions relit by a physical screen and camera, and what can be wrong with them.

``relight_physical.py`` beside the data makes them and knows each row's own light. Two faults that
it cannot make are made of its files: frames put on another rate's grid, and another person midway.
"""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np

GENUINE = 60
WRONG = {
    "another plan": 16,
    "no light": 12,
    "wall only": 10,
    "wrong delay": 10,
    "nominal stamps, 5 % lost": 8,
    "nominal stamps, 20 % lost": 8,
    "doubled": 6,
    "halved": 8,
    "24 on a grid of 30": 5,
    "30 on a grid of 60": 5,
    "another person": 4,
    "away": 4,
}
"""Sessions of each kind of fault."""
SEED = 770_000
PEOPLE = ("d0", "d3", "d10", "d13", "d0", "d3", "d10", "s18", "d0", "d3", "d10", "d13")
"""The three of 512 px more often: a session of the others takes three to five times as long."""
MAX_SIDE = {"d13": "960"}
"""Longest side in px; the tool's own where none stands here. The face of s18 needs all."""
CODECS = ("mjpeg", "h264")
COLOURS = ("Red", "Green", "Blue") * 2
MILLISECOND = Fraction(1, 1000)
OFFSETS_MS = (-150, -100, -60, -40, -20, 20, 40, 60, 100, 150)


@dataclass(frozen=True)
class RelitSession:
    """One session to be made: ``arguments`` are the tool's; the rest is done to its files."""

    kind: str
    name: str
    person: str
    arguments: tuple[str, ...]
    grid_fps: float | None = None
    successor: str | None = None


def sessions(seed: int = SEED) -> Iterator[RelitSession]:
    """Yield every session, genuine ones first; another seed draws others."""
    for index in range(GENUINE):
        person, codec = PEOPLE[index % len(PEOPLE)], CODECS[index // len(PEOPLE) % len(CODECS)]
        drawn = ("--random", "--seed", str(seed + index), "--codec", codec)
        yield RelitSession("genuine", f"genuine-{index}", person, drawn)
    for place, (kind, count) in enumerate(WRONG.items()):
        for index in range(count):
            yield _wrong(kind, index, seed + 1000 + 100 * place + index)


def _wrong(kind: str, index: int, seed: int) -> RelitSession:
    rng = np.random.default_rng(seed)
    person, codec = PEOPLE[(index + len(kind)) % len(PEOPLE)], CODECS[index % len(CODECS)]
    latency = float(rng.uniform(60, 200))
    declared = max(latency + OFFSETS_MS[index % len(OFFSETS_MS)], 0.0)
    halve = ["--fps", "30", "--halve-rate-at", f"{rng.uniform(1200, 2500):.0f}"]
    start = float(rng.uniform(900, 1800))
    packed = ["--codec", "mjpeg", "--drop", "0", "--repeat", "0", "--vfr", "0"]
    fault = {
        "another plan": ["--lie", _plan(rng)],
        "no light": ["--screen-off"],
        "wall only": ["--wall-only"],
        "wrong delay": ["--latency-ms", str(latency), "--declared-latency-ms", str(declared)],
        "nominal stamps, 5 % lost": ["--nominal-rate", "--drop", "0.05", "--repeat", "0"],
        "nominal stamps, 20 % lost": ["--nominal-rate", "--drop", "0.2", "--repeat", "0"],
        "doubled": ["--double", "--fps", str(30 * (1 + index % 2))],
        "halved": halve + (["--nominal-rate", "--drop", "0"] if index % 2 else []),
        "24 on a grid of 30": ["--fps", "24", *packed],
        "30 on a grid of 60": ["--fps", "30", *packed],
        "another person": ["--codec", "mjpeg"],
        "away": ["--gap", f"{start:.0f}", f"{start + rng.uniform(500, 1200):.0f}"],
    }[kind]
    drawn = ("--random", "--seed", str(seed), "--codec", codec, *fault)
    name = f"{kind.replace(' ', '-').replace(',', '').replace('%', 'percent')}-{index}"
    made = RelitSession(kind, name, person, drawn)
    if kind == "another person":
        same_size = ("d0", "d3", "d10")
        person, successor = same_size[index % 3], same_size[(index + 1) % 3]
        return replace(made, person=person, successor=successor)
    grids = {"24 on a grid of 30": 30.0, "30 on a grid of 60": 60.0}
    return replace(made, grid_fps=grids.get(kind))


def _plan(rng: np.random.Generator) -> str:
    while True:
        names = rng.permutation(COLOURS)
        if all(one != other for one, other in pairwise(names)):
            return ",".join(f"{name}:{rng.uniform(400, 560):.1f}" for name in names)


def made(session: RelitSession, data: Path, folder: Path) -> Path:
    """Return the session's video in ``folder``, made unless it is there already."""
    path = folder / f"{session.name}.mkv"
    if path.with_suffix(".setup.json").exists():
        return path
    work = folder / "making"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    first = _relit(session, session.person, data, work / session.name)
    if session.grid_fps is not None:
        _on_grid(first, 1000 / session.grid_fps)
    if session.successor is not None:
        other = _relit(session, session.successor, data, work / "successor" / session.name)
        _spliced(first, other)
    for file in sorted(work.glob(f"{session.name}.*"), key=lambda p: p.name.endswith("setup.json")):
        file.replace(folder / file.name)
    shutil.rmtree(work)
    return path


def _relit(session: RelitSession, person: str, data: Path, out: Path) -> Path:
    tool = data.parent / "checks" / "relight_physical.py"
    source = data / "videos" / f"{person}.mp4"
    command = [sys.executable, str(tool), str(source), str(out), *arguments_of(session, person)]
    subprocess.run(command, check=True, capture_output=True)
    return out.with_name(out.name + ".mkv")


def arguments_of(session: RelitSession, person: str) -> list[str]:
    """Return the tool's options."""
    size = ["--max-side", MAX_SIDE[person]] if person in MAX_SIDE else []
    return [*session.arguments, *size]


def _on_grid(path: Path, interval_ms: float) -> None:
    """Write a video's frames at a fixed rate, at each time the newest: what converters do."""
    packets, rows = _packets(path), read_rows(path.with_suffix(".truth.csv"))
    times = np.array([t for t, _ in packets], np.float64)
    ticks = np.arange(times[0], times[-1] + 1e-6, interval_ms)
    newest = np.searchsorted(times, ticks, side="right") - 1
    first = round(float(ticks[0]))
    stamped = [
        (round(float(t)), packets[i][1], rows[i]) for t, i in zip(ticks, newest, strict=True)
    ]
    _rewrite(path, stamped, first)


def _spliced(first: Path, second: Path) -> None:
    """Continue ``first`` with the frames of ``second`` from the middle of the colours on.

    Both have the same seed, hence the same stamps.
    """
    packets, others = _packets(first), _packets(second)
    rows = read_rows(first.with_suffix(".truth.csv"))
    middle = len(packets) // 2
    stamped = [
        (t, (packets if index < middle else others)[index][1], rows[index])
        for index, (t, _) in enumerate(packets)
    ]
    _rewrite(first, stamped, packets[0][0])


def _packets(path: Path) -> list[tuple[int, bytes]]:
    """Return time in ms and content of every picture of a Motion JPEG file."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return [
            (round(float(packet.pts * packet.time_base) * 1000), bytes(packet))
            for packet in container.demux(stream)
            if packet.pts is not None and packet.time_base is not None
        ]


def _rewrite(path: Path, stamped: list[tuple[int, bytes, dict[str, str]]], first_ms: int) -> None:
    with av.open(str(path)) as container:
        like = container.streams.video[0]
        width, height = like.width, like.height
    out = path.with_name("rewritten.mkv")
    with av.open(str(out), "w") as container:
        stream = container.add_stream("mjpeg", rate=60)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuvj420p"
        stream.time_base = MILLISECOND
        for t, content, _ in stamped:
            packet = av.Packet(content)
            packet.stream = stream
            packet.time_base = MILLISECOND
            packet.pts = packet.dts = t
            packet.is_keyframe = True
            container.mux(packet)
    out.replace(path)
    table = path.with_suffix(".truth.csv")
    with table.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(stamped[0][2]))
        writer.writeheader()
        for seq, (t, _, row) in enumerate(stamped):
            writer.writerow(row | {"seq": seq, "t_ms": t - first_ms})


def read_rows(path: Path) -> list[dict[str, str]]:
    """Return a table's rows, none where there is no such file."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def setup_of(path: Path) -> dict[str, Any]:
    """Return what the tool drew for a session."""
    found: dict[str, Any] = json.loads(path.with_suffix(".setup.json").read_text(encoding="utf-8"))
    return found
