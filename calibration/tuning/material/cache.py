"""Measures kept from one tuning to the next: numbers only, never a picture."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from calibration.errors import CacheError
from calibration.tuning.material.table import HEAD, FrameTable
from preprocess.measures.measures import FIELDS

FILE: Final = "measures.sqlite"
LAYOUT: Final = ",".join((*HEAD, *FIELDS))
_ASKED_AT_ONCE: Final = 500


class MeasureCache:
    """Tables by content and method in one SQLite file in ``folder``.

    Raises
    ------
    CacheError
        the folder cannot be written, or the file is damaged.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CacheError(f"{folder}: cannot be made: {error.strerror or error}") from error
        with self._told():
            self._db = sqlite3.connect(self.path, timeout=30)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            self._db.execute(
                "CREATE TABLE IF NOT EXISTS measured "
                "(content TEXT, method TEXT, layout TEXT, rows BLOB, "
                "PRIMARY KEY (content, method, layout)) WITHOUT ROWID"
            )

    def find(self, contents: Sequence[str], method: str) -> dict[str, FrameTable]:
        """Return what is there of these contents, by content."""
        found: dict[str, FrameTable] = {}
        with self._told():
            for start in range(0, len(contents), _ASKED_AT_ONCE):
                some = contents[start : start + _ASKED_AT_ONCE]
                marks = ",".join("?" * len(some))
                rows = self._db.execute(
                    f"SELECT content, rows FROM measured WHERE content IN ({marks}) "  # noqa: S608
                    "AND method = ? AND layout = ?",
                    (*some, method, LAYOUT),
                )
                found |= {content: FrameTable.from_bytes(data) for content, data in rows}
        return found

    def put(self, content: str, method: str, table: FrameTable) -> None:
        """Keep a table."""
        with self._told(), self._db:
            self._db.execute(
                "INSERT OR REPLACE INTO measured VALUES (?, ?, ?, ?)",
                (content, method, LAYOUT, table.to_bytes()),
            )

    def close(self) -> None:
        """Release the file; idempotent."""
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, ValueError) as error:
            cure = "delete it, or name another folder with --cache"
            raise CacheError(f"{self.path}: cannot be used: {error}; {cure}") from error
