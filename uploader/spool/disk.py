"""The few operations on files that durability rests on, as a port: tests make each one fail."""

from __future__ import annotations

import errno
import logging
import os
import shutil
from pathlib import Path
from typing import BinaryIO, Final, Protocol

MAX_FILE_BYTES: Final = 64_000_000
"""Twice the largest submission."""
RESERVE_BYTES: Final = 512 * 1024
"""The database's helper files and some dozen records."""
_LOG = logging.getLogger(__name__)
_CAREFUL: Final = ("O_NONBLOCK", "O_NOFOLLOW")
"""Flags that Windows has not."""


class Disk(Protocol):
    """Each method is one step; every one raises `OSError`."""

    def create(self, path: Path) -> BinaryIO:
        """Open a new file that only the owner can read."""
        ...

    def write(self, file: BinaryIO, data: bytes) -> None:
        """Write all of ``data``."""
        ...

    def sync(self, file: BinaryIO) -> None:
        """Return when the file's content is on the disk."""
        ...

    def rename(self, source: Path, target: Path) -> None:
        """Put ``source`` in the place of ``target``."""
        ...

    def sync_directory(self, path: Path) -> None:
        """Return when the names in the directory are on the disk."""
        ...

    def erase(self, path: Path, length: int) -> None:
        """Overwrite the first ``length`` bytes with zeros, on the disk."""
        ...

    def unlink(self, path: Path) -> None:
        """Remove the file."""
        ...

    def read(self, path: Path) -> bytes:
        """Return the file's bytes."""
        ...

    def names(self, path: Path) -> list[str]:
        """Return the names in the directory."""
        ...

    def free_bytes(self, path: Path) -> int:
        """Return what is free for us where ``path`` lies."""
        ...


class RealDisk:
    """The operating system."""

    def create(self, path: Path) -> BinaryIO:
        """Open with O_EXCL and mode 0600."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        return os.fdopen(os.open(path, flags, 0o600), "wb", buffering=0)

    def write(self, file: BinaryIO, data: bytes) -> None:
        """Write until nothing is left; an unbuffered file may take less than it is given."""
        view = memoryview(data)
        while view:
            view = view[file.write(view) :]

    def sync(self, file: BinaryIO) -> None:
        """Fsync the descriptor that was written to: another one may miss the error."""
        os.fsync(file.fileno())

    def rename(self, source: Path, target: Path) -> None:
        """Atomically on one file system."""
        source.replace(target)

    def sync_directory(self, path: Path) -> None:
        """Fsync the directory; Windows has no such thing and orders its metadata itself."""
        if os.name == "nt":
            return
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def erase(self, path: Path, length: int) -> None:
        """Overwrite in place and fsync."""
        with path.open("r+b", buffering=0) as file:
            file.write(bytes(min(length, os.fstat(file.fileno()).st_size)))
            os.fsync(file.fileno())

    def unlink(self, path: Path) -> None:
        """Remove; already gone is fine."""
        path.unlink(missing_ok=True)

    def read(self, path: Path) -> bytes:
        """Return all bytes of a plain file; never waits for a pipe, follows no link."""
        with open(path, "rb", opener=_carefully) as file:
            data = file.read(MAX_FILE_BYTES + 1)
        if len(data) > MAX_FILE_BYTES:
            raise OSError(errno.EFBIG, "larger than any submission")
        return data

    def names(self, path: Path) -> list[str]:
        """Return names in no order."""
        return os.listdir(path)  # noqa: PTH208 - names are wanted, not a Path for each of 10,000

    def free_bytes(self, path: Path) -> int:
        """Return free bytes for unprivileged users."""
        return shutil.disk_usage(path).free


class Reserve:
    """Room on the disk that only this spool's records may use, when everything else is full.

    A file of its own that is given up when the database finds no room: so the outcome of what
    was delivered is noted, its content is destroyed, and the disk gets emptier.
    """

    def __init__(self, path: Path, disk: Disk) -> None:
        self._path = path
        self._disk = disk

    def fill(self) -> None:
        """Take the room, where there is plenty of it."""
        try:
            if self._path.exists() or self._disk.free_bytes(self._path.parent) < 4 * RESERVE_BYTES:
                return
            with self._disk.create(self._path) as file:
                # Noise: some file systems give zeros no room.
                self._disk.write(file, os.urandom(RESERVE_BYTES))
                self._disk.sync(file)
        except OSError as error:
            self.release()
            _LOG.warning("%s: no room is reserved: %s", self._path.parent, error.strerror)

    def release(self) -> bool:
        """Give the room back; tell whether there was any."""
        try:
            there = self._path.exists()
            self._disk.unlink(self._path)
        except OSError as error:
            _LOG.warning("%s: cannot be given up: %s", self._path, error.strerror)
            return False
        return there


def _carefully(path: str, flags: int) -> int:
    for name in _CAREFUL:
        flags |= getattr(os, name, 0)
    return os.open(path, flags)
