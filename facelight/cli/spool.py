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
    with _observed(spool_dir, config) as spool:
        items = list(itertools.islice(spool.listing(states), limit))
        totals, age_s = spool.totals(), spool.oldest_age_s()
        pause_s, named = spool.pause()
        now_s = spool.time.now_s()
    if as_json:
        told = {
            "waiting": totals.items,
            "bytes": totals.bytes,
            "oldest_s": round(age_s),
            "pause_s": round(pause_s),
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
    """Deliver now, held items too; exit 4 when something stays undelivered, 1 when refused.

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
    with _observed(spool_dir, config):
        pass  # no spool is made where there is none
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
    with _observed(spool_dir, config) as spool:
        chosen = _ids(spool, ids) if ids else None
        count = spool.totals().items if chosen is None else len(chosen)
        if not yes:
            typer.confirm(f"Destroy {count} undelivered sessions for good?", abort=True)
        typer.echo(f"destroyed {spool.purge(chosen)}")


def _observed(spool_dir: Path | None, config: Path | None) -> Spool:
    from facelight.config.settings import load_settings
    from facelight.config.settings import spool_dir as place_of
    from uploader.spool.opening import observe_spool

    return observe_spool(place_of(load_settings({"spool_dir": spool_dir}, config).settings))


def _deliver(settings: Settings, ids: list[str] | None) -> tuple[int, int]:
    """Deliver as the owner of the spool; return how many items stay and how many were refused."""
    import logging

    from facelight.config.settings import spool_dir as place_of
    from uploader.spool.delivery import DeliveryWorker, EventKind
    from uploader.spool.opening import open_spool

    refused = 0

    def listener(event: Event) -> None:
        nonlocal refused
        refused += event.kind in {EventKind.REFUSED, EventKind.LOST, EventKind.EXPIRED}
        _tell(event)

    # Every attempt is told on the output; without a log set up it would be on stderr again.
    logging.getLogger("uploader").addHandler(logging.NullHandler())
    opening = open_spool(place_of(settings), settings.spool, key_file=settings.device_key_file)
    with _client(settings) as client, opening as spool:
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

    where = endpoint(settings.endpoint, settings.region)
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
        typer.echo(f"{event.kind}: {event.count}")
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
