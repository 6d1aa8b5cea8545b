"""A session's audit: read all of it, compare it with what this device sent, export it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from uploader.api.audit_entry import AuditEntry, parse_entries
from uploader.api.keyed import KeyedClient
from uploader.errors import MalformedAnswerError
from uploader.http.endpoint import MAX_TOP
from uploader.http.multipart import DIGEST_SCHEME, same_digest
from uploader.plain_text import csv_cell

STAND_IN_HEADER: Final = "x-facelight-stand-in"
"""The local service marks every answer with it; its digests are ``body-sha256``."""


class AuditClient(KeyedClient):
    """Pages through a session's audit."""

    purpose = "reading an audit"

    digest_scheme: str | None = None
    """The scheme of this service's digests, None while unknown."""

    def page(
        self, session_id: str, start: str | None = None, top: int | None = None
    ) -> list[AuditEntry]:
        """Return one page, newest first: entries with ids less than ``start``."""
        answer = self.call("GET", self.endpoint.audit_url(session_id, start, top))
        # Only a service on this machine is taken at its word about how it makes digests.
        if self.endpoint.local and STAND_IN_HEADER in answer.headers:
            self.digest_scheme = DIGEST_SCHEME
        return parse_entries(answer)

    def entries(self, session_id: str, page_size: int = MAX_TOP) -> Iterator[AuditEntry]:
        """Yield all entries, newest first; a page may be shorter than asked without being last."""
        start: str | None = None
        seen: set[str] = set()
        while page := self.page(session_id, start, page_size):
            if any(entry.id in seen for entry in page):
                raise MalformedAnswerError("the audit does not advance: entries repeat")
            seen.update(entry.id for entry in page)
            yield from page
            start = page[-1].id


@dataclass(frozen=True, slots=True)
class Sent:
    """What this device knows about a request it sent."""

    client_request_id: str
    digest: str
    digest_scheme: str
    size: int | None
    """Length of the body in bytes, None when it was not noted."""
    request_id: str | None = None
    """None when the answer was lost."""


class AuditVerdict(StrEnum):
    """How an audit entry and our record agree."""

    MATCH = "match"
    MISMATCH = "mismatch"
    UNVERIFIABLE = "unverifiable"
    """The service's digests are made in a way that is unknown here."""
    UNKNOWN = "unknown"
    """The service lists a request that this device has no record of."""
    MISSING = "missing"
    """This device has a record of a request that the service does not list."""


UNKNOWN_ADVICE: Final = (
    "somebody else may hold the session's token; or it was sent by another device, from another"
    " spool (--spool-dir, --results), or before its records ended (spool.record_s)"
)
_ANSWERED: Final = (
    "it was answered, and the audit does not list it: something between may have answered in the"
    " service's place"
)
_UNANSWERED: Final = "no answer was seen: it may never have arrived"


@dataclass(frozen=True, slots=True)
class Check:
    """One comparison."""

    verdict: AuditVerdict
    detail: str
    entry: AuditEntry | None = None
    sent: Sent | None = None

    @property
    def alarming(self) -> bool:
        """Something happened to the session that this device did not do."""
        if self.verdict is AuditVerdict.MISSING:
            return self.sent is not None and self.sent.request_id is not None
        return self.verdict in {AuditVerdict.MISMATCH, AuditVerdict.UNKNOWN}

    def to_json(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {
            "verdict": str(self.verdict),
            "detail": self.detail,
            "entry": None if self.entry is None else self.entry.id,
            "requestId": (self.entry and self.entry.request_id)
            or (self.sent and self.sent.request_id),
            "clientRequestId": self.sent and self.sent.client_request_id,
            "digest": self.entry and self.entry.digest,
            "sentDigest": self.sent and self.sent.digest,
        }


def verify(entries: Iterable[AuditEntry], sent: Sequence[Sent], scheme: str | None) -> list[Check]:
    """Compare each entry about a detection with what this device sent.

    Parameters
    ----------
    entries : the whole audit of a session.
    sent : what this device sent to that session.
    scheme : how the service makes its digests, None when unknown: then nothing is a match.
    """
    checks: list[Check] = []
    unpaired: list[AuditEntry] = []
    found: set[str] = set()
    for entry in entries:
        if not entry.is_detection:
            continue
        pair = _pair(entry, sent)
        if pair is None:
            unpaired.append(entry)
        else:
            found.add(pair.client_request_id)
            checks.append(_compared(entry, pair, scheme))
    unseen = [one for one in sent if one.client_request_id not in found]
    altered = _altered(unpaired, unseen, scheme)
    if altered is not None:
        return [*checks, altered]
    checks += [Check(AuditVerdict.UNKNOWN, UNKNOWN_ADVICE, entry) for entry in unpaired]
    checks += [Check(AuditVerdict.MISSING, _why_missing(one), sent=one) for one in unseen]
    return checks


def _altered(
    unpaired: Sequence[AuditEntry], unseen: Sequence[Sent], scheme: str | None
) -> Check | None:
    """Compare the only entry with the only request left: altered under way, ids and all.

    Where nothing else can be compared, ids that both sides know and that differ say that these
    are two requests.
    """
    if len(unseen) != 1 or len(unpaired) != 1:
        return None
    check = _compared(unpaired[0], unseen[0], scheme)
    known = unpaired[0].request_id and unseen[0].request_id
    return None if check.verdict is AuditVerdict.UNVERIFIABLE and known else check


def _why_missing(sent: Sent) -> str:
    return _UNANSWERED if sent.request_id is None else _ANSWERED


def _pair(entry: AuditEntry, sent: Sequence[Sent]) -> Sent | None:
    by_request = [s for s in sent if s.request_id and s.request_id == entry.request_id]
    by_client = [
        s
        for s in sent
        if entry.client_request_id
        and s.client_request_id.casefold() == entry.client_request_id.casefold()
    ]
    by_digest = [s for s in sent if entry.digest and same_digest(s.digest, entry.digest)]
    return next(iter(by_request + by_client + by_digest), None)


def _compared(entry: AuditEntry, sent: Sent, scheme: str | None) -> Check:
    known = entry.content_length is not None and sent.size is not None
    if known and entry.content_length != sent.size:
        detail = f"sent {sent.size} bytes, the service received {entry.content_length}"
        return Check(AuditVerdict.MISMATCH, detail, entry, sent)
    if scheme is None or scheme != sent.digest_scheme:
        detail = "the service's digest scheme is unknown"
        return Check(AuditVerdict.UNVERIFIABLE, detail, entry, sent)
    if entry.digest is None:
        return Check(AuditVerdict.UNVERIFIABLE, "the entry holds no digest", entry, sent)
    if same_digest(sent.digest, entry.digest):
        return Check(AuditVerdict.MATCH, f"{scheme} digests are equal", entry, sent)
    return Check(AuditVerdict.MISMATCH, f"{scheme} digests differ", entry, sent)


CSV_COLUMNS: Final = (
    "id",
    "session_id",
    "request_id",
    "client_request_id",
    "received",
    "method",
    "url",
    "content_length",
    "content_type",
    "user_agent",
    "status",
    "latency_ms",
    "decision",
    "model_version",
    "digest",
    "verdict",
    "detail",
)


def to_csv(
    entries: Iterable[AuditEntry],
    checks: Sequence[Check] = (),
    references: Mapping[str, str] | None = None,
) -> str:
    """Return entries, and requests the audit lacks, as CSV that no spreadsheet executes.

    ``references`` (request id or client request id -> the sender's own name) adds a column.
    """
    by_entry = {id(check.entry): check for check in checks if check.entry is not None}
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    named = references or {}
    more = ("reference",) if named else ()
    writer.writerow((*CSV_COLUMNS, *more))
    for entry in entries:
        check = by_entry.get(id(entry))
        ids = (entry.client_request_id or "", entry.request_id or "")
        reference = next((named[one] for one in ids if one in named), "")
        cells = [*_row(entry, check), reference][: len(CSV_COLUMNS) + len(more)]
        writer.writerow([csv_cell(value) for value in cells])
    for check in checks:
        if check.entry is None and check.sent is not None:
            row = dict.fromkeys(CSV_COLUMNS, "") | {
                "request_id": check.sent.request_id,
                "client_request_id": check.sent.client_request_id,
                "content_length": check.sent.size,
                "digest": check.sent.digest,
                "verdict": check.verdict,
                "detail": check.detail,
            }
            writer.writerow([csv_cell(value) for value in row.values()])
    return text.getvalue()


def _row(entry: AuditEntry, check: Check | None) -> list[Any]:
    decision = entry.decision
    named = {
        "decision": decision and decision.decision,
        "model_version": decision and decision.model_version,
        "verdict": check and check.verdict,
        "detail": check and check.detail,
    }
    return [named[c] if c in named else getattr(entry, c) for c in CSV_COLUMNS]
