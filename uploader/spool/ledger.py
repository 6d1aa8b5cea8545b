"""The spool's table: what is queued, what became of it. No picture, no token is ever in it.

Times called ``_s`` are spool time: seconds that only this spool counts (`SpoolTime`).
"""

from __future__ import annotations

import math
import re
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any, Final, NamedTuple

from uploader.errors import DiskError, ItemError, SpoolDamagedError, SpoolError, SpoolFullError
from uploader.plain_text import shown
from uploader.spool.item import Item, ItemState, Listed
from uploader.spool.schema import KINDS, MEND, SAFE, SCHEMA, SCHEMA_VERSION, UNSOUND

BUSY_TIMEOUT_MS: Final = 10_000

_DAMAGED: Final = ("malformed", "not a database", "no such table", "no such column")


_COLUMNS: Final = ", ".join(Item._fields)


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

    def seconds(self, name: str) -> float | None:
        """Return a number of seconds, None without one or when it is damaged."""
        text = self.fact(name)
        try:
            value = float(text or "nan")
        except ValueError:
            return None
        return value if math.isfinite(value) else None

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
        """Return one row; raises `ItemError` when it is damaged."""
        row = self._one(f"SELECT {_COLUMNS} FROM item WHERE id = ?", (item_id,))  # noqa: S608
        return None if row is None else _item(row)

    def newest(self, client_request_id: str) -> Item | None:
        """Return the row that came last with this client request id."""
        row = self._one(
            f"SELECT {_COLUMNS} FROM item WHERE client_request_id = ? "  # noqa: S608
            "ORDER BY seq DESC LIMIT 1",
            (client_request_id,),
        )
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
        # What damage left of a row is counted by `unsound`; a list shows the others.
        return [row for row in map(Listed._make, rows) if type(row[6]) is float]

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
        return row[0] if row is not None and isinstance(row[0], float) else None

    def totals(self) -> Totals:
        """Return count, bytes and the oldest arrival of what is kept."""
        row = self._one(
            "SELECT COUNT(*), COALESCE(SUM(size), 0), MIN(created_s) FROM item "
            "WHERE state IN ('queued', 'held')",
            (),
        )
        items, total, oldest_s = row or (0, 0, None)
        return Totals(items, int(total), oldest_s if isinstance(oldest_s, float) else None)

    def counts(self) -> dict[ItemState, int]:
        """Return how many items are in each state that has any."""
        rows = self._all("SELECT state, COUNT(*) FROM item GROUP BY state ORDER BY state", ())
        return {_STATES[state]: int(count) for state, count in rows if state in _STATES}

    def created_before(self, limit_s: float) -> list[tuple[str, float]]:
        """Return id and arrival of kept items that arrived before ``limit_s``."""
        return self._all(
            "SELECT id, created_s FROM item WHERE state IN ('queued', 'held') AND created_s < ?",
            (limit_s,),
        )

    def unsound(self, now_s: float, far_s: float) -> list[tuple[int, str, ItemState | None]]:
        """Return seq, id and state (None: no state at all) of rows that damage has altered."""
        values = {"now_s": now_s, "far_s": far_s}
        rows = self._all(f"SELECT seq, id, state FROM item WHERE {UNSOUND}", values)  # noqa: S608
        return [(seq, str(item_id), _STATES.get(state)) for seq, item_id, state in rows]

    def forget(self, seq: int) -> None:
        """Delete one row."""
        self._run("DELETE FROM item WHERE seq = ?", (seq,))

    def forget_item(self, item_id: str) -> None:
        """Delete the row of an item, if there is one."""
        self._run("DELETE FROM item WHERE id = ?", (item_id,))

    def mend(self, seq: int, item_id: str, state: ItemState, now_s: float) -> None:
        """Give a row this id and state, and each value of a wrong type a harmless one."""
        values = {name: SAFE.get(name) for name in KINDS}
        values |= {"created_s": now_s, "due_s": now_s, "seq": seq, "id": item_id, "state": state}
        self._run(MEND, values)

    def restart_time(self) -> None:
        """Let every row begin at time zero: what its times referred to is lost."""
        self._run(
            "UPDATE item SET created_s = 0.0, due_s = 0.0, first_attempt_s = NULL, "
            "finished_s = CASE WHEN finished_s IS NULL THEN NULL ELSE 0.0 END",
            (),
        )

    def any_row(self) -> bool:
        """Tell whether there is any row."""
        return self._one("SELECT 1 FROM item LIMIT 1", ()) is not None

    def check(self) -> None:
        """Read everything; raises `SpoolDamagedError` when SQLite finds damage."""
        found = self._all("PRAGMA integrity_check(1)", ())
        self._all("SELECT name, value FROM fact", ())
        if found != [("ok",)]:
            raise SpoolDamagedError(f"{self._path}: {shown(found[0][0] if found else 'no answer')}")

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
        rows = self._all("SELECT id, state FROM item", ())
        return ((str(i), _STATES[s]) for i, s in rows if s in _STATES)

    def rearm(self, item_ids: Sequence[str] | None, now_s: float) -> None:
        """Make held and waiting items due now; None means all of them."""
        one = "" if item_ids is None else "AND id = ?"
        rows = [(now_s,)] if item_ids is None else [(now_s, item_id) for item_id in item_ids]
        for values in rows:
            self._run(
                "UPDATE item SET state = 'queued', due_s = ?, attempts = 0, "  # noqa: S608
                f"first_attempt_s = NULL WHERE state IN ('queued', 'held') {one}",
                values,
            )

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
            for statement in SCHEMA.split(";"):
                self._db.execute(statement)
            self._db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        self._db.execute("COMMIT")

    def _run(self, sql: str, values: Sequence[Any] | Mapping[str, Any]) -> None:
        with self._guard():
            self._db.execute(sql, values)

    def _one(self, sql: str, values: Sequence[Any]) -> tuple[Any, ...] | None:
        with self._guard():
            row: tuple[Any, ...] | None = self._db.execute(sql, values).fetchone()
            return row

    def _all(self, sql: str, values: Sequence[Any] | Mapping[str, Any]) -> list[tuple[Any, ...]]:
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
        if any(word in text for word in _DAMAGED):
            return SpoolDamagedError(f"{self._path}: {text}")
        if isinstance(error, sqlite3.OperationalError) and "locked" not in text:
            return DiskError(f"{self._path}: {text}")
        return SpoolError(f"{self._path}: {text}")


_STATES: Final = {str(state): state for state in ItemState}


def _item(row: tuple[Any, ...]) -> Item:
    state = _STATES.get(row[2])
    if state is None:
        raise ItemError(
            f"item {shown(row[1], 60)}: its record is damaged", advice="facelight spool repair"
        )
    return Item._make((*row[:2], state, *row[3:]))
