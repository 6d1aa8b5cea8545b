"""Turns what was named on the command line into single inputs, one at a time."""

from __future__ import annotations

import glob
import hashlib
import json
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from facelight.batch.inputs.storage import (
    IMAGE_SUFFIXES,
    RECORDING_SUFFIX,
    VIDEO_SUFFIXES,
    list_url,
)
from facelight.batch.inputs.urls import base_name, is_url, local_path
from facelight.batch.job import Job
from facelight.errors import FacelightError

TAKEN = ("summary.csv", "index.html")
"""Names in the output directory that no input may have."""


class InputError(FacelightError):
    """An input names nothing that can be processed."""


def expand(given: Iterable[str], out: Path | None = None) -> Iterator[str]:
    """Yield inputs in a stable order.

    A video file or ``.flrec`` is itself; a folder of images is one session; any other folder is
    searched for sessions, deep, but never below ``out``; ``@list.txt`` names one input a line;
    wildcards are expanded here, for shells that do not; a URL is listed by its storage. A path
    that is not there is yielded as it is: processing tells.

    Raises
    ------
    InputError
        a list file cannot be read, or wildcards match nothing.
    RemoteError
        a URL cannot be listed.
    """
    results = None if out is None else out.resolve()
    for item in given:
        if item.startswith("@"):
            yield from _listed(Path(item[1:]), results)
        else:
            yield from _named(item, results)


def _named(item: str, results: Path | None) -> Iterator[str]:
    path = local_path(item) or Path(item)
    if is_url(item):
        yield from list_url(item)
    elif glob.has_magic(str(path)) and not path.exists():
        matches = sorted(glob.glob(str(path), recursive=True))  # noqa: PTH207  (absolute patterns)
        if not matches:
            raise InputError(f"{item}: matches no file")
        for match in matches:
            yield from _one(Path(match), results)
    else:
        yield from _one(path, results)


def _listed(path: Path, results: Path | None) -> Iterator[str]:
    try:
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                if line.strip() and not line.startswith("#"):
                    yield from _named(line.strip(), results)
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: the list cannot be read: {error}") from error


def _one(path: Path, results: Path | None) -> Iterator[str]:
    if not path.is_dir() or path.suffix == RECORDING_SUFFIX or _is_images(path):
        yield str(path)
        return
    found = False
    for session in _sessions(path, results):
        found = True
        yield str(session)
    if not found:
        raise InputError(f"{path}: holds no video, recording or folder of images")


def _is_images(folder: Path) -> bool:
    return any(p.suffix.lower() in IMAGE_SUFFIXES for p in folder.iterdir() if p.is_file())


def _sessions(folder: Path, results: Path | None) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_dir():
            if path.resolve() == results:
                continue
            if path.suffix == RECORDING_SUFFIX or _is_images(path):
                yield path
            else:
                yield from _sessions(path, results)
        elif path.suffix.lower() in VIDEO_SUFFIXES:
            yield path


def output_names(inputs: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield ``(input, name)``: the input without its ending; a second of one name gets a suffix.

    The suffix comes from the input's path, so a resumed batch finds the same names again. Names
    that differ by case alone are one name: on some systems their directories would be. Of each
    name 8 bytes are remembered.
    """
    seen = {_mark(name) for name in TAKEN}
    for given in inputs:
        first = name = _name_of(given)
        salt = given
        while _mark(name) in seen:
            name = f"{first}-{hashlib.sha256(salt.encode(errors='replace')).hexdigest()[:8]}"
            salt += "+"
        seen.add(_mark(name))
        yield given, name


def _mark(name: str) -> int:
    digest = hashlib.blake2b(name.casefold().encode(errors="replace"), digest_size=8).digest()
    return int.from_bytes(digest, "little")


def _name_of(given: str) -> str:
    path = Path(base_name(given))
    if not is_url(given) and path.name in {"", ".."}:
        path = Path(given).resolve()
    known = path.suffix.lower() in VIDEO_SUFFIXES | {RECORDING_SUFFIX}
    name = path.stem if known or Path(given).is_file() else path.name
    return name.lstrip(".") or "session"


class Listing:
    """The inputs of a batch, found once and kept on disk, so that a million cost no memory."""

    def __init__(self, given: Iterable[str], out: Path) -> None:
        self._out = out
        self.total = 0
        self._file = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115
        try:
            for pair in output_names(expand(given, out)):
                self._file.write(json.dumps(pair) + "\n")
                self.total += 1
        except BaseException:
            self._file.close()
            raise

    def jobs(self) -> Iterator[Job]:
        """Yield a job for each input, in their order."""
        self._file.seek(0)
        for place, line in enumerate(self._file):
            given, name = json.loads(line)
            yield Job(given, name, self._out, place)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()
