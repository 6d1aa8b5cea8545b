"""The command line: quick help, one-line errors, exit codes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from calibration.errors import CalibrationError
from capture.errors import SourceError
from facelight import __version__
from facelight.cli import app, exit_code
from facelight.errors import OutputError, SettingsError
from facelight.terminal import one_line
from preprocess.errors import EncodeError
from uploader.errors import EndpointError, SpoolError

COMMANDS = [
    "tune",
    "cameras",
    "calibrate",
    "demo",
    "kiosk",
    "process",
    "serve",
    "check",
    "sessions",
    "audit",
    "spool",
]


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str) -> None:
    done = CliRunner().invoke(app, [command, "--help"])
    assert done.exit_code == 0
    assert "Usage" in done.output


def test_help_imports_nothing_heavy() -> None:
    """Time depends on the machine; what is imported does not."""
    code = (
        "import sys, facelight.cli\n"
        "heavy = set('cv2 numpy mediapipe av PIL pydantic pygame httpx jinja2'.split())\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300
    )
    assert done.stdout.strip() == "[]"


def test_the_version_is_printed() -> None:
    assert __version__ in CliRunner().invoke(app, ["--version"]).output


@pytest.mark.parametrize(
    ("error", "code"),
    [
        pytest.param(SourceError("a", "b"), 1, id="capture"),
        pytest.param(EncodeError("a"), 1, id="preprocess"),
        pytest.param(SpoolError("a"), 1, id="uploader"),
        pytest.param(EndpointError("a"), 2, id="endpoint"),
        pytest.param(CalibrationError("a"), 1, id="calibration"),
        pytest.param(OutputError("a"), 1, id="output"),
        pytest.param(SettingsError("a"), 2, id="settings"),
        pytest.param(KeyError("a"), None, id="a bug"),
    ],
)
def test_errors_of_ours_have_an_exit_code_and_bugs_have_none(
    error: Exception, code: int | None
) -> None:
    assert exit_code(error) == code


@pytest.mark.slow
def test_a_wrong_setting_is_one_line_and_exit_code_2(tmp_path: Path) -> None:
    env = {k: v for k, v in os.environ.items() if not k.startswith("FACELIGHT_")}
    done = subprocess.run(
        [sys.executable, "-m", "facelight", "check", "--endpoint", "x"],
        env=env | {"FACELIGHT_NONSENSE": "1"},
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        line for line in done.stderr.splitlines() if line.startswith("error: environment: nonsense")
    ]


def test_check_prints_settings_with_their_origin(tmp_path: Path) -> None:
    (tmp_path / "facelight.toml").write_text("[clip]\nquality = 77\n")
    config = str(tmp_path / "facelight.toml")
    done = CliRunner().invoke(app, ["check", "--config", config, "--changed"])
    assert f"clip.quality = 77  ({config})" in done.output
    names = "opencv tracker disk clock service light texts camera display spool"
    for name in names.split():
        assert f"  {name}: " in done.output


def test_text_from_elsewhere_cannot_drive_the_terminal() -> None:
    assert one_line("a\nb\x1b[2J\tc") == "a b?[2J c"


@pytest.mark.slow
def test_no_secret_is_printed_by_check_or_by_a_wrong_setting(tmp_path: Path) -> None:
    env = {k: v for k, v in os.environ.items() if not k.startswith("FACELIGHT_")}
    for more in ({}, {"FACELIGHT_NONSENSE": "1"}):
        done = subprocess.run(
            [sys.executable, "-m", "facelight", "check", "--endpoint", "http://127.0.0.1:9"],
            env=env | {"FACELIGHT_KEY": "canary-key-77"} | more,
            cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300,
        )  # fmt: skip
        assert "canary" not in done.stdout + done.stderr
