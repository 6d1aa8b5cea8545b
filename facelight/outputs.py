"""Writes the files of a processed session: a directory is there whole or not at all."""

from __future__ import annotations

import csv
import io
import os
import shutil
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from facelight.errors import OutputError


@contextmanager
def whole_directory(target: Path) -> Iterator[Path]:
    """Give a fresh directory that becomes ``target`` at the end, or vanishes on any error.

    What stood at ``target`` before is replaced only once the new directory is complete.

    Raises
    ------
    OutputError
        the file system refuses: not writable, full, a file in the way.
    """
    fresh = target.parent / f".{target.name}.{uuid.uuid4().hex[:12]}.part"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        fresh.mkdir()
        yield fresh
        for path in fresh.rglob("*"):
            if path.is_file():
                _sync(path)
        _replace(fresh, target)
    except OSError as error:
        raise OutputError(_told(error, target)) from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def write_file(path: Path, content: bytes) -> None:
    """Write one file whole or not at all.

    Raises
    ------
    OutputError
        the file system refuses.
    """
    part = path.parent / f".{path.name}.{uuid.uuid4().hex[:12]}.part"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(content)
        _sync(part)
        part.replace(path)
    except OSError as error:
        raise OutputError(_told(error, path)) from error
    finally:
        if part.exists():
            part.unlink()


def csv_bytes(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> bytes:
    """Return UTF-8 CSV with a header; a missing value is an empty cell."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def _replace(fresh: Path, target: Path) -> None:
    if not target.is_dir():
        fresh.rename(target)
        return
    old = fresh.with_suffix(".old")
    target.rename(old)
    try:
        fresh.rename(target)
    except OSError:
        old.rename(target)
        raise
    shutil.rmtree(old)


def _sync(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _told(error: OSError, target: Path) -> str:
    return f"{target}: cannot be written: {error.strerror or error}"
