"""``facelight audit``: what the service says it received, compared with what was sent."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from facelight.cli.sessions import (
    ConfigOption,
    EndpointOption,
    KeyFileOption,
    RegionOption,
    service_of,
)

if TYPE_CHECKING:
    from uploader.api.audit import Check, Sent
    from uploader.api.audit_entry import AuditEntry


def audit(
    session: Annotated[str, typer.Argument(help="Session id.")],
    verify: Annotated[
        bool,
        typer.Option(
            "--verify", help="Compare with what was sent; exit 1 if altered or not sent from here."
        ),
    ] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Write CSV.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
    out: Annotated[
        Path | None, typer.Option(help="File instead of the output; with both, their stem.")
    ] = None,
    results: Annotated[
        list[Path] | None,
        typer.Option(help="Directory of `process --out`; sent besides what the spool knows."),
    ] = None,
    events: Annotated[
        list[Path] | None,
        typer.Option(help="Event lines of `kiosk --events`: names the reference of each request."),
    ] = None,
    digest_scheme: Annotated[
        str | None, typer.Option(help="How the service makes digests, if known: body-sha256.")
    ] = None,
    page_size: Annotated[int, typer.Option(min=1, max=1000, help="Entries a request.")] = 1000,
    endpoint: EndpointOption = None,
    region: RegionOption = None,
    key_file: KeyFileOption = None,
    spool_dir: Annotated[Path | None, typer.Option(help="Directory of the spool.")] = None,
    config: ConfigOption = None,
) -> None:
    """Read a session's whole audit, newest first; export or verify it."""
    from facelight.delivery.references import references_of
    from uploader.api.audit import AuditClient
    from uploader.api.audit import verify as compare
    from uploader.http.multipart import DIGEST_SCHEME

    references = references_of(events or [])
    if as_csv and as_json and out is None:
        raise typer.BadParameter("--csv and --json together need --out")
    if digest_scheme not in {None, DIGEST_SCHEME}:
        raise typer.BadParameter(f"--digest-scheme: only {DIGEST_SCHEME} is known here")
    where, key, options = service_of(endpoint, region, key_file, config)
    with AuditClient(where, key, options) as client:
        entries = list(client.entries(session, page_size))
        scheme = digest_scheme or client.digest_scheme
    checks: list[Check] = []
    if verify:
        ours = [*_spooled(spool_dir, config, session), *_processed(results or [], entries)]
        checks = compare(entries, ours, scheme)
    report = _Report(entries, checks, verify, references)
    _write(report, out, as_csv=as_csv, as_json=as_json)
    _warn(checks)
    if any(check.alarming for check in checks):
        raise typer.Exit(1)


def _warn(checks: list[Check]) -> None:
    """Say on stderr, a line a kind, what the verdicts that end with 1 may mean."""
    from collections import Counter

    counts = Counter((check.verdict, check.detail) for check in checks if check.alarming)
    for (verdict, detail), count in counts.items():
        typer.echo(f"{count} {verdict}: {detail}", err=True)
    if any(verdict == "unknown" for verdict, _ in counts):
        typer.echo("where none of that is so: facelight sessions delete SESSION", err=True)


class _Report:
    def __init__(
        self,
        entries: list[AuditEntry],
        checks: list[Check],
        verified: bool,
        references: dict[str, str],
    ) -> None:
        self.references = references
        self.entries = entries
        self.checks = checks
        self.verified = verified

    def csv(self) -> str:
        from uploader.api.audit import to_csv

        return to_csv(self.entries, self.checks, self.references)

    def json(self) -> str:
        import json

        listed: Any = [entry.to_json() | self._named(entry) for entry in self.entries]
        if self.verified:
            listed = {"entries": listed, "checks": [check.to_json() for check in self.checks]}
        return json.dumps(listed, indent=1) + "\n"

    def text(self) -> str:
        from facelight.cli.terminal_table import table

        verdicts = {id(check.entry): check for check in self.checks}
        head = ["ID", "RECEIVED", "STATUS", "MS", "BYTES", "DECISION", "REQUEST"]
        rows: list[list[object]] = [
            [
                e.id,
                e.received,
                e.status,
                e.latency_ms,
                e.content_length,
                e.decision and e.decision.decision,
                e.request_id,
            ]
            for e in self.entries
        ]
        if self.references:
            head.append("REFERENCE")
            for row, entry in zip(rows, self.entries, strict=True):
                row.append(self._named(entry).get("reference"))
        if self.verified:
            head += ["VERDICT", "DETAIL"]
            for row, entry in zip(rows, self.entries, strict=True):
                check = verdicts.get(id(entry))
                row += [check and check.verdict, check and check.detail]
            missing = [c for c in self.checks if c.entry is None and c.sent is not None]
            rows += [self._unlisted(c) for c in missing]
        return table(head, rows) + "\n"

    def _named(self, entry: AuditEntry) -> dict[str, str]:
        """Return the reference of an entry, if the kiosk's events name one."""
        ids = (entry.client_request_id, entry.request_id)
        known = [self.references[one] for one in ids if one in self.references]
        return {"reference": known[0]} if known else {}

    def _unlisted(self, check: Check) -> list[object]:
        """Return the row of a request that the audit lacks."""
        sent = check.sent
        ids = (sent.size, None, sent.request_id) if sent is not None else (None, None, None)
        named = [self.references.get(sent.client_request_id)] if self.references and sent else []
        return [None, None, None, None, *ids, *named, check.verdict, check.detail]


def _write(report: _Report, out: Path | None, *, as_csv: bool, as_json: bool) -> None:
    made = {".csv": report.csv} if as_csv else {}
    made |= {".json": report.json} if as_json else {}
    if not made:
        made = {"": report.text}
    for ending, make in made.items():
        if out is None:
            typer.echo(make(), nl=False)
        else:
            path = out if len(made) == 1 else out.with_name(out.name + ending)
            _to_file(path, make())


def _to_file(path: Path, text: str) -> None:
    from facelight.batch.outputs import write_file

    write_file(path, text.encode("utf-8"))


def _spooled(spool_dir: Path | None, config: Path | None, session: str) -> list[Sent]:
    """Return what the spool's records say was sent to the session; nothing without a spool."""
    from facelight.config.settings import load_settings
    from facelight.config.settings import spool_dir as place_of
    from uploader.api.audit import Sent
    from uploader.spool.opening import observe_spool
    from uploader.spool.spool import DATABASE

    place = place_of(load_settings({"spool_dir": spool_dir}, config).settings)
    if spool_dir is None and not (place / DATABASE).is_file():
        return []
    with observe_spool(place) as spool:
        return [
            Sent(i.client_request_id, i.digest, i.digest_scheme, i.size, i.request_id)
            for i in spool.items(session_id=session)
            if i.attempts > 0
        ]


def _processed(folders: list[Path], entries: list[AuditEntry]) -> list[Sent]:
    """Return what ``process`` sent and this audit lists; a result names no session of its own."""
    from facelight.result import read_result
    from uploader.api.audit import Sent
    from uploader.http.multipart import DIGEST_SCHEME

    listed = {e.request_id for e in entries} | {e.client_request_id for e in entries}
    found = []
    for folder in folders:
        for path in sorted(folder.rglob("result.json")):
            result = read_result(path)
            outcome = result.outcome
            if outcome is None or not outcome.client_request_id or result.digest is None:
                continue
            client, request = outcome.client_request_id, outcome.request_id
            if ({client, request} - {None}) & listed:
                found.append(Sent(client, result.digest, DIGEST_SCHEME, None, request))
    return found
