"""An item of the spool: its states, its record, and its record in brief."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Any, Final, NamedTuple

from uploader.api.submission import Submission
from uploader.clock import rfc3339


class ItemState(StrEnum):
    """The life of an item; only the first two still have content."""

    QUEUED = "queued"
    HELD = "held"
    """Kept, not tried until someone asks for it."""
    DELIVERED = "delivered"
    REFUSED = "refused"
    """The service's 400 is final."""
    EXPIRED = "expired"
    """Older than the retention; destroyed undelivered."""
    PURGED = "purged"
    """Destroyed on request."""
    LOST = "lost"
    """Its file is gone or damaged."""


KEPT: Final = (ItemState.QUEUED, ItemState.HELD)

_ID: Final = re.compile(r"[0-9a-f]{32}")


def is_item_id(text: str) -> bool:
    """Tell whether ``text`` can be the id of an item; nothing else becomes part of a path."""
    return _ID.fullmatch(text) is not None


class Item(NamedTuple):
    """One row."""

    seq: int
    id: str
    state: ItemState
    size: int
    """Length of the request body in bytes."""
    created: str
    """RFC 3339."""
    client_request_id: str
    digest: str
    digest_scheme: str
    provenance: str
    session_id: str | None
    created_s: float
    due_s: float
    attempts: int
    first_attempt_s: float | None
    error_code: str | None
    error_text: str | None
    status: int | None
    request_id: str | None
    decision: str | None
    model_version: str | None
    latency_ms: int | None
    finished: str | None
    finished_s: float | None


class Listed(NamedTuple):
    """What a list of thousands shows of each; ``state`` is the plain word."""

    seq: int
    id: str
    state: str
    size: int
    created: str
    session_id: str | None
    due_s: float
    attempts: int
    error_code: str | None
    status: int | None
    decision: str | None


def new_row(item_id: str, submission: Submission, now_s: float) -> Item:
    """Return the row of a submission that arrives at ``now_s`` and is due at once."""
    return Item(
        seq=0,
        id=item_id,
        state=ItemState.QUEUED,
        size=submission.size,
        created=rfc3339(submission.created),
        client_request_id=submission.client_request_id,
        digest=submission.digest,
        digest_scheme=submission.digest_scheme,
        provenance=submission.provenance,
        session_id=submission.session_id,
        created_s=now_s,
        due_s=now_s,
        attempts=0,
        first_attempt_s=None,
        error_code=None,
        error_text=None,
        status=None,
        request_id=None,
        decision=None,
        model_version=None,
        latency_ms=None,
        finished=None,
        finished_s=None,
    )


def nameless_row(item_id: str, now_s: float) -> Item:
    """Return the row of an item of which only the id is left; it has no file, so it is lost."""
    values: dict[str, Any] = dict.fromkeys(Item._fields)
    values |= dict.fromkeys(("created", "client_request_id", "digest", "digest_scheme"), "")
    values |= {"id": item_id, "state": ItemState.QUEUED, "provenance": ""}
    values |= {"seq": 0, "size": 0, "attempts": 0, "created_s": now_s, "due_s": now_s}
    return Item(**values)
