"""Address, token and socket of the control port: what is refused, and what is given back."""

from __future__ import annotations

import logging
import socket
from pathlib import Path

import pytest

from facelight.config.kiosk_options import KioskOptions
from facelight.errors import SettingsError
from facelight.kiosk.control.errors import ControlError
from facelight.kiosk.control.port import ControlAddress, control_settings, read_address
from tests.facelight.kiosk.control.stepped import TOKEN, SteppedKiosk, served, token_file


def test_without_an_address_there_is_no_port() -> None:
    assert control_settings(KioskOptions()) is None


@pytest.mark.parametrize(
    ("text", "anywhere", "told"),
    [
        pytest.param("8700", False, "expected 127.0.0.1:PORT", id="port alone"),
        pytest.param("127.0.0.1", False, "expected 127.0.0.1:PORT", id="no port"),
        pytest.param("127.0.0.1:70000", False, "expected 127.0.0.1:PORT", id="port too large"),
        pytest.param("kiosk.local:80", False, "not a name", id="name"),
        pytest.param("0.0.0.0:8700", False, "control_anywhere", id="all addresses"),
        pytest.param("[::]:8700", False, "control_anywhere", id="all addresses, version 6"),
        pytest.param("192.168.1.5:8700", False, "control_anywhere", id="network"),
        pytest.param("unix:", False, "unix:PATH", id="no path"),
    ],
)
def test_an_address_that_is_none_or_open_to_others_is_refused(
    text: str, anywhere: bool, told: str
) -> None:
    with pytest.raises(SettingsError, match=told):
        read_address(text, anywhere=anywhere)


@pytest.mark.parametrize(
    ("text", "anywhere", "address"),
    [
        pytest.param("127.0.0.1:8700", False, ControlAddress("127.0.0.1", 8700), id="loopback"),
        pytest.param("localhost:0", False, ControlAddress("127.0.0.1", 0), id="localhost"),
        pytest.param("[::1]:80", False, ControlAddress("::1", 80), id="version 6"),
        pytest.param("0.0.0.0:80", True, ControlAddress("0.0.0.0", 80), id="allowed"),
        pytest.param("unix:/run/k", False, ControlAddress(path=Path("/run/k")), id="unix"),
    ],
)
def test_an_address_is_read(text: str, anywhere: bool, address: ControlAddress) -> None:
    assert read_address(text, anywhere=anywhere) == address


def options(file: Path | str, **more: object) -> KioskOptions:
    return KioskOptions(control="127.0.0.1:0", control_token_file=str(file), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "mode", "told"),
    [
        pytest.param("short", 0o600, "at least 16 characters", id="short"),
        pytest.param("two words of text", 0o600, "one word", id="two words"),
        pytest.param(TOKEN, 0o644, "chmod o=", id="everybody may read it"),
    ],
)
def test_a_weak_or_open_token_is_refused_without_being_shown(
    tmp_path: Path, text: str, mode: int, told: str
) -> None:
    with pytest.raises(SettingsError, match=told) as caught:
        control_settings(options(token_file(tmp_path, text, mode)))
    assert text not in str(caught.value)


@pytest.mark.parametrize("file", ["", "/none/token"])
def test_the_port_needs_a_token(file: str) -> None:
    with pytest.raises(SettingsError, match="control_token_file"):
        control_settings(options(file))


@pytest.mark.parametrize("origin", ["*", "localhost:80", "http://a/b", "http://"])
def test_a_page_is_named_by_its_origin(tmp_path: Path, origin: str) -> None:
    with pytest.raises(SettingsError, match="control_origins"):
        control_settings(options(token_file(tmp_path), control_origins=(origin,)))


def test_a_port_that_is_taken_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = ControlAddress("127.0.0.1", taken.getsockname()[1])
        with pytest.raises(ControlError, match="in use"), served(SteppedKiosk(), address):
            raise AssertionError


def test_a_unix_socket_is_its_owners_and_group_s_and_goes_with_the_port(tmp_path: Path) -> None:
    path = tmp_path / "kiosk.sock"
    with served(SteppedKiosk(), ControlAddress(path=path)) as (_, client):
        assert path.stat().st_mode & 0o777 == 0o660
        assert client.get("/v1/health").status_code == 200
        with (
            pytest.raises(ControlError, match="in use"),
            served(SteppedKiosk(), ControlAddress(path=path)),
        ):
            raise AssertionError
    assert not path.exists()


def test_the_socket_of_a_killed_kiosk_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "kiosk.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    with served(SteppedKiosk(), ControlAddress(path=path)) as (_, client):
        assert client.get("/v1/health").status_code == 200


def test_the_token_is_in_no_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), served(SteppedKiosk()) as (_, client):
        client.post("/v1/sessions", json={"reference": "r"})
        client.get("/v1/health", headers={"Authorization": "Bearer wrong-token-of-somebody"})
    assert "reference r" in caplog.text
    assert TOKEN not in caplog.text
    assert "wrong-token" not in caplog.text
