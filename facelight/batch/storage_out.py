"""Results to an object storage: each session whole, or clearly not; ``result.json`` comes last.

A session is made in a folder of this machine, sent as it is finished, and removed here. In the
storage it is whole exactly where its ``result.json`` is: that is removed before anything is
replaced, and written after everything else.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from facelight.batch.inputs.storage import RemoteError, storage_of, translated
from facelight.batch.inputs.urls import protocol_of, without_secrets
from facelight.errors import SettingsError
from facelight.report.page import THUMBNAIL
from facelight.result import RESULT_FILE

AT_A_TIME: Final = 8
"""Sessions on their way: a storage answers after .1 s and takes many at once."""

WAITING: Final = 2 * AT_A_TIME
TABLES: Final = ("summary.csv", "results.jsonl", "index.html", "left-out.csv")
PROBE: Final = ".facelight-probe"


class StorageOut:
    """Sends finished sessions below a URL; used by one thread.

    Parameters
    ----------
    url : ``s3://bucket/prefix``, ``az://container/prefix``, or another that fsspec can write to.
    folder : of this machine, private, where sessions are made.
    """

    def __init__(self, url: str, folder: Path) -> None:
        if protocol_of(url) in {"http", "https"} or "::" in url:
            raise SettingsError("--out: expected a directory or a storage as s3:// or az://")
        self.folder = folder
        self._url = url
        self._there = set[str]()
        self._flying: dict[Future[None], str] = {}

    def __enter__(self) -> Self:
        """Try whether the storage can be written to, and look at what is there.

        Raises
        ------
        RemoteError
            unknown protocol, missing driver, no credentials, no such bucket, no permission.
        """
        self.folder.mkdir(mode=0o700)
        with translated(self._url, "written"):
            self._storage, root = storage_of(self._url)
            self._root = root.rstrip("/")
            self._storage.pipe_file(self._path(PROBE), b"")
            self._storage.rm_file(self._path(PROBE))
            self._there = set(self._storage.find(self._root))
        self._threads = ThreadPoolExecutor(AT_A_TIME, thread_name_prefix="storage")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._threads.shutdown(wait=True)

    def bring(self, name: str, *, whole: bool) -> None:
        """Copy a session that is there to this machine: its result, or all of its files.

        Raises
        ------
        RemoteError
            it cannot be read.
        """
        if self._path(name, RESULT_FILE) not in self._there:
            return
        begin = self._path(name) + "/"
        wanted = {begin + RESULT_FILE, begin + THUMBNAIL}
        with translated(self._url):
            for path in self._there:
                if path in wanted or (whole and path.startswith(begin)):
                    target = self.folder / name / path.removeprefix(begin)
                    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                    self._storage.get_file(path, str(target))

    def send(self, name: str) -> None:
        """Begin to send a finished session; its files leave this machine once they are there."""
        self._flying[self._threads.submit(self._send, name)] = name

    def forget(self, name: str) -> None:
        """Remove here what was brought of a session that stays as it is in the storage."""
        (self.folder / name / RESULT_FILE).unlink(missing_ok=True)

    def failed(self, leave: int = WAITING) -> Iterator[tuple[str, RemoteError]]:
        """Yield the sessions that could not be written, and wait until ``leave`` are on the way."""
        while self._flying:
            done = [future for future in self._flying if future.done()]
            if not done and len(self._flying) <= leave:
                return
            if not done:
                wait(self._flying, return_when=FIRST_COMPLETED)
            for future in done:
                name = self._flying.pop(future)
                error = future.exception()
                if isinstance(error, RemoteError):
                    yield name, error
                elif error is not None:
                    raise error

    def send_tables(self) -> None:
        """Send the tables and the page of the batch.

        Raises
        ------
        RemoteError
            one cannot be written; the others may be there.
        """
        for name in TABLES:
            file = self.folder / name
            with translated(f"{self._url.rstrip('/')}/{name}", "written"):
                if file.is_file():
                    self._storage.put_file(str(file), self._path(name))
                elif self._path(name) in self._there:
                    self._storage.rm_file(self._path(name))

    def _send(self, name: str) -> None:
        folder = self.folder / name
        files = {p.relative_to(folder).as_posix(): p for p in folder.rglob("*") if p.is_file()}
        result = files.pop(RESULT_FILE, None)
        url = f"{self._url.rstrip('/')}/{name}"
        if result is None:
            raise RemoteError(f"{without_secrets(url)}: its result could not be written here")
        begin = self._path(name) + "/"
        old = sorted(path for path in self._there if path.startswith(begin))
        with translated(url, "written"):
            for path in sorted(old, key=lambda path: not path.endswith("/" + RESULT_FILE)):
                self._storage.rm_file(path)
            for inner, file in sorted(files.items()):
                self._storage.put_file(str(file), begin + inner)
            self._storage.put_file(str(result), begin + RESULT_FILE)
        for inner, file in (*files.items(), (RESULT_FILE, result)):
            if inner != THUMBNAIL:  # index.html shows it
                file.unlink()
        with suppress(OSError):
            shutil.rmtree(folder / "images")

    def _path(self, *parts: str) -> str:
        return "/".join((self._root, *parts))
