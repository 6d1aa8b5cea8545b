"""`facelight check` tries what will run; each fault is one line with its colour and its cure."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from capture.camera import CameraInfo, Provenance
from capture.display.port import FlipSource, Refresh
from capture.errors import CameraError, PlanError
from capture.live.probe import ProbeReport
from facelight.cli import app
from facelight.commands import check_kiosk
from facelight.commands.check_kiosk import (
    camera,
    control,
    display,
    examine_kiosk,
    judged_display,
    light,
    speech,
    spool,
    texts,
)
from facelight.commands.findings import CheckState
from facelight.config.settings import Settings, load_settings
from facelight.errors import SettingsError
from facelight.kiosk.screens.wording import Words


@pytest.fixture(autouse=True)
def no_real_display(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")


def made(**overrides: Any) -> Settings:
    return load_settings({k.replace("__", "."): v for k, v in overrides.items()}).settings


def report(warnings: tuple[str, ...] = (), **details: str) -> ProbeReport:
    info = CameraInfo("cam-1", "Cam", (1280, 720), 30.0, Provenance.CAMERA, details)
    return ProbeReport(info, 30, 29.97, 0.4, 12.0, "driver", True, 0, True, {}, warnings)


@pytest.mark.parametrize(
    ("found", "state", "says"),
    [
        pytest.param(
            report(virtual="no"), CheckState.GREEN, "30.0 fps, stamps by driver", id="good"
        ),
        pytest.param(report(virtual="yes"), CheckState.RED, "camera.allow_virtual", id="virtual"),
        pytest.param(report(("10 fps instead of 30",)), CheckState.AMBER, "10 fps", id="slow"),
        pytest.param(
            CameraError("camera 0: not plugged in"), CheckState.RED, "not plugged", id="none"
        ),
    ],
)
def test_the_camera_is_measured_and_judged(
    found: ProbeReport | CameraError, state: CheckState, says: str
) -> None:
    def measure(*_: object) -> ProbeReport:
        if isinstance(found, CameraError):
            raise found
        return found

    finding = camera(Settings(), CheckState.RED, measure)
    assert finding.state is state
    assert says in f"{finding.detail} {finding.cure}"
    assert bool(finding.cure) is (state is not CheckState.GREEN)


def test_a_camera_that_nobody_named_may_be_missing() -> None:
    def measure(*_: object) -> ProbeReport:
        raise CameraError("camera 0: not plugged in")

    assert camera(Settings(), CheckState.AMBER, measure).state is CheckState.AMBER


@pytest.mark.parametrize(
    ("source", "missed", "state"),
    [
        (FlipSource.VSYNC, 0, CheckState.GREEN),
        (FlipSource.VSYNC, 9, CheckState.AMBER),
        (FlipSource.SWAP, 0, CheckState.AMBER),
    ],
)
def test_a_display_is_judged_by_its_refresh(
    source: FlipSource, missed: int, state: CheckState
) -> None:
    finding = judged_display((1920, 1080), Refresh(60.0, 16.7, missed, 120, source))
    assert finding.state is state
    assert "60.0 Hz" in finding.detail


@pytest.mark.slow
def test_the_display_is_really_opened_and_measured() -> None:
    settings = made(kiosk__languages=["en"])
    words = Words(settings.kiosk, settings.plan, light=True)
    finding = display(settings, words, CheckState.RED)
    assert "Hz" in finding.detail
    assert finding.state is not CheckState.RED


def test_an_unsafe_plan_is_red_and_says_what_to_change(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object, **_kwargs: object) -> None:
        raise PlanError("4 flashes within a second")

    assert light(Settings()).state is CheckState.GREEN
    monkeypatch.setattr(check_kiosk, "make_plan", refuse)
    finding = light(Settings())
    assert (finding.state, finding.detail) == (CheckState.RED, "4 flashes within a second")
    assert "[plan]" in finding.cure
    assert light(made(session__light=False)).state is CheckState.GREEN


def test_languages_theme_consent_and_fonts_are_named(tmp_path: Path) -> None:
    consent = tmp_path / "consent.txt"
    consent.write_text("House rules.")
    settings = made(kiosk__theme="high_contrast", kiosk__consent_file=str(consent))
    detail = texts(settings, Words(settings.kiosk, settings.plan, light=True)).detail
    for part in ("en es fr de zh ar", "theme high_contrast", str(consent), "3 fonts"):
        assert part in detail


@pytest.mark.parametrize(
    ("key", "value", "choices"),
    [
        ("kiosk__language", "xx", "ar, de, en, es, fr, zh"),
        ("kiosk__theme", "dark", "default, high_contrast"),
        ("kiosk__consent_file", "none.txt", "cannot be read"),
    ],
)
def test_a_wrong_name_is_a_settings_error_that_names_the_choices(
    key: str, value: str, choices: str
) -> None:
    with pytest.raises(SettingsError, match=choices):
        list(examine_kiosk(made(**{key: value}), wanted=False))


def test_a_spool_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    finding = spool(made(spool_dir=str(tmp_path / "a/spool")))
    assert finding.state is CheckState.GREEN
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_json_holds_settings_and_checks(tmp_path: Path) -> None:
    arguments = ["check", "--json", "--changed", "--set", "kiosk.camera=/dev/none"]
    arguments += ["--set", f"spool_dir={tmp_path / 'spool'}", "--set", "kiosk.languages=en"]
    done = CliRunner().invoke(app, arguments)
    told = json.loads(done.output)
    assert told["settings"]["kiosk.camera"]["value"] == "/dev/none"
    states = {check["name"]: check["state"] for check in told["checks"]}
    assert states["camera"] == "red"
    assert set(states.values()) <= {"green", "amber", "red"}
    assert done.exit_code == 1


@pytest.mark.parametrize(
    ("speech_set", "driver", "state", "says"),
    [
        pytest.param("off", "dummy", CheckState.GREEN, "off", id="off"),
        pytest.param("tones", "dummy", CheckState.GREEN, "tones; en: ", id="tones"),
        pytest.param("tones", "none-of-them", CheckState.AMBER, "no sound device", id="no device"),
        pytest.param("voice", "none-of-them", CheckState.RED, "", id="voice without a device"),
    ],
)
def test_voices_and_the_sound_device_are_told(
    monkeypatch: pytest.MonkeyPatch, speech_set: str, driver: str, state: CheckState, says: str
) -> None:
    monkeypatch.setenv("SDL_AUDIODRIVER", driver)
    settings = made(kiosk__speech=speech_set)
    words = Words(settings.kiosk, settings.plan, light=True)
    found = speech(settings, words)
    assert found.state is state
    assert says in found.detail
    assert found.cure or state is CheckState.GREEN


def test_the_control_port_is_checked_before_a_kiosk_runs(tmp_path: Path) -> None:
    assert control(made()).detail.startswith("off")
    token = tmp_path / "token"
    token.write_text("a-token-of-some-length")
    token.chmod(0o600)
    on = {"kiosk__control": "127.0.0.1:8700", "kiosk__control_token_file": str(token)}
    found = control(made(**on, session__start="request"))
    assert (found.state, found.detail) == (
        CheckState.GREEN,
        "127.0.0.1:8700, sessions by request",
    )
    anywhere = {**on, "kiosk__control": "0.0.0.0:8700", "kiosk__control_anywhere": True}
    assert control(made(**anywhere)).state is CheckState.AMBER
    with pytest.raises(SettingsError, match="control_token_file"):
        control(made(kiosk__control="127.0.0.1:8700"))
