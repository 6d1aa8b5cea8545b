"""What the light decides on its way through the command line, and what it leaves to the service."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from facelight.service.server import LocalService
from tests.facelight.kiosk.simulated import recorded, run_simulated

pytestmark = pytest.mark.slow

Call: TypeAlias = Callable[..., subprocess.CompletedProcess[str]]
SPEC = "sim:size=640x360,distance=45,fps=30"
EXCHANGED = {"Red": "Green", "Green": "Blue", "Blue": "Red"}


def test_a_sidecar_that_lies_is_turned_away_and_nothing_is_sent(
    footage: Path, call: Call, service: LocalService, tmp_path: Path
) -> None:
    video = tmp_path / "lying.mkv"
    shutil.copy(footage / "videos" / "s18-lit.mkv", video)
    sidecar = json.loads((footage / "videos" / "s18-lit.illumination.json").read_text())
    rgbs = {flip["colour"]: flip["rgb"] for flip in sidecar["flips"] if flip["colour"]}
    for flip in sidecar["flips"]:
        if flip["colour"]:
            flip["colour"] = EXCHANGED[flip["colour"]]
            flip["rgb"] = rgbs[flip["colour"]]
    video.with_suffix(".illumination.json").write_text(json.dumps(sidecar))
    out = tmp_path / "out"
    sending = ("--submit", "--endpoint", service.url, "--fail-on-reject")
    done = call("process", video, "--out", out, "--workers", 1, *sending)
    assert done.returncode == 3, done.stderr
    assert "rejected: light_mismatch" in done.stdout
    result = json.loads((out / "lying" / "result.json").read_text())
    assert result["status"] == "rejected"
    assert result["reasons"] == ["light_mismatch"]
    assert result["light"]["policy"] == "reject"
    assert result["outcome"] is None
    assert not (out / "lying" / "video.webp").exists()


def test_a_kiosks_recording_of_a_replay_is_the_services_to_judge(
    call: Call, service: LocalService, tmp_path: Path
) -> None:
    folder, out = tmp_path / "recordings", tmp_path / "out"
    run_simulated(f"{SPEC},person=replay", extras=recorded(folder))
    (recording,) = folder.glob("*.flrec")
    sending = ("--submit", "--endpoint", service.url)
    done = call("process", recording, "--out", out, "--workers", 1, *sending)
    assert done.returncode == 0, done.stdout + done.stderr
    (line,) = [line for line in done.stdout.splitlines() if "accepted" in line]
    assert "light: mismatch" in line
    result = json.loads((out / recording.stem / "result.json").read_text())
    assert (result["status"], result["light"]["policy"]) == ("accepted", "send")
    assert result["outcome"]["decision"] == "spoofface"
