"""One owner for a spool: an advisory lock that ends with its process, however that ends."""

from __future__ import annotations

import errno
import importlib
import logging
import os
from pathlib import Path
from typing import Any, BinaryIO, Final

from uploader.errors import SpoolBusyError, SpoolError

_LOG = logging.getLogger(__name__)

_HELD: Final = {errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES, errno.EDEADLK}
"""Another process holds it; anything else (ENOLCK, EOPNOTSUPP) is the file system's fault."""


class OwnerLock:
    """Held from `acquire` to `release`; the file stays, its content is the owner's process id."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BinaryIO | None = None

    def acquire(self) -> None:
        """Take the lock or raise `SpoolBusyError` with the owner's process id."""
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise SpoolError(f"{self._path}: cannot be opened: {error.strerror}") from error
        file = os.fdopen(descriptor, "r+b", buffering=0)
        try:
            _lock(file)
        except OSError as error:
            owner = _owner(file)
            file.close()
            if error.errno not in _HELD:
                raise SpoolError(
                    f"{self._path}: cannot be locked: {error.strerror}",
                    advice="a spool needs a local file system with locks; set spool_dir to one",
                ) from error
            raise SpoolBusyError(
                f"{self._path.parent}: process {owner} already delivers from this spool"
            ) from error
        self._file = file
        try:
            # The id is padded and never truncated: another process may read it at any moment.
            file.seek(0)
            file.write(f"{os.getpid():<12d}\n".encode("ascii"))
        except OSError as error:  # the lock holds all the same, also on a disk that is full
            _LOG.warning("%s: the owner cannot be noted: %s", self._path, error.strerror)

    def release(self) -> None:
        """Let go; harmless when it is not held."""
        if self._file is not None:
            self._file.close()
            self._file = None


def _owner(file: BinaryIO) -> str:
    try:
        file.seek(0)
        text = file.read(16).decode("ascii", "replace").strip()
    except OSError:
        return "unknown"  # only the error that led here matters
    return text if text.isdigit() else "unknown"


def _lock(file: BinaryIO) -> None:
    """Lock without waiting; raises `OSError` when another process holds it."""
    if os.name == "nt":
        windows: Any = importlib.import_module("msvcrt")
        # Windows locks bytes against reading too; the process id must stay readable.
        file.seek(1 << 30)
        windows.locking(file.fileno(), windows.LK_NBLCK, 1)
        return
    posix: Any = importlib.import_module("fcntl")
    posix.flock(file.fileno(), posix.LOCK_EX | posix.LOCK_NB)
