"""Bad input: one line that names it, exit code 1, the other inputs done, nothing half-written.

All bad inputs go through one run, as an operator's folder would hold them.
"""

from __future__ import annotations

import csv
import json
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from facelight.report.page import THUMBNAIL
from tests.capture.files.test_extent import flat_video
from tests.e2e.conftest import Run, write_video

pytestmark = pytest.mark.slow

GREY = [np.full((240, 320, 3), 40 + index, np.uint8) for index in range(12)]
RGB: dict[object, list[int]] = {"Red": [255, 0, 0], "Green": [0, 255, 0]}
GOOD_SIDECAR = {
    "latency_ms": 80,
    "flips": [
        {"t_ms": 0, "colour": None, "rgb": [128, 128, 128]},
        {"t_ms": 100, "colour": "Red", "rgb": [255, 0, 0]},
        {"t_ms": 250, "colour": None, "rgb": [128, 128, 128]},
    ],
}


def sidecar(**changes: object) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        light = path.with_name(f"{path.stem}.illumination.json")
        write_video(path, GREY)
        light.write_text(json.dumps(GOOD_SIDECAR | changes))

    return make


def flips(*rows: tuple[float, str | int | None]) -> Callable[[Path], None]:
    return sidecar(flips=[{"t_ms": t, "colour": c, "rgb": RGB.get(c, [9, 9, 9])} for t, c in rows])


def broken_json(path: Path) -> None:
    write_video(path, GREY)
    path.with_name(f"{path.stem}.illumination.json").write_text('{"latency_ms": 80,')


def written(content: bytes) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        path.write_bytes(content)

    return make


def truncated(path: Path) -> None:
    whole = write_video(path, GREY).read_bytes()
    path.write_bytes(whole[: len(whole) * 2 // 3])


def audio_only(path: Path) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=16000)
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 4096), np.float32), "fltp", "mono")
        sound.sample_rate, sound.pts, sound.time_base = 16000, 0, Fraction(1, 16000)
        for packet in [*stream.encode(sound), *stream.encode()]:
            container.mux(packet)


def no_frames(path: Path) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=30)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "bgr0"
        container.start_encoding()


def huge(path: Path) -> None:
    flat_video(path, (7680, 4320))


def missing(path: Path) -> None:
    """Leave nothing where the input should be."""


def good(path: Path) -> None:
    write_video(path, GREY)


BAD: dict[str, tuple[Callable[[Path], None], str]] = {
    "missing.mkv": (missing, "missing.mkv"),
    "empty.mp4": (written(b""), "empty.mp4"),
    "text.mp4": (written(b"hello, this is no film\n" * 50), "text.mp4"),
    "truncated.mkv": (truncated, "truncated.mkv"),
    "no-frames.mkv": (no_frames, "no-frames.mkv"),
    "audio-only.mp4": (audio_only, "audio-only.mp4"),
    "broken-json.mkv": (broken_json, "broken-json.illumination.json"),
    "unknown-colour.mkv": (flips((0, None), (100, 7), (200, None)), "colour"),
    "out-of-order.mkv": (flips((0, None), (200, "Red"), (100, None)), "flips"),
    "negative.mkv": (sidecar(latency_ms=-1), "latency_ms"),
    "sidecar-longer.mkv": (
        flips((0, None), (5000, "Red"), (9000, None)),
        "sidecar-longer.illumination.json",
    ),
    "sidecar-shorter.mkv": (flips((0, "Red"), (20, "Green")), "sidecar-shorter.illumination.json"),
    "huge.mp4": (huge, "25 million pixels"),
    "nonsense://x/url.mkv": (missing, "unknown protocol"),
}


@dataclass(frozen=True, slots=True)
class Batch:
    """One run over a good recording, all bad ones, and another good one."""

    done: subprocess.CompletedProcess[str]
    out: Path

    def told_of(self, name: str) -> list[str]:
        stem = name.rpartition("/")[2].partition(".")[0]
        return [line for line in self.done.stderr.splitlines() if f"{stem}." in line]

    def result(self, name: str) -> dict[str, Any]:
        stem = name.rpartition("/")[2].partition(".")[0]
        found: dict[str, Any] = json.loads((self.out / stem / "result.json").read_text())
        return found


@pytest.fixture(scope="module")
def batch(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Batch:
    folder = tmp_path_factory.mktemp("bad")
    paths: list[Path | str] = []
    for name, make in [
        ("first.mkv", good),
        *((n, m) for n, (m, _) in BAD.items()),
        ("last.mkv", good),
    ]:
        path = folder / name
        if "://" not in name:
            make(path)
        paths.append(name if "://" in name else path)
    return Batch(run("process", *paths, "--out", folder / "out"), folder / "out")


@pytest.mark.parametrize("name", [*BAD])
def test_bad_input_is_one_line_that_names_what_is_wrong(name: str, batch: Batch) -> None:
    (line,) = batch.told_of(name)
    assert line.startswith("error: ")
    assert BAD[name][1] in line
    found = batch.result(name)
    assert (found["status"], found["error"]["message"]) == ("error", line.removeprefix("error: "))


def test_the_other_inputs_are_still_processed_and_the_summary_names_the_losers(
    batch: Batch,
) -> None:
    assert batch.done.returncode == 1
    assert "Traceback" not in batch.done.stderr
    rows = list(csv.DictReader((batch.out / "summary.csv").read_text().splitlines()))
    assert [row["status"] for row in rows] == ["rejected", *["error"] * len(BAD), "rejected"]
    assert all("no_face" in rows[index]["reasons"] for index in (0, -1))
    assert all(row["error"] for row in rows[1:-1])


def test_nothing_is_half_written(batch: Batch) -> None:
    whole = {"result.json", "frames.csv", "report.html"}
    for path in batch.out.iterdir():
        assert not path.name.startswith("."), path
        if path.is_dir():
            expected = whole if path.name in {"first", "last"} else {"result.json"}
            assert {inner.name for inner in path.iterdir()} - {THUMBNAIL} == expected


def assert_one_error(done: subprocess.CompletedProcess[str], told: str) -> None:
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("error: ")
    assert told in lines[0]
    assert "Traceback" not in done.stderr


def test_a_folder_without_a_session_is_an_error(call: Run, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    done = call("process", tmp_path / "in", "--out", tmp_path / "out")
    assert done.returncode == 1
    assert_one_error(done, "holds no")


def test_an_output_path_that_is_a_file_is_named(call: Run, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("in the way")
    done = call("process", "any.mkv", "--out", tmp_path / "out")
    assert done.returncode == 1
    assert_one_error(done, "out")
    assert (tmp_path / "out").read_text() == "in the way"


def test_an_output_path_without_room_is_told(tmp_path: Path) -> None:
    video, out = write_video(tmp_path / "grey.mkv", GREY), tmp_path / "out"
    out.mkdir()
    private = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]
    mount = f"mount -t tmpfs -o size=16k tmpfs {shlex.quote(str(out))}"
    if shutil.which("unshare") is None or subprocess.run([*private, mount], check=False).returncode:
        pytest.skip("no file system of its own can be made here")
    command = [sys.executable, "-m", "facelight", "process", str(video), "--out", str(out)]
    script = f"{mount}; {shlex.join(command)}; code=$?; ls -A {shlex.quote(str(out))}; exit $code"
    done = subprocess.run(
        [*private, script], capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 1
    assert "No space left" in done.stderr
    assert "Traceback" not in done.stderr
    assert ".part" not in done.stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        pytest.param(["--workers", "0"], "--workers", id="no worker"),
        pytest.param(["--workers", "two"], "--workers", id="no number"),
        pytest.param(["--timeout-s", "0"], "--timeout-s", id="no time"),
        pytest.param(["--worker-memory-mb", "9"], "--worker-memory-mb", id="no memory"),
        pytest.param(["--out", "https://host/out"], "--out", id="output to a page"),
        pytest.param(["--scheduler", "here"], "tcp://host:port", id="no address"),
        pytest.param(["--scheduler", "tcp://x:1", "--workers", "2"], "--workers", id="both"),
        pytest.param(["--submit"], "--endpoint", id="no service"),
        pytest.param(["--submit", "--endpoint", "http://example.com"], "http", id="plain http"),
        pytest.param(["--set", "clip.quality=200"], "quality", id="range"),
        pytest.param(["--set", "clip.nonsense=1"], "nonsense", id="unknown setting"),
        pytest.param(["--config", "no-such.toml"], "no-such.toml", id="no such file"),
    ],
)
def test_a_wrong_flag_is_told_before_anything_is_processed(
    arguments: list[str], told: str, call: Run, tmp_path: Path
) -> None:
    done = call("process", "any.mkv", "--out", tmp_path / "out", *arguments)
    assert done.returncode in {1, 2}
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.glob("out/*/result.json"))
