"""The device key that wraps every item's own key: where it comes from, and how it is made.

First found wins: ``FACELIGHT_DEVICE_KEY``, the systemd credential ``facelight-device-key``, the
key file. Only the file is ever created, at first use, readable by its owner alone.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import re
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NoReturn

from uploader.errors import SpoolKeyError
from uploader.spool.disk import Disk

KEY_BYTES: Final = 32
VARIABLE: Final = "FACELIGHT_DEVICE_KEY"
CREDENTIAL: Final = "facelight-device-key"
_MAX_FILE: Final = 4096


class DeviceKey:
    """256 bits that are never shown; ``key_id`` tells one key from another."""

    __slots__ = ("_raw", "key_id")

    def __init__(self, raw: bytes) -> None:
        if len(raw) != KEY_BYTES:
            raise SpoolKeyError(f"device key: expected {KEY_BYTES} bytes, got {len(raw)}")
        self._raw = raw
        self.key_id = hashlib.sha256(b"facelight device key\0" + raw).digest()[:8]

    @classmethod
    def generate(cls) -> DeviceKey:
        """Return a new random key."""
        return cls(secrets.token_bytes(KEY_BYTES))

    def reveal(self) -> bytes:
        """Return the bytes; for the cipher that needs them."""
        return self._raw

    def __repr__(self) -> str:
        return f"DeviceKey(id={self.key_id.hex()})"

    def __reduce_ex__(self, _protocol: Any) -> NoReturn:
        raise TypeError("a device key is never pickled or copied")


def find_key(file: Path, environment: Mapping[str, str]) -> DeviceKey | None:
    """Return the device key, None when there is none yet.

    Raises
    ------
    SpoolKeyError
        malformed, unreadable, or a file that others can read; names the place, never the content.
    """
    given = environment.get(VARIABLE)
    if given:
        return DeviceKey(_decoded(given, VARIABLE))
    directory = environment.get("CREDENTIALS_DIRECTORY")
    if directory:
        credential = Path(directory) / CREDENTIAL
        if credential.is_file():
            return DeviceKey(_read(credential))
    if not file.exists():
        return None
    _only_ours(file)
    return DeviceKey(_read(file))


def create_key(file: Path, disk: Disk) -> DeviceKey:
    """Make a key and its file; the file is there whole or not at all."""
    key = DeviceKey.generate()
    temporary = file.with_name(f".{file.name}.{secrets.token_hex(4)}.tmp")
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with disk.create(temporary) as handle:
            disk.write(handle, key.reveal().hex().encode("ascii") + b"\n")
            disk.sync(handle)
        disk.rename(temporary, file)
        disk.sync_directory(file.parent)
    except OSError as error:
        raise SpoolKeyError(f"{file}: cannot be written: {error.strerror}") from error
    return key


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_FILE)
    except OSError as error:
        raise SpoolKeyError(f"{path}: cannot be read: {error.strerror}") from error
    return data if len(data) == KEY_BYTES else _decoded(data.decode("ascii", "replace"), str(path))


def _decoded(text: str, where: str) -> bytes:
    word = text.strip()
    if re.fullmatch(r"[0-9A-Fa-f]{64}", word):
        return bytes.fromhex(word)
    try:
        raw = base64.b64decode(word, validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != KEY_BYTES:
        raise SpoolKeyError(
            f"{where}: expected {KEY_BYTES} bytes as 64 hex digits or base64; nothing is deleted"
        )
    return raw


def _only_ours(path: Path) -> None:
    """Refuse a key that others can read; Windows keeps permissions elsewhere."""
    if os.name != "nt" and path.stat().st_mode & 0o077:
        raise SpoolKeyError(f"{path}: others can read it; make it yours alone: chmod 600 {path}")
