"""Turns what was named on the command line into single inputs, one at a time."""

from __future__ import annotations

import glob
from collections.abc import Iterable, Iterator
from pathlib import Path

from facelight.errors import FacelightError

VIDEO_SUFFIXES = frozenset({".mp4", ".mkv", ".webm", ".avi", ".mov", ".m4v"})
IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp"})


class InputError(FacelightError):
    """An input names nothing that can be processed."""


def expand(given: Iterable[str]) -> Iterator[str]:
    """Yield inputs in a stable order.

    A video file or ``.flrec`` is itself; a folder of images is one session; any other folder is
    searched for sessions, deep; ``@list.txt`` names one input a line; wildcards are expanded here,
    for shells that do not. A path that is not there is yielded as it is: processing tells.

    Raises
    ------
    InputError
        a list file cannot be read, or wildcards match nothing.
    """
    for item in given:
        if item.startswith("@"):
            yield from _listed(Path(item[1:]))
        elif glob.has_magic(item) and not Path(item).exists():
            matches = sorted(glob.glob(item, recursive=True))  # noqa: PTH207  (absolute patterns too)
            if not matches:
                raise InputError(f"{item}: matches no file")
            for match in matches:
                yield from _one(Path(match))
        else:
            yield from _one(Path(item))


def _listed(path: Path) -> Iterator[str]:
    try:
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                if line.strip() and not line.startswith("#"):
                    yield from _one(Path(line.strip()))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: the list cannot be read: {error}") from error


def _one(path: Path) -> Iterator[str]:
    if not path.is_dir() or path.suffix == ".flrec" or _is_images(path):
        yield str(path)
        return
    found = False
    for session in _sessions(path):
        found = True
        yield str(session)
    if not found:
        raise InputError(f"{path}: holds no video, recording or folder of images")


def _is_images(folder: Path) -> bool:
    return any(p.suffix.lower() in IMAGE_SUFFIXES for p in folder.iterdir() if p.is_file())


def _sessions(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_dir():
            if path.suffix == ".flrec" or _is_images(path):
                yield path
            else:
                yield from _sessions(path)
        elif path.suffix.lower() in VIDEO_SUFFIXES:
            yield path
