"""``facelight kiosk``: a person walks up, the screen lights the face, the session is captured."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def kiosk(
    camera: Annotated[
        str | None, typer.Option(help="Index, device, id, file, http://.../stream.mjpg or sim:...")
    ] = None,
    endpoint: Annotated[str | None, typer.Option(help="URL of the service.")] = None,
    region: Annotated[str | None, typer.Option(help="Region of the service, instead.")] = None,
    key_file: Annotated[Path | None, typer.Option(help="File that holds the key.")] = None,
    token_file: Annotated[Path | None, typer.Option(help="File that holds the token.")] = None,
    once: Annotated[bool, typer.Option("--once", help="End after one session.")] = False,
    exit_by_decision: Annotated[
        bool, typer.Option("--exit-by-decision", help="With --once: 5 unless it is a real face.")
    ] = False,
    record: Annotated[
        Path | None, typer.Option(help="Keep each session here, faces in the clear.")
    ] = None,
    events: Annotated[
        bool, typer.Option("--events", help="JSON lines on stdout; see docs/kiosk.md.")
    ] = False,
    windowed: Annotated[bool, typer.Option("--windowed", help="A window, for work.")] = False,
    screen: Annotated[int | None, typer.Option(help="Display to use, from 0.")] = None,
    no_light: Annotated[
        bool, typer.Option("--no-light", help="No colours for anybody; no light information.")
    ] = False,
    language: Annotated[str | None, typer.Option(help="Code of a language, or a .toml.")] = None,
    control: Annotated[
        str | None,
        typer.Option(help="127.0.0.1:PORT or unix:PATH: programs beside it start sessions there."),
    ] = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="Start although the service cannot be reached.")
    ] = False,
    profile: Annotated[Path | None, typer.Option(help="Profile of `calibrate`.")] = None,
    thresholds: Annotated[Path | None, typer.Option(help="thresholds.toml of `tune`.")] = None,
    allow_simulated: Annotated[
        bool, typer.Option("--allow-simulated", help="Send simulated sessions anywhere.")
    ] = False,
    config: Annotated[Path | None, typer.Option(help="Settings file.")] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="Any setting, as section.key=value.")
    ] = None,
) -> None:
    """Run the kiosk until it is told to stop."""
    from facelight.cli.process import pairs
    from facelight.commands.run_kiosk import KioskRequest, leave_at_once, run_kiosk
    from facelight.config.settings import load_settings

    flags = {
        "endpoint": endpoint,
        "region": region,
        "key_file": key_file,
        "token_file": token_file,
        "allow_simulated": allow_simulated or None,
        "profile": profile,
        "thresholds_file": thresholds,
        "kiosk.camera": camera,
        "kiosk.windowed": windowed or None,
        "kiosk.display": screen,
        "kiosk.language": language,
        "kiosk.control": control,
        "session.light": False if no_light else None,
    }
    settings = load_settings(flags | pairs(set_ or []), config).settings
    asked = KioskRequest(once, events, record, offline, exit_by_decision, leave_at_once)
    raise typer.Exit(int(run_kiosk(settings, asked)))
