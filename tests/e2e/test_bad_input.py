"""Bad input: one line that names it, exit code 1, the other inputs done, nothing half-written."""

from __future__ import annotations

import csv
import json
import subprocess
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from tests.e2e.conftest import Run, write_video

pytestmark = pytest.mark.slow

GREY = [np.full((240, 320, 3), 40 + index, np.uint8) for index in range(12)]
GOOD_SIDECAR = {
    "latency_ms": 80,
    "flips": [
        {"t_ms": 0, "colour": None, "rgb": [128, 128, 128]},
        {"t_ms": 100, "colour": "Red", "rgb": [255, 0, 0]},
        {"t_ms": 250, "colour": None, "rgb": [128, 128, 128]},
    ],
}


def sidecar(**changes: object) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = write_video(folder / "v.mkv", GREY)
        path.with_name("v.illumination.json").write_text(json.dumps(GOOD_SIDECAR | changes))
        return path

    return make


def flips(*rows: tuple[float, str | None]) -> Callable[[Path], Path]:
    listed = [{"t_ms": t, "colour": c, "rgb": [255, 0, 0]} for t, c in rows]
    return sidecar(flips=listed)


def broken_json(folder: Path) -> Path:
    path = write_video(folder / "v.mkv", GREY)
    path.with_name("v.illumination.json").write_text('{"latency_ms": 80,')
    return path


def written(name: str, content: bytes) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        (folder / name).write_bytes(content)
        return folder / name

    return make


def truncated(folder: Path) -> Path:
    whole = write_video(folder / "whole.mkv", GREY).read_bytes()
    (folder / "whole.mkv").unlink()
    (folder / "t.mkv").write_bytes(whole[: len(whole) * 2 // 3])
    return folder / "t.mkv"


def audio_only(folder: Path) -> Path:
    path = folder / "a.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=16000)
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 4096), np.float32), "fltp", "mono")
        sound.sample_rate, sound.pts, sound.time_base = 16000, 0, Fraction(1, 16000)
        for packet in [*stream.encode(sound), *stream.encode()]:
            container.mux(packet)
    return path


def no_frames(folder: Path) -> Path:
    path = folder / "n.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=30)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "bgr0"
        container.start_encoding()
    return path


def missing(folder: Path) -> Path:
    return folder / "missing.mkv"


CASES: dict[str, tuple[Callable[[Path], Path], str]] = {
    "missing file": (missing, "missing.mkv"),
    "empty file": (written("e.mp4", b""), "e.mp4"),
    "text renamed to mp4": (written("t.mp4", b"hello, this is no film\n" * 50), "t.mp4"),
    "truncated mkv": (truncated, "t.mkv"),
    "video without frames": (no_frames, "n.mkv"),
    "audio only": (audio_only, "a.mp4"),
    "sidecar with bad JSON": (broken_json, "v.illumination.json"),
    "unknown colour type": (flips((0, None), (100, 7), (200, None)), "colour"),  # type: ignore[arg-type]
    "flips out of order": (flips((0, None), (200, "Red"), (100, None)), "flips"),
    "negative latency": (sidecar(latency_ms=-1), "latency_ms"),
    "sidecar longer than the video": (flips((0, None), (5000, "Red"), (9000, None)), "v.illum"),
    "sidecar shorter than the video": (flips((0, "Red"), (20, "Green")), "v.illum"),
    "folder without a session": (lambda folder: folder, "holds no"),
}


@pytest.mark.parametrize("case", [*CASES])
def test_bad_input_is_one_line_and_exit_code_1(case: str, run: Run, tmp_path: Path) -> None:
    make, told = CASES[case]
    folder = tmp_path / "in"
    folder.mkdir()
    done = run("process", make(folder), "--out", tmp_path / "out", "--workers", 1)
    assert done.returncode == 1, done.stdout
    assert_one_error(done, told)
    assert_nothing_half_written(tmp_path / "out")


def assert_one_error(done: subprocess.CompletedProcess[str], told: str) -> None:
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("error: ")
    assert told in lines[0]
    assert "Traceback" not in done.stderr


def assert_nothing_half_written(out: Path) -> None:
    for path in out.rglob("*") if out.exists() else []:
        assert not path.name.startswith("."), path
        if path.is_dir():
            assert [p.name for p in path.iterdir()] == ["result.json"]


def test_the_other_inputs_are_still_processed(run: Run, tmp_path: Path) -> None:
    bad = written("e.mp4", b"")(tmp_path)
    faceless = write_video(tmp_path / "grey.mkv", GREY)
    done = run("process", bad, faceless, tmp_path / "gone.mkv", "--out", tmp_path / "out")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 2
    rows = list(csv.DictReader((tmp_path / "out" / "summary.csv").read_text().splitlines()))
    assert [row["status"] for row in rows] == ["error", "rejected", "error"]
    assert "no_face" in rows[1]["reasons"]


def test_an_output_path_that_is_a_file_is_named(run: Run, tmp_path: Path) -> None:
    video = write_video(tmp_path / "grey.mkv", GREY)
    (tmp_path / "out").write_text("in the way")
    done = run("process", video, "--out", tmp_path / "out")
    assert done.returncode == 1
    assert_one_error(done, "out")
    assert (tmp_path / "out").read_text() == "in the way"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        pytest.param(["--workers", "0"], "--workers", id="no worker"),
        pytest.param(["--submit"], "--endpoint", id="no service"),
        pytest.param(["--submit", "--endpoint", "http://example.com"], "http", id="plain http"),
        pytest.param(["--set", "clip.quality=200"], "quality", id="range"),
        pytest.param(["--set", "clip.nonsense=1"], "nonsense", id="unknown setting"),
        pytest.param(["--config", "no-such.toml"], "no-such.toml", id="no such file"),
    ],
)
def test_a_wrong_flag_is_told_before_anything_is_processed(
    arguments: list[str], told: str, run: Run, tmp_path: Path
) -> None:
    video = write_video(tmp_path / "grey.mkv", GREY)
    done = run("process", video, "--out", tmp_path / "out", *arguments)
    assert done.returncode in {1, 2}
    assert_one_error(done, told)
    assert not (tmp_path / "out" / "grey").exists()
