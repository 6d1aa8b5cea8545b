"""``facelight calibrate`` on the simulator, on recordings of steps and on lit footage."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from calibration.errors import MeasurementError, ProfileError
from calibration.profile import read_profile
from calibration.timing.screen_delay import StepPlanOptions, step_plan
from calibration.timing.showing import CameraAndScreen, show_plan
from capture.clock import VirtualClock
from capture.display.virtual import VirtualScreen
from capture.errors import SourceError
from capture.files.recording import RecordingHead, RecordingWriter
from capture.light.illumination import PRIMARIES
from capture.light.timeline import Timeline, Timing
from capture.live.spec import open_camera
from capture.simulator.scene.simulated_screen import FlipHistory
from facelight.cli.calibrate import app
from facelight.commands.calibrate_kiosk import (
    CalibrationRequest,
    calibrate_light,
    calibrate_timing,
    is_locked,
)
from facelight.config.settings import Settings, load_settings

SMALL = "sim:size=320x180"


def settings(camera: str = SMALL) -> Settings:
    return load_settings({"kiosk.camera": camera}, None, {}).settings


def run(*arguments: object) -> str:
    done = CliRunner().invoke(app, [str(a) for a in arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


@pytest.mark.slow
def test_timing_of_the_simulated_kiosk_comes_near_its_truth(tmp_path: Path) -> None:
    told = run("timing", "--camera", SMALL, "--steps", 16, "--out", tmp_path / "kiosk.json")
    section = read_profile(tmp_path / "kiosk.json").timing
    assert section is not None
    assert section.latency_ms.value == pytest.approx(85, abs=9)
    assert section.uncertainty_ms >= abs(section.latency_ms.value - 85)
    assert section.exposure_ms is not None
    assert section.exposure_ms.value == 16.0
    assert "latency" in told
    assert "readout: typical" in told


@pytest.mark.slow
def test_a_hard_kiosk_is_measured_too(tmp_path: Path) -> None:
    hard = f"{SMALL},drops=0.2,duplicates=0.05,latency=190,lock=refused"
    profile = calibrate_timing(settings(hard), CalibrationRequest((), tmp_path / "kiosk.toml"))
    assert profile.timing is not None
    assert profile.timing.latency_ms.value == pytest.approx(190, abs=15)
    assert profile.controls["exposure"]["locked"] is False  # type: ignore[call-overload,index]


@pytest.mark.slow
def test_light_of_the_simulated_kiosk_joins_its_timing(tmp_path: Path) -> None:
    out = tmp_path / "kiosk.json"
    camera = "sim:size=640x360,fps=15"
    calibrate_timing(settings(camera), CalibrationRequest((), out, steps=10))
    told = run("light", "--camera", camera, "--out", out)
    profile = read_profile(out)
    assert profile.timing is not None
    assert profile.light is not None
    assert [row[i] for i, row in enumerate(profile.light.crosstalk)] == pytest.approx(
        [0.93, 0.88, 0.91], abs=0.04
    )
    assert profile.light.fps["Blue"] == pytest.approx(15, abs=0.5)
    assert "crosstalk" in told


@pytest.mark.slow
def test_steps_are_measured_in_a_recording_and_nothing_is_overwritten(tmp_path: Path) -> None:
    recording = recorded_steps(tmp_path / "steps.flrec")
    out = tmp_path / "kiosk.json"
    run("timing", "--recording", recording, "--out", out)
    before = out.read_bytes()
    section = read_profile(out).timing
    assert section is not None
    assert section.method == "steps"
    assert section.latency_ms.value == pytest.approx(85, abs=9)
    assert section.readout_ms is not None
    nothing_to_measure = settings("http://127.0.0.1:9/")  # refused before anything is opened
    with pytest.raises(ProfileError, match="timing section already"):
        calibrate_timing(nothing_to_measure, CalibrationRequest((), out))
    assert out.read_bytes() == before


def recorded_steps(path: Path) -> Path:
    clock, history = VirtualClock(), FlipHistory()
    screen = VirtualScreen(clock, on_flip=history.on_flip)
    screen.open()
    timing = Timing(85_000_000, exposure_ns=16_000_000, readout_ns=20_000_000)
    with open_camera(SMALL, None, clock, history) as camera:
        head = RecordingHead("steps", camera.info)
        with RecordingWriter(path, head) as writer:
            plan = step_plan(3, StepPlanOptions(steps=14))
            white = PRIMARIES["White"]
            shown = show_plan(
                CameraAndScreen(screen, camera, clock), plan, writer.write, settle_rgb=white
            )
            writer.finish(Timeline(shown.flips, timing, shown.end_ns))
    return path


@pytest.mark.slow
def test_lit_sessions_give_timing_and_light(tmp_path: Path, footage: Path) -> None:
    video, out = footage / "videos/d13-lit.mkv", tmp_path / "kiosk.json"
    run("timing", "--recording", video, "--camera-id", "cam", "--out", out)
    run("light", "--recording", video, "--camera-id", "cam", "--out", out)
    profile = read_profile(out)
    assert profile.camera.id == "cam"
    assert profile.timing is not None
    assert profile.timing.lag_ms.n == 1
    # half light, without the rise of a panel that computed light has not
    assert profile.timing.latency_ms.value + 12.3 == pytest.approx(140, abs=10)
    assert profile.light is not None
    assert profile.light.crosstalk[0][0] == pytest.approx(0.95, abs=0.1)


def test_a_plain_video_has_no_light_to_measure(tmp_path: Path, footage: Path) -> None:
    asked = CalibrationRequest((footage / "videos/s18.mp4",), tmp_path / "kiosk.json")
    for calibrate in (calibrate_timing, calibrate_light):
        with pytest.raises(MeasurementError, match=r"s18\.mp4: nothing is known of its light"):
            calibrate(settings(), asked)
    assert not (tmp_path / "kiosk.json").exists()


@pytest.mark.slow
def test_recordings_of_two_cameras_are_not_mixed(tmp_path: Path, footage: Path) -> None:
    both = tuple(footage / f"videos/{name}-lit.mkv" for name in ("d13", "s18"))
    with pytest.raises(MeasurementError, match="two cameras"):
        calibrate_timing(settings(), CalibrationRequest(both, tmp_path / "kiosk.json"))


def test_a_recording_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="missing"):
        calibrate_timing(
            settings(), CalibrationRequest((tmp_path / "missing.flrec",), tmp_path / "k.json")
        )


@pytest.mark.parametrize("command", ["timing", "light"])
def test_recording_and_camera_exclude_each_other(tmp_path: Path, command: str) -> None:
    arguments = [command, "--recording", "a.mkv", "--camera", "0", "--out", str(tmp_path / "k")]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 2
    assert "not both" in done.output


@pytest.mark.parametrize(
    ("controls", "locked"),
    [
        ({}, False),
        ({"exposure": {"locked": True}}, False),
        ({"exposure": {"locked": True}, "white_balance": {"locked": False}}, False),
        ({"exposure": {"locked": True}, "white_balance": {"locked": True}}, True),
        ({"exposure": 5, "white_balance": None}, False),
    ],
)
def test_locked_is_what_the_camera_said_of_both(controls, locked: bool) -> None:
    assert is_locked(controls) is locked
