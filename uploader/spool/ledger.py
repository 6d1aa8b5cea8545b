"""The spool's table: what is queued, what became of it. No picture, no token is ever in it.

Times called ``_s`` are spool time: seconds that only this spool counts (`SpoolTime`).
"""

from __future__ import annotations

import re
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any, Final, NamedTuple

from uploader.errors import DiskError, SpoolError, SpoolFullError
from uploader.spool.item import Item, ItemState, Listed

SCHEMA_VERSION: Final = 1
_IF_DAMAGED: Final = (
    "if it is damaged, move spool.db away: the sealed files are adopted at the next start"
)
BUSY_TIMEOUT_MS: Final = 10_000


_COLUMNS: Final = ", ".join(Item._fields)

_SCHEMA: Final = """
CREATE TABLE item (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL,
    size INTEGER NOT NULL,
    created TEXT NOT NULL,
    client_request_id TEXT NOT NULL,
    digest TEXT NOT NULL,
    digest_scheme TEXT NOT NULL,
    provenance TEXT NOT NULL,
    session_id TEXT,
    created_s REAL NOT NULL,
    due_s REAL NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    first_attempt_s REAL,
    error_code TEXT,
    error_text TEXT,
    status INTEGER,
    request_id TEXT,
    decision TEXT,
    model_version TEXT,
    latency_ms INTEGER,
    finished TEXT,
    finished_s REAL
);
CREATE INDEX item_by_state ON item (state, seq, due_s);
CREATE INDEX item_by_due ON item (state, due_s);
CREATE INDEX item_by_age ON item (state, created_s, size);
CREATE INDEX item_by_session ON item (session_id);
CREATE TABLE fact (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


class Totals(NamedTuple):
    """What the kept items amount to."""

    items: int
    bytes: int
    oldest_s: float | None


class Ledger:
    """SQLite in WAL mode with ``synchronous=FULL``: what was committed survives a power cut."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.RLock()
        try:
            self._db = sqlite3.connect(
                path, isolation_level=None, check_same_thread=False, timeout=BUSY_TIMEOUT_MS / 1000
            )
        except sqlite3.Error as error:
            raise self._typed(error) from error
        try:
            self._prepare()
        except (sqlite3.Error, SpoolError) as error:
            self._db.close()
            raise self._typed(error) from error

    def close(self) -> None:
        """Close; the write-ahead log is folded in by the last connection."""
        with self._lock:
            self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit what happens inside, or nothing of it; raises `SpoolError`."""
        with self._lock:
            try:
                self._db.execute("BEGIN IMMEDIATE")
                try:
                    yield
                    self._db.execute("COMMIT")
                except BaseException:
                    # SQLite has rolled back by itself after some errors, a full disk among them.
                    if self._db.in_transaction:
                        self._db.execute("ROLLBACK")
                    raise
            except sqlite3.Error as error:
                raise self._typed(error) from error

    def fact(self, name: str) -> str | None:
        """Return a value of the spool as a whole."""
        row = self._one("SELECT value FROM fact WHERE name = ?", (name,))
        return None if row is None else str(row[0])

    def set_fact(self, name: str, value: str) -> None:
        """Set a value of the spool as a whole."""
        self._run("INSERT OR REPLACE INTO fact VALUES (?, ?)", (name, value))

    def insert(self, item: Item) -> None:
        """Add a row; its ``seq`` is given by the table."""
        names, values = Item._fields[1:], item[1:]
        marks = ", ".join("?" * len(names))
        self._run(f"INSERT INTO item ({', '.join(names)}) VALUES ({marks})", values)  # noqa: S608

    def update(self, item_id: str, changes: Mapping[str, Any], *, kept_only: bool = False) -> None:
        """Change columns of one row; ``kept_only``: unless its content was given up meanwhile."""
        unknown = set(changes) - set(Item._fields)
        if unknown:
            raise ValueError(f"no such column: {sorted(unknown)}")
        assignments = ", ".join(f"{name} = ?" for name in changes)
        kept = "AND state IN ('queued', 'held')" if kept_only else ""
        self._run(
            f"UPDATE item SET {assignments} WHERE id = ? {kept}",  # noqa: S608 - our own names
            (*changes.values(), item_id),
        )

    def item(self, item_id: str) -> Item | None:
        """Return one row."""
        row = self._one(f"SELECT {_COLUMNS} FROM item WHERE id = ?", (item_id,))  # noqa: S608
        return None if row is None else _item(row)

    def ids_from(self, start: str) -> list[str]:
        """Return the ids that begin with ``start``, at most a few; none for fewer than 4 digits."""
        if not re.fullmatch(r"[0-9a-f]{4,32}", start):
            return []
        rows = self._all(
            "SELECT id FROM item WHERE id >= ? AND id < ? LIMIT 10", (start, start + "g")
        )
        return [str(row[0]) for row in rows]

    def page(
        self, states: Sequence[ItemState], after_seq: int, limit: int, session_id: str | None = None
    ) -> list[Item]:
        """Return up to ``limit`` rows in order of arrival, from the first after ``after_seq``."""
        return [_item(row) for row in self._rows(_COLUMNS, states, after_seq, limit, session_id)]

    def listing(self, states: Sequence[ItemState], after_seq: int, limit: int) -> list[Listed]:
        """Return the same rows as `page`, in brief."""
        rows = self._rows(", ".join(Listed._fields), states, after_seq, limit, None)
        return list(map(Listed._make, rows))

    def _rows(
        self,
        columns: str,
        states: Sequence[ItemState],
        after_seq: int,
        limit: int,
        session_id: str | None,
    ) -> list[tuple[Any, ...]]:
        session = "" if session_id is None else "AND session_id = ?"
        more = () if session_id is None else (session_id,)
        # One query a state: each follows its index in order, so no page sorts thousands of rows.
        found = [
            self._all(
                f"SELECT {columns} FROM item WHERE state = ? AND seq > ? {session} "  # noqa: S608
                "ORDER BY seq LIMIT ?",
                (state, after_seq, *more, limit),
            )
            for state in states
        ]
        return sorted(chain.from_iterable(found))[:limit]

    def first_due(self, now_s: float) -> Item | None:
        """Return the queued item that is due and arrived first."""
        row = self._one(
            f"SELECT {_COLUMNS} FROM item WHERE state = 'queued' AND due_s <= ? "  # noqa: S608
            "ORDER BY seq LIMIT 1",
            (now_s,),
        )
        return None if row is None else _item(row)

    def next_due_s(self) -> float | None:
        """Return when the next queued item is due, None without one."""
        row = self._one("SELECT MIN(due_s) FROM item WHERE state = 'queued'", ())
        return None if row is None or row[0] is None else float(row[0])

    def totals(self) -> Totals:
        """Return count, bytes and the oldest arrival of what is kept."""
        row = self._one(
            "SELECT COUNT(*), COALESCE(SUM(size), 0), MIN(created_s) FROM item "
            "WHERE state IN ('queued', 'held')",
            (),
        )
        return Totals(*(row or (0, 0, None)))

    def counts(self) -> dict[ItemState, int]:
        """Return how many items are in each state that has any."""
        rows = self._all("SELECT state, COUNT(*) FROM item GROUP BY state ORDER BY state", ())
        return {ItemState(state): int(count) for state, count in rows}

    def created_before(self, limit_s: float) -> list[str]:
        """Return ids of kept items that arrived before ``limit_s``."""
        rows = self._all(
            "SELECT id FROM item WHERE state IN ('queued', 'held') AND created_s < ?", (limit_s,)
        )
        return [str(row[0]) for row in rows]

    def forget_finished_before(self, limit_s: float) -> int:
        """Delete rows that were finished before ``limit_s``; return how many."""
        with self._lock:
            self._run(
                "DELETE FROM item WHERE state NOT IN ('queued', 'held') AND finished_s < ?",
                (limit_s,),
            )
            row = self._one("SELECT changes()", ())
            return int(row[0]) if row else 0

    def states(self) -> Iterator[tuple[str, ItemState]]:
        """Return id and state of every row."""
        return ((str(i), ItemState(s)) for i, s in self._all("SELECT id, state FROM item", ()))

    def rearm(self, item_ids: Sequence[str] | None, now_s: float) -> int:
        """Make held and waiting items due now; None means all of them. Return how many."""
        with self.transaction():
            if item_ids is None:
                self._run(
                    "UPDATE item SET state = 'queued', due_s = ?, attempts = 0, "
                    "first_attempt_s = NULL WHERE state IN ('queued', 'held')",
                    (now_s,),
                )
            for item_id in item_ids or ():
                self._run(
                    "UPDATE item SET state = 'queued', due_s = ?, attempts = 0, "
                    "first_attempt_s = NULL WHERE state IN ('queued', 'held') AND id = ?",
                    (now_s, item_id),
                )
            row = self._one("SELECT COUNT(*) FROM item WHERE state = 'queued'", ())
        return int(row[0]) if row else 0

    def _prepare(self) -> None:
        for pragma in (
            f"busy_timeout = {BUSY_TIMEOUT_MS}",
            "journal_mode = WAL",
            "synchronous = FULL",
            "secure_delete = ON",
            "temp_store = MEMORY",
        ):
            self._db.execute(f"PRAGMA {pragma}").fetchall()
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version == 0:
            self._create()
        elif version != SCHEMA_VERSION:
            raise SpoolError(
                f"{self._path}: written by another version (schema {version}, "
                f"expected {SCHEMA_VERSION})"
            )

    def _create(self) -> None:
        """Create the tables once, whoever comes first."""
        self._db.execute("BEGIN IMMEDIATE")
        if self._db.execute("PRAGMA user_version").fetchone()[0] == 0:
            for statement in _SCHEMA.split(";"):
                self._db.execute(statement)
            self._db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        self._db.execute("COMMIT")

    def _run(self, sql: str, values: Sequence[Any]) -> None:
        with self._guard():
            self._db.execute(sql, values)

    def _one(self, sql: str, values: Sequence[Any]) -> tuple[Any, ...] | None:
        with self._guard():
            row: tuple[Any, ...] | None = self._db.execute(sql, values).fetchone()
            return row

    def _all(self, sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        with self._guard():
            return self._db.execute(sql, values).fetchall()

    @contextmanager
    def _guard(self) -> Iterator[None]:
        with self._lock:
            try:
                yield
            except sqlite3.Error as error:
                raise self._typed(error) from error

    def _typed(self, error: sqlite3.Error | SpoolError) -> SpoolError:
        if isinstance(error, SpoolError):
            return error
        text = str(error)
        if "full" in text:
            return SpoolFullError(f"{self._path}: {text}")
        if isinstance(error, sqlite3.OperationalError) and "locked" not in text:
            return DiskError(f"{self._path}: {text}")
        return SpoolError(
            f"{self._path}: {text}", advice=_IF_DAMAGED if "locked" not in text else ""
        )


_STATES: Final = {str(state): state for state in ItemState}


def _item(row: tuple[Any, ...]) -> Item:
    return Item._make((*row[:2], _STATES[row[2]], *row[3:]))
