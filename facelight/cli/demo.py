"""``facelight demo``: one whole session with no camera, no screen and no account."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer


class DemoPerson(StrEnum):
    """Who stands before the simulated camera."""

    REAL = "real"
    REPLAY = "replay"
    PRINT = "print"
    UNLIT = "unlit"
    LYING_CLOCK = "lying-clock"
    TWO = "two"
    NONE = "none"


def demo(
    person: Annotated[
        DemoPerson, typer.Option(help="Who stands before the camera.")
    ] = DemoPerson.REAL,
    out: Annotated[Path, typer.Option(help="Directory for the artefacts.")] = Path(
        "facelight-demo"
    ),
    sim: Annotated[
        str, typer.Option(help="More of the simulator's options, as in sim:skin=8,distance=70cm.")
    ] = "sim:",
    seed: Annotated[int, typer.Option(min=0, help="Identity, motion and noise.")] = 0,
    quiet: Annotated[bool, typer.Option("--quiet", help="Only the last lines.")] = False,
    config: Annotated[Path | None, typer.Option(help="Settings file.")] = None,
) -> None:
    """Run one simulated session against a local service and write its report."""
    from capture.simulator.sim_spec import parse_spec
    from facelight.commands.demo_session import run_demo
    from facelight.config.settings import load_settings

    separator = "" if sim.endswith(":") else ","
    options = parse_spec(f"{sim}{separator}person={person.value},seed={seed}")

    def told(name: str, values: dict[str, Any]) -> None:
        if not quiet:
            typer.echo("  " + " ".join([name, *(f"{k}={v}" for k, v in values.items())]), err=True)

    typer.echo("simulated person, simulated camera, local service: no accuracy claim", err=True)
    done = run_demo(options, load_settings(config=config).settings, out, told)
    outcome = done.result.outcome
    decision = outcome.decision if outcome else None
    error = outcome.error if outcome else None
    typer.echo(f"decision: {decision or (error and error.message) or 'none'}")
    for name, seconds in done.timings_s.items():
        typer.echo(f"{name}: {seconds:.1f} s")
    typer.echo(f"report: {done.folder / 'report.html'}")
    raise typer.Exit(0 if decision else 1)
