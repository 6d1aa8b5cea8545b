"""``facelight check``: the settings in force with their origin, and what a session needs."""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from facelight.commands.findings import Finding


def check(
    config: Annotated[Path | None, typer.Option(help="Settings file.")] = None,
    endpoint: Annotated[str | None, typer.Option(help="URL of the service.")] = None,
    region: Annotated[str | None, typer.Option(help="Region of the service, instead.")] = None,
    changed: Annotated[
        bool, typer.Option("--changed", help="Only settings that are not the default.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print settings and checks as JSON.")
    ] = False,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="Any setting, as section.key=value.")
    ] = None,
) -> None:
    """Print every setting with its origin, then try what will run; each line says the cure.

    What only a kiosk needs (camera, display) is amber until the settings name a camera.
    """
    from facelight.cli.process import pairs
    from facelight.commands.check_kiosk import examine_kiosk
    from facelight.commands.doctor import examine
    from facelight.commands.findings import CheckState
    from facelight.config.settings import load_settings

    flags = {"endpoint": endpoint, "region": region}
    loaded = load_settings(flags | pairs(set_ or []), config)
    rows = [row for row in loaded.rows() if not changed or row[2] != "default"]
    wanted = any(key == "kiosk.camera" and origin != "default" for key, _, origin in loaded.rows())
    if not as_json:
        for key, value, origin in rows:
            typer.echo(f"{key} = {value}  ({origin})")
        typer.echo("")
    findings: list[Finding] = []
    for finding in chain(
        examine(loaded.settings, Path()), examine_kiosk(loaded.settings, wanted=wanted)
    ):
        findings.append(finding)
        if not as_json:
            cure = f" -> {finding.cure}" if finding.cure else ""
            typer.echo(f"{finding.state.value:5}  {finding.name}: {finding.detail}{cure}")
    if as_json:
        typer.echo(_json(rows, findings))
    raise typer.Exit(1 if any(f.state is CheckState.RED for f in findings) else 0)


def _json(rows: list[tuple[str, str, str]], findings: list[Finding]) -> str:
    import json
    from dataclasses import asdict

    settings = {key: {"value": value, "origin": origin} for key, value, origin in rows}
    return json.dumps({"settings": settings, "checks": [asdict(f) for f in findings]}, indent=1)
