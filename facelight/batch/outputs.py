"""Writes the files of a processed session: a directory is there whole or not at all."""

from __future__ import annotations

import csv
import glob
import io
import os
import shutil
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from facelight.errors import OutputError
from facelight.terminal import encodable
from uploader.plain_text import csv_cell

PRIVATE: Final = 0o077
"""The umask of results unless the operator sets another: faces lie in them in the clear."""


@contextmanager
def whole_directory(target: Path, umask: int = PRIVATE) -> Iterator[Path]:
    """Give a fresh directory that becomes ``target`` at the end, or vanishes on any error.

    What stood at ``target`` before is replaced only once the new directory is complete. Nobody
    else can look into it before it is.

    Parameters
    ----------
    umask : permissions that folders and files do not get.

    Raises
    ------
    OutputError
        the file system refuses: not writable, full, a file in the way.
    """
    fresh = target.parent / f".{target.name}.{uuid.uuid4().hex[:12]}.part"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        fresh.mkdir(mode=0o700)
        yield fresh
        for path in fresh.rglob("*"):
            if path.is_file():
                path.chmod(0o666 & ~umask)
                _sync(path)
            else:
                path.chmod(0o777 & ~umask)
        fresh.chmod(0o777 & ~umask)
        _replace(fresh, target)
    except OSError as error:
        raise OutputError(_told(error, target)) from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def write_file(path: Path, content: bytes, umask: int | None = None) -> None:
    """Write one file whole or not at all.

    Raises
    ------
    OutputError
        the file system refuses.
    """
    write_parts(path, [content], umask)


def write_parts(path: Path, parts: Iterable[bytes], umask: int | None = None) -> None:
    """Write one file whole or not at all, part by part, for what is too large for memory.

    Parameters
    ----------
    umask : permissions that the file does not get; None: the process's own.

    Raises
    ------
    OutputError
        the file system refuses.
    """
    part = path.parent / f".{path.name}.{uuid.uuid4().hex[:12]}.part"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        mode = 0o666 if umask is None else 0o666 & ~umask
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.writelines(parts)
        if umask is not None:
            part.chmod(mode)  # whatever the process's own umask is
        _sync(part)
        part.replace(path)
    except OSError as error:
        raise OutputError(_told(error, path)) from error
    finally:
        if part.exists():
            part.unlink()


def remove_parts(folder: Path, name: str = "*", older_than_s: float = 0.0) -> None:
    """Remove what a process that was ended left half-written of ``folder/name``, if it can be."""
    stem = name if name == "*" else glob.escape(name)
    for part in folder.glob(f".{stem}.{12 * '[0-9a-f]'}.*"):
        if part.suffix in {".part", ".old"} and _age_s(part) >= older_than_s:
            if part.is_dir():
                shutil.rmtree(part, ignore_errors=True)
            else:
                part.unlink(missing_ok=True)


def _age_s(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except OSError:
        return -1.0  # just renamed by its owner


def csv_bytes(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> bytes:
    """Return UTF-8 CSV with a header; a missing value is an empty cell, none is a formula."""
    return csv_line(columns, dict(zip(columns, columns, strict=True))) + b"".join(
        csv_line(columns, row) for row in rows
    )


def csv_line(columns: Sequence[str], row: Mapping[str, Any]) -> bytes:
    """Return one row of such a table."""
    text = io.StringIO(newline="")
    cells = [encodable(csv_cell(row.get(name, ""))) for name in columns]
    csv.writer(text, lineterminator="\n").writerow(cells)
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
