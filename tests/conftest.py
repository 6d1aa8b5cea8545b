"""Fixtures for all tests: real footage where it is, nothing on the network but loopback."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

SHARED = Path(__file__).parents[2] / "shared"


@pytest.fixture(scope="session")
def footage() -> Path:
    """The folder of real footage beside the checkout."""
    data = SHARED / "data"
    if not data.is_dir():
        pytest.skip("real footage (../shared/data) is not on this machine")
    return data


@pytest.fixture(scope="session")
def checks() -> Path:
    """The folder of black-box checks beside the checkout."""
    folder = SHARED / "checks"
    if not folder.is_dir():
        pytest.skip("black-box checks (../shared/checks) are not on this machine")
    return folder


@pytest.fixture(autouse=True)
def loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse every connection that would leave the machine."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        local = isinstance(address, str | bytes) or str(address[0]).startswith("127.")
        if not (local or address[0] in {"::1", "localhost"}):
            raise AssertionError(f"a test tried to reach {address}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)
    for name in ("FACELIGHT_KEY", "FACELIGHT_TOKEN"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep a test's settings and state out of the developer's home."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
