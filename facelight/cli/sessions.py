"""``facelight sessions``: what an application server does with sessions, by hand."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from uploader.api.sessions import CreatedSession, SessionsClient
    from uploader.http.credentials import SubscriptionKey
    from uploader.http.endpoint import Endpoint
    from uploader.http.exchange import HttpOptions

app = typer.Typer(no_args_is_help=True, help="Create, show, list and delete sessions.")

EndpointOption = Annotated[str | None, typer.Option(help="URL of the service.")]
RegionOption = Annotated[str | None, typer.Option(help="Region of the service, instead.")]
KeyFileOption = Annotated[Path | None, typer.Option(help="File that holds the key.")]
ConfigOption = Annotated[Path | None, typer.Option(help="Settings file.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


class Mode(StrEnum):
    """How the session is to be operated."""

    PASSIVE = "Passive"
    PASSIVE_ACTIVE = "PassiveActive"


@app.command()
def create(
    mode: Annotated[Mode, typer.Option(case_sensitive=False, help="How it is operated.")] = (
        Mode.PASSIVE
    ),
    send_results: Annotated[
        bool,
        typer.Option("--send-results", help="Give the decision to the kiosk too, not just here."),
    ] = False,
    device_id: Annotated[
        str | None, typer.Option(help="Device correlation id, up to 64 characters; default random.")
    ] = None,
    device_id_in_client: Annotated[
        bool, typer.Option("--device-id-in-client", help="The client sets the id instead.")
    ] = False,
    token_life: Annotated[int, typer.Option(help="Life of the token in s, 60 to 86400.")] = 600,
    save_token: Annotated[
        Path | None, typer.Option(help="File for session id and token; for --token-file.")
    ] = None,
    show_token: Annotated[bool, typer.Option("--show-token", help="Print the token.")] = False,
    as_json: JsonOption = False,
    endpoint: EndpointOption = None,
    region: RegionOption = None,
    key_file: KeyFileOption = None,
    config: ConfigOption = None,
) -> None:
    """Make a session; its token goes to a file or, when asked for, to the output."""
    import uuid

    from uploader.api.sessions import SessionRequest

    if save_token is None and not show_token:
        raise typer.BadParameter("give --save-token FILE or --show-token: it is told only once")
    request = SessionRequest(
        mode=mode.value,
        send_results_to_client=send_results,
        device_correlation_id=None if device_id_in_client else device_id or str(uuid.uuid4()),
        device_correlation_id_set_in_client=device_id_in_client,
        token_life_s=token_life,
    )
    with _client(endpoint, region, key_file, config) as client:
        made = client.create(request)
    if save_token is not None:
        _save(made, save_token)
    told: dict[str, Any] = {"sessionId": made.session_id, "expires": made.expires.isoformat()}
    if show_token:
        told["authToken"] = made.token.reveal()
    _print(told, as_json=as_json)


@app.command()
def show(
    session: Annotated[str, typer.Argument(help="Session id.")],
    as_json: JsonOption = False,
    endpoint: EndpointOption = None,
    region: RegionOption = None,
    key_file: KeyFileOption = None,
    config: ConfigOption = None,
) -> None:
    """Show a session and its result."""
    with _client(endpoint, region, key_file, config) as client:
        found = client.get(session)
    told = found.to_json()
    decision = found.result.decision if found.result else None
    if not as_json and "result" in told:
        told["result"] = "no decision" if decision is None else decision.raw_decision
    _print(told, as_json=as_json)


@app.command("list")
def list_(
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 1000,
    as_json: JsonOption = False,
    endpoint: EndpointOption = None,
    region: RegionOption = None,
    key_file: KeyFileOption = None,
    config: ConfigOption = None,
) -> None:
    """List sessions in the order of their ids."""
    import itertools
    import json

    from facelight.cli.terminal_table import table

    with _client(endpoint, region, key_file, config) as client:
        found = list(itertools.islice(client.list_all(min(limit, 1000)), limit))
    if as_json:
        typer.echo(json.dumps([one.to_json() for one in found], indent=1))
        return
    head = ("SESSION", "CREATED", "STARTED", "EXPIRED", "DEVICE")
    rows = [(s.id, s.created, s.started, s.expired, s.device_correlation_id) for s in found]
    typer.echo(table(head, rows))


@app.command()
def delete(
    session: Annotated[str, typer.Argument(help="Session id.")],
    endpoint: EndpointOption = None,
    region: RegionOption = None,
    key_file: KeyFileOption = None,
    config: ConfigOption = None,
) -> None:
    """Delete a session; its token stops working."""
    with _client(endpoint, region, key_file, config) as client:
        client.delete(session)
    typer.echo(f"deleted {session}")


def service_of(
    endpoint: str | None, region: str | None, key_file: Path | None, config: Path | None
) -> tuple[Endpoint, SubscriptionKey, HttpOptions]:
    """Return where the service is, its key, and how to speak to it.

    Raises
    ------
    uploader.errors.UploaderError
        no endpoint, or a session's token where the key is needed.
    """
    from facelight.config.settings import load_settings
    from facelight.delivery.credentials import find_credential
    from uploader.errors import CredentialError
    from uploader.http.credentials import SubscriptionKey
    from uploader.http.endpoint import endpoint as one_endpoint

    flags = {"endpoint": endpoint, "region": region, "key_file": key_file}
    settings = load_settings(flags, config).settings
    where = one_endpoint(settings.endpoint, settings.region, settings.api_path)
    key = find_credential(settings, where.url)
    if not isinstance(key, SubscriptionKey):
        raise CredentialError(
            "a session's token is set; sessions and audits need the key",
            advice="set FACELIGHT_KEY or --key-file, and no token",
        )
    return where, key, settings.http


def _client(
    endpoint: str | None, region: str | None, key_file: Path | None, config: Path | None
) -> SessionsClient:
    from uploader.api.sessions import SessionsClient

    where, key, options = service_of(endpoint, region, key_file, config)
    return SessionsClient(where, key, options)


def _save(made: CreatedSession, path: Path) -> None:
    """Write id and token to a new file that only the owner can read."""
    import json
    import os

    from facelight.errors import OutputError

    told = {
        "sessionId": made.session_id,
        "authToken": made.token.reveal(),
        "expires": made.expires.isoformat(),
    }
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            json.dump(told, file)
    except OSError as error:
        raise OutputError(f"{path}: the token cannot be saved: {error.strerror}") from error


def _print(told: dict[str, Any], *, as_json: bool) -> None:
    import json

    from facelight.cli.terminal_table import fields

    typer.echo(json.dumps(told, indent=1) if as_json else fields(_flat(told)))


def _flat(told: dict[str, Any]) -> Iterator[tuple[str, object]]:
    return ((name, value) for name, value in told.items())
