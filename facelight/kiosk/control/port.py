"""Opening the control port: its address, its token, its socket and its thread."""

from __future__ import annotations

import ipaddress
import os
import re
import socket
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from facelight.config.kiosk_options import KioskOptions
from facelight.errors import SettingsError
from facelight.kiosk.control.application import ControlApplication
from facelight.kiosk.control.errors import ControlError
from facelight.kiosk.control.sessions import RequestedSessions
from facelight.thread_server import ThreadServer, listening_socket
from uploader.errors import CredentialError
from uploader.http.credentials import BearerToken, read_token_file

LEAST_TOKEN = 16
STOP_S = 1.0
_UNIX = "unix:"
_ADDRESS = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^:\[\]]+):(?P<port>\d{1,5})")
_ORIGIN = re.compile(r"https?://[^/?#\s]+|null")


@dataclass(frozen=True, slots=True)
class ControlAddress:
    """Where the port is: ``host`` and ``port``, or the ``path`` of a Unix socket."""

    host: str = ""
    port: int = 0
    path: Path | None = None

    def __str__(self) -> str:
        if self.path is not None:
            return f"{_UNIX}{self.path}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class ControlSettings:
    """Everything about the port that was checked before the kiosk shows anything."""

    address: ControlAddress
    token: BearerToken
    origins: tuple[str, ...]
    anywhere: bool


def control_settings(options: KioskOptions) -> ControlSettings | None:
    """Return what the settings say of the port, None without one.

    Raises
    ------
    SettingsError
        an address that is none or not loopback, no token or a weak one, a page that is no origin.
    """
    if not options.control:
        return None
    address = read_address(options.control, anywhere=options.control_anywhere)
    for origin in options.control_origins:
        if not _ORIGIN.fullmatch(origin):
            raise SettingsError(
                f"kiosk.control_origins: {origin!r}, expected scheme://host[:port] or null"
            )
    token = read_token(options.control_token_file)
    return ControlSettings(address, token, options.control_origins, options.control_anywhere)


def read_address(text: str, *, anywhere: bool = False) -> ControlAddress:
    """Return the address that a setting means; raises `SettingsError`."""
    if text.startswith(_UNIX):
        path = text.removeprefix(_UNIX)
        if not path or not hasattr(socket, "AF_UNIX"):
            raise SettingsError(
                f"kiosk.control: {text!r}, expected unix:PATH, on a system that has such sockets"
            )
        return ControlAddress(path=Path(path))
    match = _ADDRESS.fullmatch(text)
    if match is None or int(match["port"]) > 65535:
        raise SettingsError(f"kiosk.control: {text!r}, expected 127.0.0.1:PORT or unix:PATH")
    host = match["host"].strip("[]")
    host = "127.0.0.1" if host == "localhost" else host
    try:
        loopback = ipaddress.ip_address(host).is_loopback
    except ValueError as error:
        raise SettingsError(
            f"kiosk.control: {text!r}, expected an address such as 127.0.0.1, not a name"
        ) from error
    if not loopback and not anywhere:
        raise SettingsError(
            f"kiosk.control: {text} is open to other machines; use 127.0.0.1, or set "
            "kiosk.control_anywhere = true"
        )
    return ControlAddress(host, int(match["port"]))


def read_token(file: str) -> BearerToken:
    """Return the token of the file; raises `SettingsError`, which never repeats it."""
    setting = "kiosk.control_token_file"
    if not file:
        raise SettingsError(f"{setting}: needed with kiosk.control: a file that holds the token")
    path = Path(file)
    try:
        token = read_token_file(path)
    except CredentialError as error:
        raise SettingsError(f"{setting}: {error}") from error
    if len(token.reveal()) < LEAST_TOKEN:
        raise SettingsError(f"{setting}: {path}: expected at least {LEAST_TOKEN} characters")
    if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & stat.S_IRWXO:
        raise SettingsError(f"{setting}: {path}: everybody may read it; cure: chmod o= {path}")
    return token


class ControlPort:
    """The port, open from ``with`` on; its thread ends with the block.

    Raises
    ------
    ControlError
        on entering: the address is taken, or the server does not start.
    """

    def __init__(self, settings: ControlSettings, sessions: RequestedSessions) -> None:
        self._settings = settings
        self._sessions = sessions
        self._server: ThreadServer | None = None
        self.address = settings.address

    def __enter__(self) -> Self:
        settings = self._settings
        try:
            listener = _listener(settings.address)
        except OSError as error:
            raise ControlError(f"kiosk.control: {settings.address}: {error.strerror}") from error
        if settings.address.path is None:
            self.address = ControlAddress(*listener.getsockname()[:2])
        application = ControlApplication(self._sessions).guarded(
            settings.token, settings.origins, anywhere=settings.anywhere
        )
        self._server = ThreadServer(application, listener, name="facelight-control", grace_s=1)
        if not self._server.start():
            self.close()
            raise ControlError(f"kiosk.control: {settings.address}: the server does not start")
        return self

    def close(self) -> None:
        """End it: streams end, other requests get a second. Idempotent."""
        self._sessions.log.close()
        server, self._server = self._server, None
        if server is not None:
            server.close(STOP_S + 1.0)
            if self.address.path is not None:
                self.address.path.unlink(missing_ok=True)

    def __exit__(self, *_error: object) -> None:
        self.close()


def _listener(address: ControlAddress) -> socket.socket:
    if address.path is None:
        return listening_socket(address.host, address.port)
    _remove_dead(address.path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o117)  # owner and group; the folder's rights narrow it further
    try:
        listener.bind(str(address.path))
        listener.listen(128)
    except OSError:
        listener.close()
        raise
    finally:
        os.umask(before)
    return listener


def _remove_dead(path: Path) -> None:
    """Remove the socket of a kiosk that was killed; one that somebody listens at stays."""
    if not path.is_socket():
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
