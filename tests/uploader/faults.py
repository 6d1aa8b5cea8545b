"""A disk whose every step can fail or be the last thing the process does."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from uploader.spool.disk import RealDisk

STEPS = ("create", "write", "sync", "rename", "sync_directory", "erase", "unlink", "read", "names")
Hook = Callable[[str], None]


class HookedDisk(RealDisk):
    """Calls ``before(step)`` and ``after(step)`` around each real step."""

    def __init__(self, before: Hook = lambda _: None, after: Hook = lambda _: None) -> None:
        self.before = before
        self.after = after
        self.free: int | None = None

    def create(self, path: Path) -> BinaryIO:
        self.before("create")
        file = super().create(path)
        self.after("create")
        return file

    def write(self, file: BinaryIO, data: bytes) -> None:
        self.before("write")
        super().write(file, data[: len(data) // 2])
        self.after("half_write")
        super().write(file, data[len(data) // 2 :])
        self.after("write")

    def sync(self, file: BinaryIO) -> None:
        self.before("sync")
        super().sync(file)
        self.after("sync")

    def rename(self, source: Path, target: Path) -> None:
        self.before("rename")
        super().rename(source, target)
        self.after("rename")

    def sync_directory(self, path: Path) -> None:
        self.before("sync_directory")
        super().sync_directory(path)
        self.after("sync_directory")

    def erase(self, path: Path, length: int) -> None:
        self.before("erase")
        super().erase(path, length)
        self.after("erase")

    def unlink(self, path: Path) -> None:
        self.before("unlink")
        super().unlink(path)
        self.after("unlink")

    def read(self, path: Path) -> bytes:
        self.before("read")
        return super().read(path)

    def names(self, path: Path) -> list[str]:
        self.before("names")
        return super().names(path)

    def free_bytes(self, path: Path) -> int:
        return super().free_bytes(path) if self.free is None else self.free


def failing(step: str, number: int, times: int = 1) -> Hook:
    """Raise ``OSError(number)`` at the next ``times`` occurrences of ``step``."""
    left = [times]

    def before(now: str) -> None:
        if now == step and left[0] > 0:
            left[0] -= 1
            raise OSError(number, os.strerror(number))

    return before


def killing(step: str) -> Hook:
    """End this process with SIGKILL at ``step``."""

    def hook(now: str) -> None:
        if now == step:
            os.kill(os.getpid(), signal.SIGKILL)

    return hook
