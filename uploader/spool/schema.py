"""The spool's table, what a sound row of it is, and how an altered one is mended.

SQLite keeps any value in any column, so damage of a page can leave text where a time should be.
"""

from __future__ import annotations

from typing import Any, Final

from uploader.spool.item import ItemState

SCHEMA_VERSION: Final = 1

SCHEMA: Final = """
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


def _kinds(line: str) -> tuple[str, tuple[str, ...]]:
    """Return a column of the schema and the types its values may have."""
    name, kind, *rest = line.rstrip(",").split()
    plain = kind.lower()
    return name, (plain,) if "NULL" in rest or "KEY" in rest else (plain, "null")


KINDS: Final = dict(_kinds(line) for line in SCHEMA.split(");")[0].splitlines()[2:] if line.strip())
"""Column -> names that ``typeof`` may give."""

SAFE: Final[dict[str, Any]] = {
    name: None if "null" in kinds else {"text": "", "integer": 0, "real": 0.0}[kinds[0]]
    for name, kinds in KINDS.items()
}
"""Column -> what a value of a wrong type is replaced with."""


def _of_its_type(name: str) -> str:
    kinds = ", ".join(f"'{kind}'" for kind in KINDS[name])
    return f"typeof({name}) IN ({kinds})"


_STATES: Final = ", ".join(f"'{state}'" for state in ItemState)
UNSOUND: Final = " OR ".join(
    (
        f"state NOT IN ({_STATES})",
        "length(id) != 32 OR id GLOB '*[^0-9a-f]*'",
        "created_s < 0 OR created_s > :now_s + 60",
        "(state IN ('queued', 'held') AND due_s > :now_s + :far_s)",
        *(f"NOT {_of_its_type(name)}" for name in KINDS),
    )
)
"""Condition of a row that damage has altered."""

_GIVEN: Final = ("id", "state", "created_s", "due_s")
MEND: Final = "UPDATE item SET {} WHERE seq = :seq".format(  # noqa: S608 - our own names
    ", ".join(
        f"{name} = :{name}"
        if name in _GIVEN
        else f"{name} = CASE WHEN {_of_its_type(name)} THEN {name} ELSE :{name} END"
        for name in KINDS
        if name != "seq"
    )
)
"""Gives a row id, state and times, and each value of a wrong type its safe one."""
