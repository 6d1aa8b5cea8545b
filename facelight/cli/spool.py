"""``facelight spool``: what waits for delivery on this device."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from facelight.cli.sessions import (
    ConfigOption,
    EndpointOption,
    JsonOption,
    KeyFileOption,
    RegionOption,
)

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from facelight.config.settings import Settings
    from uploader.api.detect import DetectClient
    from uploader.spool.delivery import Event
    from uploader.spool.spool import Spool

app = typer.Typer(no_args_is_help=True, help="List, show, flush and purge what waits here.")

SpoolOption = Annotated[Path | None, typer.Option(help="Directory of the spool.")]
Ids = Annotated[list[str] | None, typer.Argument(help="Item ids; their beginnings are enough.")]


class Which(StrEnum):
    """Items to list."""

    WAITING = "waiting"
    DONE = "done"
    ALL = "all"


@app.command("list")
def list_(
    which: Annotated[Which, typer.Option(help="Waiting, done, or all.")] = Which.WAITING,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the first ones.")] = 1000,
    as_json: JsonOption = False,
    spool_dir: SpoolOption = None,
    config: ConfigOption = None,
) -> None:
    """List what waits, in the order of arrival; no key is needed."""
    import itertools
    import json

    from facelight.cli.terminal_table import table
    from uploader.spool.item import KEPT, ItemState

    done = [state for state in ItemState if state not in KEPT]
    states = [*(done if which is Which.DONE else KEPT), *(done if which is Which.ALL else [])]
    _adopt_without_rows(spool_dir, config)
    with _observed(spool_dir, config) as spool:
        items = list(itertools.islice(spool.listing(states), limit))
        totals, age_s = spool.totals(), spool.oldest_age_s()
        pause_s, named = spool.pause()
        now_s = spool.time.now_s()
        damaged = spool.damaged_rows()
    if as_json:
        told = {
            "waiting": totals.items,
            "bytes": totals.bytes,
            "oldest_s": round(age_s),
            "pause_s": round(pause_s),
            "damaged_records": damaged,
            "items": [item._asdict() for item in items],
        }
        typer.echo(json.dumps(told, indent=1))
        return
    head = ("ITEM", "STATE", "CREATED", "BYTES", "ATTEMPTS", "DUE", "ERROR", "STATUS", "DECISION")
    rows = [
        (
            item.id[:12],
            item.state,
            item.created,
            item.size,
            item.attempts,
            _due(item.due_s - now_s) if item.state == ItemState.QUEUED else None,
            item.error_code,
            item.status,
            item.decision,
        )
        for item in items
    ]
    typer.echo(table(head, rows))
    paused = f", paused for {_due(pause_s)}" if pause_s > 0 else ""
    by = " by the service" if paused and named else ""
    typer.echo(
        f"{totals.items} waiting, {totals.bytes} bytes, oldest {_due(age_s)}{paused}{by}", err=True
    )
    if damaged:
        typer.echo(f"{damaged} records are damaged: facelight spool repair", err=True)


@app.command()
def show(
    item: Annotated[str, typer.Argument(help="Item id, or its beginning.")],
    as_json: JsonOption = False,
    spool_dir: SpoolOption = None,
    config: ConfigOption = None,
) -> None:
    """Show everything known of one item; never its content."""
    import json

    from facelight.cli.terminal_table import fields

    with _observed(spool_dir, config) as spool:
        found = spool.item(_ids(spool, [item])[0])
    told: dict[str, Any] = {
        name: value for name, value in found._asdict().items() if value is not None
    }
    typer.echo(json.dumps(told, indent=1) if as_json else fields(told.items()))


@app.command()
def flush(
    ids: Ids = None,
    endpoint: EndpointOption = None,
    region: RegionOption = None,
    key_file: KeyFileOption = None,
    spool_dir: SpoolOption = None,
    allow_simulated: Annotated[
        bool, typer.Option("--allow-simulated", help="Send simulated sessions anywhere.")
    ] = False,
    config: ConfigOption = None,
) -> None:
    """Deliver now, held items too; exit 4 when something stays undelivered, 1 when lost or refused.

    While a kiosk delivers from the spool, its items are made due and the kiosk sends them.
    """
    from facelight.config.settings import load_settings
    from facelight.errors import Exit
    from uploader.errors import SpoolBusyError

    flags = {
        "endpoint": endpoint,
        "region": region,
        "key_file": key_file,
        "spool_dir": spool_dir,
        "allow_simulated": allow_simulated or None,
    }
    settings = load_settings(flags, config).settings
    _there(settings)  # no spool is made where there is none
    try:
        left, refused = _deliver(settings, ids)
    except SpoolBusyError as busy:
        with _observed(spool_dir, config) as spool:
            queued = spool.rearm(_ids(spool, ids) if ids else None)
        typer.echo(f"{busy}: {queued} items are due there within a minute")
        return
    if left:
        typer.echo(f"{left} undelivered; they are kept", err=True)
        raise typer.Exit(int(Exit.NOT_DELIVERED))
    if refused:
        raise typer.Exit(int(Exit.FAILED))


@app.command()
def purge(
    ids: Ids = None,
    everything: Annotated[bool, typer.Option("--all", help="Everything that waits.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    spool_dir: SpoolOption = None,
    config: ConfigOption = None,
) -> None:
    """Destroy undelivered content for good; ids, times and digests stay. No key is needed."""
    if bool(ids) == everything:
        raise typer.BadParameter("give item ids, or --all")
    from facelight.config.settings import load_settings
    from facelight.config.settings import spool_dir as place_of
    from uploader.spool.opening import lacks_rows
    from uploader.spool.repair import purge_sealed

    place = place_of(load_settings({"spool_dir": spool_dir}, config).settings)
    if everything and lacks_rows(place):
        if not yes:
            typer.confirm("Destroy every sealed session for good?", abort=True)
        typer.echo(f"destroyed {purge_sealed(place)}")
        return
    with _observed(spool_dir, config) as spool:
        chosen = _ids(spool, ids) if ids else None
        count = spool.totals().items if chosen is None else len(chosen)
        if not yes:
            typer.confirm(f"Destroy {count} undelivered sessions for good?", abort=True)
        typer.echo(f"destroyed {spool.purge(chosen)}")


@app.command()
def repair(
    as_json: JsonOption = False,
    spool_dir: SpoolOption = None,
    config: ConfigOption = None,
) -> None:
    """Put a damaged spool right and say what was found; nothing is deleted, nothing is sent.

    A database that cannot be read is moved away and made anew from the sealed files; damaged
    records are mended; files that were set aside are tried again.
    """
    import json

    from facelight.config.settings import load_settings
    from facelight.config.settings import spool_dir as place_of
    from facelight.errors import Exit
    from uploader.spool.repair import repair_spool

    settings = load_settings({"spool_dir": spool_dir}, config).settings
    found = repair_spool(place_of(settings), settings.spool, key_file=settings.device_key_file)
    recovery = found.recovery
    counts = {
        "adopted": recovery.adopted,
        "brought_back": found.brought_back,
        "mended": recovery.mended,
        "lost": recovery.lost,
        "set_aside": found.still_damaged,
        "unreadable": recovery.unreadable,
    }
    moved = found.old_database
    if as_json:
        told = {"old_database": None if moved is None else str(moved), **counts}
        typer.echo(json.dumps(told, indent=1))
    else:
        typer.echo(f"database: unreadable, moved to {moved}" if moved else "database: sound")
        for name, count in counts.items():
            typer.echo(f"{_REPAIRS[name]}: {count}")
    if counts["lost"] or counts["set_aside"] or counts["unreadable"]:
        raise typer.Exit(int(Exit.FAILED))


_REPAIRS = {
    "adopted": "sealed files without a record, queued",
    "brought_back": "files that had been set aside and open after all, queued",
    "mended": "damaged records, mended",
    "lost": "records whose file is gone, lost",
    "set_aside": "damaged or foreign files, kept as *.damaged",
    "unreadable": "files that the disk does not give now, left as they are",
}


@app.command("trust-clock")
def trust_clock(
    spool_dir: SpoolOption = None,
    config: ConfigOption = None,
) -> None:
    """Vouch for this machine's clock: what is older than the retention is destroyed.

    While a device is off only its clock knows how long; a clock can be wrong, so nothing
    undelivered is destroyed by its word alone.
    """
    from facelight.config.settings import load_settings

    settings = load_settings({"spool_dir": spool_dir}, config).settings
    _there(settings)
    with _opened(settings) as spool:
        spool.trust_clock()
        typer.echo(f"destroyed {spool.maintain()} that were older than the retention")


def _opened(settings: Settings) -> AbstractContextManager[Spool]:
    """Open as the one process that delivers."""
    from facelight.config.settings import spool_dir as place_of
    from uploader.spool.opening import open_spool

    return open_spool(place_of(settings), settings.spool, key_file=settings.device_key_file)


def _there(settings: Settings) -> None:
    """Raise `SpoolError` where no spool is."""
    from facelight.config.settings import spool_dir as place_of
    from uploader.errors import SpoolError
    from uploader.spool.opening import is_spool

    if not is_spool(place_of(settings)):
        raise SpoolError(f"{place_of(settings)}: no spool is here")


def _adopt_without_rows(spool_dir: Path | None, config: Path | None) -> None:
    """Adopt the sealed files of a spool whose database was moved away; says so."""
    from facelight.config.settings import load_settings
    from facelight.config.settings import spool_dir as place_of
    from uploader.spool.opening import lacks_rows

    settings = load_settings({"spool_dir": spool_dir}, config).settings
    if lacks_rows(place_of(settings)):
        with _opened(settings) as spool:
            typer.echo(f"{spool.recovery.adopted} sealed files adopted", err=True)


def _observed(spool_dir: Path | None, config: Path | None) -> Spool:
    from facelight.config.settings import load_settings
    from facelight.config.settings import spool_dir as place_of
    from uploader.spool.opening import observe_spool

    return observe_spool(place_of(load_settings({"spool_dir": spool_dir}, config).settings))


def _deliver(settings: Settings, ids: list[str] | None) -> tuple[int, int]:
    """Deliver as the owner of the spool; return how many items stay and how many were refused."""
    import logging

    from uploader.spool.delivery import DeliveryWorker, EventKind

    refused = 0

    def listener(event: Event) -> None:
        nonlocal refused
        if event.kind in {EventKind.REFUSED, EventKind.LOST, EventKind.EXPIRED, EventKind.DISK}:
            refused += event.count
        _tell(event)

    # Every attempt is told on the output; without a log set up it would be on stderr again.
    logging.getLogger("uploader").addHandler(logging.NullHandler())
    with _client(settings) as client, _opened(settings) as spool:
        spool.rearm(_ids(spool, ids) if ids else None)
        worker = DeliveryWorker(spool, client, settings.retry, listener=listener)
        worker.drain()
        if worker.stopped is not None:
            raise worker.stopped
        return spool.totals().items, refused


def _client(settings: Settings) -> DetectClient:
    """Return the client; without any key or token, items that carry their own still go."""
    from facelight.delivery.credentials import find_credential
    from uploader.api.detect import DetectClient, DetectOptions
    from uploader.errors import CredentialError
    from uploader.http.endpoint import endpoint

    where = endpoint(settings.endpoint, settings.region, settings.api_path)
    try:
        credential = find_credential(settings, where.url)
    except CredentialError as error:
        if error.code != "credential_missing":
            raise
        credential = None
    options = DetectOptions(
        http=settings.http,
        model_version=settings.model_version,
        allow_simulated=settings.allow_simulated,
    )
    return DetectClient(where, credential, options)


def _tell(event: Event) -> None:
    """Say one line about each attempt."""
    if event.item is None:
        typer.echo(f"{event.kind}: {event.count if event.error is None else event.error}")
        return
    if event.error is not None:
        told = str(event.error)
    elif event.outcome is not None and event.outcome.decision is not None:
        told = f"{event.outcome.decision} (request {event.outcome.request_id})"
    else:
        told = "taken; the result goes to the application server"
    typer.echo(f"{event.item.id[:12]} {event.kind}: {told}")


def _ids(spool: Spool, given: list[str] | None) -> list[str]:
    """Return whole ids for their beginnings; raises `ItemError` for none or several."""
    from uploader.errors import ItemError

    found = []
    for start in given or []:
        matching = spool.ledger.ids_from(start)
        if len(matching) > 1:
            raise ItemError(f"item {start}: {len(matching)} items begin so")
        found.append(matching[0] if matching else spool.item(start).id)
    return found


def _due(seconds: float) -> str:
    """Return a duration as people say it."""
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return "now" if seconds <= 0 else f"{seconds:.0f} s"
