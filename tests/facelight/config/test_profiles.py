"""A profile's lag reaches the labels, and only with the camera it was measured on."""

from __future__ import annotations

from pathlib import Path

import pytest

from calibration.errors import ProfileError
from calibration.profile import (
    CameraSection,
    Measured,
    Profile,
    ProfileOrigin,
    TimingSection,
    now,
    write_profile,
)
from capture.files.source import SessionSource, SourceKind
from capture.light.illumination import Flip
from capture.light.timeline import Timeline, Timing
from facelight.config.profiles import require_profiled, timeline_in_force
from facelight.config.settings import load_settings, settings_hash
from facelight.errors import SettingsError
from tests.capture.cameras import CASES


@pytest.fixture
def path(tmp_path: Path) -> Path:
    timing = TimingSection(
        origin=ProfileOrigin(created=now(), software="test", material=["steps"]),
        method="steps",
        lag_ms=Measured(value=132.0, how="steps"),
        latency_ms=Measured(value=120.0, how="steps"),
        uncertainty_ms=9.0,
        p95_ms=140.0,
        steps=20,
        missed=0,
        scanout_ms=16.7,
        settle_ms=12.0,
    )
    camera = CameraSection(id="cam-1", size_wh=[640, 480])
    profile = Profile(provenance="camera", camera=camera, timing=timing)
    write_profile(tmp_path / "kiosk.toml", profile)
    return tmp_path / "kiosk.toml"


def source(kind: SourceKind, folder: Path) -> SessionSource:
    camera = CASES[0].make(folder)
    timeline = Timeline([Flip(0, "Red", (255, 0, 0))], Timing(50_000_000))
    return SessionSource("s", Path("s"), kind, camera, timeline, camera.info.provenance)


def test_the_profile_gives_the_lag_and_everything_else_overrides_it(path: Path) -> None:
    loaded = load_settings({"profile": path, "timing.readout_ms": 5}, None, {})
    timing = loaded.settings.timing.timing()
    assert (timing.latency_ns, timing.latency_uncertainty_ns) == (120_000_000, 9_000_000)
    assert timing.readout_ns == 5_000_000
    assert loaded.origins["timing.latency_ms"] == str(path)
    assert loaded.origins["timing.readout_ms"] == "command line"


def test_a_plain_video_is_labelled_with_the_profiles_lag(path: Path) -> None:
    settings = load_settings({"profile": path}, None, {}).settings
    with source(SourceKind.VIDEO, path.parent) as video:
        timeline = timeline_in_force(video, settings)
        untouched = timeline_in_force(video, load_settings(environment={}).settings)
    assert timeline is not None
    assert timeline.timing.latency_ns == 120_000_000
    assert untouched is video.timeline


def test_a_recording_of_another_camera_is_refused(path: Path) -> None:
    settings = load_settings({"profile": path}, None, {}).settings
    with (
        source(SourceKind.RECORDING, path.parent) as recording,
        pytest.raises(ProfileError, match="cam-1"),
    ):
        timeline_in_force(recording, settings)


def test_any_camera_is_taken_when_that_is_said(path: Path) -> None:
    flags = {"profile": path, "profile_any_camera": True}
    require_profiled(load_settings(flags, None, {}).settings, "another")


def test_another_lag_is_another_settings_hash(path: Path) -> None:
    plain = load_settings(environment={}).settings
    assert settings_hash(plain) != settings_hash(
        load_settings({"profile": path}, None, {}).settings
    )


@pytest.mark.parametrize("text", [None, "nonsense = 1", "["], ids=["missing", "keys", "syntax"])
def test_a_damaged_profile_is_a_settings_error(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "p.toml").write_text(text)
    with pytest.raises(SettingsError, match=r"p\.toml"):
        load_settings({"profile": tmp_path / "p.toml"}, None, {})
