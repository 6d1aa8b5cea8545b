"""Turns what was named on the command line into single inputs, one at a time."""

from __future__ import annotations

import glob
import hashlib
import json
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator
from itertools import takewhile
from pathlib import Path
from types import TracebackType
from typing import Final, NamedTuple, Self

from facelight.batch.inputs.folders import (
    RECORDING_SUFFIX,
    TRIED_SUFFIXES,
    VIDEO_SUFFIXES,
    FolderEntry,
    FolderSearch,
    LeftOut,
)
from facelight.batch.inputs.left_out import LeftOutFiles
from facelight.batch.inputs.storage import list_url
from facelight.batch.inputs.urls import base_name, is_url, local_path, without_secrets
from facelight.batch.job import Job
from facelight.errors import FacelightError

TAKEN = ("summary.csv", "results.jsonl", "left-out.csv", "index.html")
"""Names in the output directory that no input may have."""

_UNPRINTABLE: Final = re.compile(r"[\ud800-\udfff]|[\x00-\x1f\x7f]")


class InputError(FacelightError):
    """An input names nothing that can be processed."""


class Input(NamedTuple):
    """One session, and the folder that was given, in which it lies."""

    path: str
    root: str


class Expansion:
    """Expands what was named; ``leave`` is handed each file on the way that is left out.

    A video file or ``.flrec`` is itself; a folder of pictures is one session; any other folder is
    searched for sessions, deep, but never below ``out``; ``@list.txt`` names one input a line;
    wildcards are expanded here, for shells that do not; a URL is listed by its storage. A path
    that is not there is yielded as it is: processing tells.
    """

    def __init__(
        self, out: Path | None = None, leave: Callable[[LeftOut], None] = lambda _: None
    ) -> None:
        self._results = None if out is None else out.resolve()
        self._leave_it = leave
        self._left = 0

    def inputs(self, given: Iterable[str]) -> Iterator[Input]:
        """Yield inputs in a stable order.

        Raises
        ------
        InputError
            a list file cannot be read, wildcards match nothing, a folder holds no session.
        RemoteError
            a URL cannot be listed.
        """
        for item in given:
            if item.startswith("@"):
                yield from self._listed(Path(item[1:]))
            else:
                yield from self._named(item)

    def _named(self, item: str) -> Iterator[Input]:
        path = local_path(item) or Path(item)
        if is_url(item):
            sessions = [*list_url(item, self._leave)]
            root = item if sessions != [item] else item.rpartition("/")[0]
            yield from (Input(session, root) for session in sessions)
        elif glob.has_magic(str(path)) and not path.exists():
            matches = sorted(glob.glob(str(path), recursive=True))  # noqa: PTH207  (absolute)
            if not matches:
                raise InputError(f"{item}: matches no file")
            for match in matches:
                yield from self._one(Path(match))
        else:
            yield from self._one(path)

    def _listed(self, path: Path) -> Iterator[Input]:
        try:
            with path.open(encoding="utf-8", errors="surrogateescape") as lines:
                for number, line in enumerate(lines, 1):
                    if "\0" in line:
                        raise InputError(f"{path}: line {number}: no list of inputs, it is binary")
                    if line.strip() and not line.startswith("#"):
                        yield from self._named(line.strip())
        except OSError as error:
            raise InputError(f"{path}: the list cannot be read: {error}") from error

    def _one(self, path: Path) -> Iterator[Input]:
        if not path.is_dir() or path.suffix == RECORDING_SUFFIX:
            yield Input(str(path), str(path.absolute().parent))
            return
        before = self._left
        sessions = 0
        for session in FolderSearch(self._entries, self._leave).sessions(str(path)):
            sessions += 1
            yield Input(session, str(path.absolute()))
        if not sessions:
            files = self._left - before
            beside = f"; it has {files} other files" if files else ""
            raise InputError(f"{path}: holds no video, recording or folder of images{beside}")

    def _leave(self, item: LeftOut) -> None:
        self._left += 1
        self._leave_it(item)

    def _entries(self, folder: str) -> list[FolderEntry]:
        """List a folder of this machine; what leads back to a folder above it is left out."""
        above = {_identity(parent) for parent in (Path(folder), *Path(folder).absolute().parents)}
        entries = []
        for path in sorted(Path(folder).iterdir()):
            is_folder = path.is_dir()
            if is_folder and (path.resolve() == self._results or _identity(path) in above):
                continue
            entries.append(FolderEntry(str(path), is_folder))
        return entries


def _identity(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_dev, status.st_ino


def output_names(inputs: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield ``(input, name)``: the input without its ending; a second of one name gets a suffix.

    The suffix comes from the input's path, so a resumed batch finds the same names again. Names
    that differ by case alone are one name: on some systems their directories would be. Bytes that
    are no UTF-8, and control characters, are written as in a URL (``%E9``). Of each name 8 bytes
    are remembered.
    """
    seen = {_mark(name) for name in TAKEN}
    for given in inputs:
        first = name = _name_of(given)
        salt = given
        while _mark(name) in seen:
            digest = hashlib.sha256(salt.encode(errors="surrogatepass")).hexdigest()
            name = f"{first}-{digest[:8]}"
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
    known = path.suffix.lower() in VIDEO_SUFFIXES | TRIED_SUFFIXES | {RECORDING_SUFFIX}
    name = path.stem if known or Path(given).is_file() else path.name
    return _UNPRINTABLE.sub(_percent, name).lstrip(".") or "session"


def _percent(found: re.Match[str]) -> str:
    return f"%{ord(found[0]) & 0xFF:02X}"  # a lone surrogate U+DCxx stands for the byte xx


class Listing:
    """The inputs of a batch, found once and kept on disk, so that a million cost no memory."""

    def __init__(self, given: Iterable[str], out: Path) -> None:
        self._out = out
        self.total = 0
        self._base: list[str] | None = None
        self._file = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115
        self.left = LeftOutFiles()
        inputs = Expansion(out, self.left.add).inputs(given)
        try:
            for path, name in output_names(self._paths(inputs)):
                self._file.write(json.dumps((path, name)) + "\n")
                self.total += 1
        except BaseException:
            self.close()
            raise

    def jobs(self) -> Iterator[Job]:
        """Yield a job for each input, in their order."""
        self._file.seek(0)
        for place, line in enumerate(self._file):
            given, name = json.loads(line)
            yield Job(given, name, self._out, place, relative=self._relative(given))

    def _paths(self, inputs: Iterable[Input]) -> Iterator[str]:
        """Pass inputs on, and note the deepest folder that holds all that was given."""
        root = None
        for item in inputs:
            if item.root != root:
                root = item.root
                parts = _parts(root)
                self._base = parts if self._base is None else _common(self._base, parts)
            yield item.path

    def _relative(self, given: str) -> str:
        base, parts = self._base or [], _parts(given)
        if not base or parts[: len(base)] != base:
            return without_secrets(given) if is_url(given) else str(Path(given).absolute())
        return "/".join(parts[len(base) :]) or parts[-1]

    def close(self) -> None:
        """Forget the list."""
        self._file.close()
        self.left.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _parts(given: str) -> list[str]:
    """Return the parts of an absolute path, or of a URL without secrets and query."""
    if is_url(given):
        protocol, _, rest = without_secrets(given).partition("://")
        return [protocol + ":", *(part for part in rest.split("/") if part)]
    return [*(local_path(given) or Path(given)).absolute().parts]


def _common(one: list[str], other: list[str]) -> list[str]:
    return [a for a, _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))]
