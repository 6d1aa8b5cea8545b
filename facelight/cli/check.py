"""``facelight check``: the settings in force with their origin, and what a session needs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def check(
    config: Annotated[Path | None, typer.Option(help="Settings file.")] = None,
    endpoint: Annotated[str | None, typer.Option(help="URL of the service.")] = None,
    region: Annotated[str | None, typer.Option(help="Region of the service, instead.")] = None,
    changed: Annotated[
        bool, typer.Option("--changed", help="Only settings that are not the default.")
    ] = False,
) -> None:
    """Print every setting with its origin, then check packages, disk, clock and service."""
    from facelight.commands.doctor import CheckState, examine
    from facelight.config.settings import load_settings

    loaded = load_settings({"endpoint": endpoint, "region": region}, config)
    for key, value, origin in loaded.rows():
        if not changed or origin != "default":
            typer.echo(f"{key} = {value}  ({origin})")
    typer.echo("")
    failed = False
    for finding in examine(loaded.settings, Path()):
        failed |= finding.state is CheckState.FAIL
        typer.echo(f"{finding.state.value:4}  {finding.name}: {finding.detail}")
    raise typer.Exit(1 if failed else 0)
