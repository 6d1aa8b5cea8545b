"""``facelight tune``: labelled material in, thresholds with their evidence out."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

NOTES = 10


class JointMethod(StrEnum):
    """How the promise is kept for all limits together."""

    EVIDENCE = "evidence"
    BONFERRONI = "bonferroni"
    NONE = "none"


def tune(
    labels: Annotated[
        Path | None, typer.Argument(help="labels.csv: path,subject,label,reason[,group].")
    ] = None,
    out: Annotated[Path, typer.Option(help="Thresholds for process and kiosk.")] = Path(
        "thresholds.toml"
    ),
    report: Annotated[
        Path | None, typer.Option(help="HTML report; its figures go beside it as CSV.")
    ] = None,
    results: Annotated[
        list[Path] | None,
        typer.Option(help="Folder of processed, delivered sessions; may be repeated."),
    ] = None,
    subjects: Annotated[
        Path | None, typer.Option(help="CSV name,subject[,group] for --results.")
    ] = None,
    target_frr: Annotated[
        float, typer.Option(help="Share of good frames that may be rejected.")
    ] = 0.05,
    limit: Annotated[
        float, typer.Option(help="Write nothing if the rate on held-out people may be higher.")
    ] = 0.2,
    joint: Annotated[
        JointMethod, typer.Option(help="Promise for all limits together, or each alone.")
    ] = JointMethod.EVIDENCE,
    relax: Annotated[
        bool, typer.Option(help="Go back towards defaults where that lets nothing bad pass.")
    ] = True,
    keep: Annotated[
        list[str] | None, typer.Option(help="Measure whose limit stays; may be repeated.")
    ] = None,
    holdout: Annotated[float, typer.Option(help="Share of subjects that judge.")] = 0.3,
    confidence: Annotated[float, typer.Option(help="Of every interval.")] = 0.95,
    seed: Annotated[int, typer.Option(min=0, help="Of split and bootstrap.")] = 0,
    thumbnails: Annotated[
        bool, typer.Option(help="Small pictures in the report, blurred until clicked.")
    ] = True,
    cache: Annotated[Path | None, typer.Option(help="Folder that keeps measures.")] = None,
    workers: Annotated[int | None, typer.Option(help="Worker processes.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace what is there.")] = False,
    config: Annotated[Path | None, typer.Option(help="Settings file.")] = None,
) -> None:
    """Tune the gate's thresholds on labelled material, and report what they cost."""
    from calibration.errors import TuningError
    from calibration.tuning.options import Joint, TuneOptions
    from facelight.commands.tune_text import TuningBar, lines
    from facelight.commands.tune_thresholds import TuneRequest, tune_all
    from facelight.config.settings import load_settings
    from facelight.errors import SettingsError

    given: dict[str, Any] = {
        "target_frr": target_frr, "limit": limit, "relax": relax, "holdout": holdout,
        "confidence": confidence, "seed": seed,
    }  # fmt: skip
    try:
        options = TuneOptions(joint=Joint(joint.value), keep=frozenset(keep or []), **given)
    except TuningError as error:
        raise SettingsError(str(error)) from error
    request = TuneRequest(
        labels=labels,
        out=out,
        results=tuple(results or ()),
        subjects=subjects,
        report=report,
        cache=cache,
        force=force,
        thumbnails=thumbnails,
        workers=workers,
        options=options,
    )
    with TuningBar() as progress:
        done = tune_all(request, load_settings(config=config).settings, progress)
    for note in done.notes[:NOTES]:
        typer.echo(f"note: {note}", err=True)
    if len(done.notes) > NOTES:
        typer.echo(f"note: and {len(done.notes) - NOTES} more", err=True)
    for line in lines(done.tuning):
        typer.echo(line)
    for path in done.written:
        typer.echo(f"wrote {path}")
    if done.tuning.refused:
        typer.echo(f"error: {out} is not written: {done.tuning.refused}", err=True)
        raise typer.Exit(1)
