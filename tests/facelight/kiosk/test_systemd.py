"""What systemd is told, and that the unit which listens to it is sound."""

from __future__ import annotations

import configparser
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from capture.clock import VirtualClock
from facelight.kiosk.systemd import ServiceManager

DEPLOY = Path(__file__).parents[3] / "deploy"
UNIT = DEPLOY / "facelight-kiosk.service"
SECOND = 1_000_000_000

unix_only = pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="systemd is Linux's")


class Systemd:
    """The other end of the socket."""

    def __init__(self, path: Path) -> None:
        self.clock = VirtualClock(SECOND)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.setblocking(False)
        self.environment = {"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": "30000000"}

    def heard(self) -> list[str]:
        said = []
        while True:
            try:
                said.append(self._socket.recv(4096).decode())
            except BlockingIOError:
                return said

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[Systemd]:
    manager = Systemd(tmp_path / "notify")
    yield manager
    manager.close()


@unix_only
def test_ready_comes_with_the_first_judged_frame(systemd: Systemd) -> None:
    manager = ServiceManager(systemd.environment, systemd.clock)
    manager.turn(0)
    assert systemd.heard() == []
    manager.turn(1)
    assert systemd.heard() == ["READY=1\nSTATUS=serving"]


@unix_only
def test_the_watchdog_hears_of_new_frames_only(systemd: Systemd) -> None:
    manager = ServiceManager(systemd.environment, systemd.clock)
    manager.turn(1)
    systemd.heard()
    for second in range(1, 31):
        systemd.clock.sleep_until((1 + second) * SECOND)
        manager.turn(1 + 30 * second)
    assert systemd.heard() == ["WATCHDOG=1"] * 3
    for second in range(31, 91):
        systemd.clock.sleep_until((1 + second) * SECOND)
        manager.turn(1 + 30 * 30)
    assert systemd.heard() == []


@unix_only
def test_without_a_watchdog_nothing_is_pinged(systemd: Systemd) -> None:
    manager = ServiceManager({"NOTIFY_SOCKET": systemd.environment["NOTIFY_SOCKET"]}, systemd.clock)
    for second in range(1, 100):
        systemd.clock.sleep_until(second * SECOND)
        manager.turn(second)
    manager.stopping()
    assert systemd.heard() == ["READY=1\nSTATUS=serving", "STOPPING=1"]


def test_outside_of_systemd_nothing_happens() -> None:
    manager = ServiceManager({}, VirtualClock())
    manager.turn(1)
    manager.stopping()


@unix_only
def test_a_socket_that_is_gone_stops_nobody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    manager = ServiceManager({"NOTIFY_SOCKET": str(tmp_path / "gone")}, VirtualClock())
    manager.turn(1)
    assert "cannot be reached" in caplog.text


@unix_only
def test_abstract_names_are_understood() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        try:
            listener.bind("\0facelight-test-notify")
        except OSError:
            pytest.skip("no abstract socket names on this system")
        listener.settimeout(60)
        ServiceManager({"NOTIFY_SOCKET": "@facelight-test-notify"}, VirtualClock()).turn(1)
        assert listener.recv(100) == b"READY=1\nSTATUS=serving"


def unit() -> dict[str, list[str]]:
    """Return the directives of [Service]; a directive may stand several times."""
    found: dict[str, list[str]] = {}
    section = UNIT.read_text(encoding="utf-8").split("[Service]")[1].split("[Install]")[0]
    for line in section.splitlines():
        if "=" in line and not line.startswith("#"):
            name, value = line.split("=", 1)
            found.setdefault(name, []).append(value)
    return found


def test_the_unit_waits_for_frames_and_lets_the_camera_through() -> None:
    service = unit()
    assert service["Type"] == ["notify"]
    assert int(service["WatchdogSec"][0]) > 0
    assert "PrivateDevices" not in service
    allowed = set(service["DeviceAllow"])
    assert {"char-video4linux rw", "char-drm rw", "char-input rw"} <= allowed
    assert "MemoryDenyWriteExecute" not in service, "XNNPACK and Mesa compile at run time"


def test_the_unit_starts_a_command_that_exists() -> None:
    from typer.main import get_command

    from facelight.cli import app

    command = unit()["ExecStart"][0].split()
    kiosk = get_command(app).commands[command[1]]  # type: ignore[attr-defined]
    known = {option for item in kiosk.params for option in item.opts}
    assert {word for word in command[2:] if word.startswith("--")} <= known


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
def test_systemd_finds_no_fault_in_the_unit(tmp_path: Path) -> None:
    text = UNIT.read_text(encoding="utf-8")
    copy = tmp_path / UNIT.name
    copy.write_text(re.sub(r"ExecStart=\S+", "ExecStart=/bin/true", text), encoding="utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", str(copy)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    complaints = [line for line in done.stderr.splitlines() if UNIT.name in line]
    assert complaints == []


def test_the_tmpfiles_and_network_examples_are_units_too() -> None:
    parser = configparser.ConfigParser(strict=False)
    parser.read_string((DEPLOY / "network.conf").read_text(encoding="utf-8"))
    assert parser["Service"]["IPAddressDeny"] == "any"


def test_the_udev_rule_names_the_picture_node_only() -> None:
    rules = (DEPLOY / "70-facelight-camera.rules").read_text(encoding="utf-8")
    line = next(line for line in rules.splitlines() if "video4linux" in line and line[0] != "#")
    assert 'ATTR{index}=="0"' in line
