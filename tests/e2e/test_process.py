"""From recorded sessions to decisions: the whole way, through the command line, on real faces."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image, ImageSequence

from facelight.service.server import LocalService
from tests.e2e.conftest import Run, read_video, write_video

pytestmark = pytest.mark.slow

LIT = ("s18-lit", "d13-lit")


@pytest.fixture(scope="module")
def out(
    footage: Path, run: Run, service: LocalService, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Everything that one run over the real footage writes."""
    folder = tmp_path_factory.mktemp("process") / "out"
    videos = [footage / "videos" / f"{name}.mkv" for name in LIT]
    videos.append(footage / "videos" / "s18.mp4")
    done = run(
        "process", *videos, "--out", folder, "--workers", 2, "--submit", "--endpoint", service.url
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 3
    return folder


def result_of(out: Path, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((out / name / "result.json").read_text())
    return found


def frames_of(path: Path) -> int:
    with Image.open(path) as picture:
        return sum(1 for _ in ImageSequence.Iterator(picture))


@pytest.mark.parametrize(
    ("name", "decision"),
    [("s18-lit", "realface"), ("d13-lit", "realface"), ("s18", "uncertain")],
)
def test_the_service_takes_the_session_and_decides_by_its_light(
    out: Path, name: str, decision: str
) -> None:
    outcome = result_of(out, name)["outcome"]
    assert (outcome["status"], outcome["decision"], outcome["error"]) == (200, decision, None)


@pytest.mark.parametrize("name", [*LIT, "s18"])
def test_the_black_box_check_holds(out: Path, footage: Path, checks: Path, name: str) -> None:
    lit = name in LIT
    source = footage / "videos" / (name + (".mkv" if lit else ".mp4"))
    truth = [source.with_name(f"{name}.truth.csv")] if lit else []
    script = checks / "check_process.py"
    command: list[str | Path] = [sys.executable, script, out / name, source, *truth]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", [*LIT, "s18"])
def test_two_decoders_find_a_frame_for_every_entry(out: Path, name: str) -> None:
    path = out / name / "video.webp"
    entries = json.loads((out / name / "metadata.json").read_text())["metadata"]["imageData"]
    found, animation = cv2.imreadanimation(str(path))
    assert found
    assert len(animation.frames) == len(entries) == frames_of(path)


def test_the_colours_are_balanced_and_no_transition_is_sent(out: Path) -> None:
    rows = list(csv.DictReader((out / "s18-lit" / "frames.csv").read_text().splitlines()))
    sent = [row for row in rows if row["frame_number"]]
    counts = [sum(row["colour"] == c for row in sent) for c in ("Red", "Green", "Blue")]
    assert {row["label"] for row in sent} == {"clean"}
    assert max(counts) - min(counts) <= 1
    assert min(counts) >= 10


def test_the_reports_are_there_and_reach_for_nothing_outside(out: Path) -> None:
    pages = [out / "index.html", *(out / name / "report.html" for name in [*LIT, "s18"])]
    for page in pages:
        text = page.read_text()
        assert "http://" not in text
        assert "https://" not in text
    rows = list(csv.DictReader((out / "summary.csv").read_text().splitlines()))
    assert [row["decision"] for row in rows] == ["realface", "realface", "uncertain"]


def test_two_runs_and_any_number_of_workers_give_identical_bytes(
    out: Path, footage: Path, run: Run, tmp_path: Path
) -> None:
    video = footage / "videos" / "s18-lit.mkv"
    done = run("process", video, "--out", tmp_path, "--workers", 1)
    assert done.returncode == 0, done.stderr
    for file in ("metadata.json", "video.webp", "frames.csv"):
        first, again = (root / "s18-lit" / file for root in (out, tmp_path))
        assert first.read_bytes() == again.read_bytes(), file


def test_a_target_size_is_met_and_filled(footage: Path, run: Run, tmp_path: Path) -> None:
    video = footage / "videos" / "s18-lit.mkv"
    done = run("process", video, "--out", tmp_path, "--target-bytes", 360030, "--workers", 1)
    assert done.returncode == 0, done.stderr
    size = (tmp_path / video.stem / "video.webp").stat().st_size
    assert 0.9 * 360030 <= size <= 360030


@pytest.mark.parametrize(("container", "ending"), [("jpeg", ".jpg"), ("png", ".png")])
def test_image_files_are_taken_by_the_service_too(
    footage: Path, run: Run, service: LocalService, tmp_path: Path, container: str, ending: str
) -> None:
    done = run(
        "process", footage / "videos" / "s18-lit.mkv", "--out", tmp_path, "--container", container,
        "--focus", "first", "--submit", "--endpoint", service.url,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    entries = json.loads((tmp_path / "s18-lit/metadata.json").read_text())["metadata"]["imageData"]
    images = sorted((tmp_path / "s18-lit" / "images").iterdir())
    assert {path.suffix for path in images} == {ending}
    assert len(images) == len(entries)
    assert ["targetFaceRectangle" in entry for entry in entries] == [True] + [False] * (
        len(entries) - 1
    )
    assert result_of(tmp_path, "s18-lit")["outcome"]["decision"] == "realface"


def degraded(kind: str, frames: list[Any]) -> list[Any]:
    """Return frames that the gate must turn away for one reason."""
    height, width = frames[0].shape[:2]
    if kind == "black":
        return [np.zeros_like(frame) for frame in frames]
    if kind == "white":
        return [np.full_like(frame, 255) for frame in frames]
    if kind == "blurred":
        return [cv2.GaussianBlur(frame, (0, 0), 9) for frame in frames]
    if kind == "small":
        small = [
            cv2.resize(f, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA) for f in frames
        ]
        edge = [(height - small[0].shape[0]) // 2, (width - small[0].shape[1]) // 2]
        return [
            cv2.copyMakeBorder(s, edge[0], edge[0], edge[1], edge[1], cv2.BORDER_CONSTANT,
                               value=(120, 120, 120))
            for s in small
        ]  # fmt: skip
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), 40, 1.0)
    return [
        cv2.warpAffine(frame, turn, (width, height), borderMode=cv2.BORDER_REPLICATE)
        for frame in frames
    ]


REASONS = {
    "black": "no_face",
    "white": "no_face",
    "blurred": "blurred",
    "small": "face_too_small",
    "tilted": "not_frontal",
}


@pytest.fixture(scope="module")
def made(footage: Path, run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results of one run over videos that are made from the footage."""
    folder = tmp_path_factory.mktemp("made")
    frames = read_video(footage / "videos" / "s18.mp4", 16)
    videos = [write_video(folder / f"{kind}.mkv", degraded(kind, frames)) for kind in REASONS]
    videos.append(write_video(folder / "still.mkv", frames[:1] * 40))
    done = run("process", *videos, "--out", folder / "out", "--fail-on-reject", "--workers", 2)
    assert done.returncode == 3, done.stderr
    return folder / "out"


@pytest.mark.parametrize("kind", [*REASONS])
def test_what_the_service_would_refuse_is_rejected_with_its_reason(made: Path, kind: str) -> None:
    found = result_of(made, kind)
    assert found["status"] == "rejected"
    assert REASONS[kind] in found["reasons"][:2]
    assert not (made / kind / "video.webp").exists()


def test_forty_identical_frames_stay_forty(made: Path) -> None:
    assert frames_of(made / "still" / "video.webp") == 40
