"""``facelight tune``: labelled material in, thresholds with their evidence out."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeAlias

import typer

if TYPE_CHECKING:
    from facelight.commands.tune_thresholds import Tuned

NOTES = 10
RULES: Final = "How limits are chosen"


class JointMethod(StrEnum):
    """How the promise is kept for all limits together."""

    EVIDENCE = "evidence"
    BONFERRONI = "bonferroni"
    NONE = "none"


Labels: TypeAlias = Annotated[
    Path | None, typer.Argument(help="labels.csv: path,subject,label,reason[,group].")
]
Out: TypeAlias = Annotated[Path, typer.Option(help="Thresholds for process and kiosk.")]
Report: TypeAlias = Annotated[
    Path | None, typer.Option(help="HTML report; its figures go beside it as CSV.")
]
Results: TypeAlias = Annotated[
    list[Path] | None,
    typer.Option(help="Folder of processed, delivered sessions; may be repeated."),
]
Subjects: TypeAlias = Annotated[
    Path | None, typer.Option(help="CSV name,subject[,group] for --results.")
]
TargetFrr: TypeAlias = Annotated[
    float, typer.Option(help="Share of good frames that may be rejected.", rich_help_panel=RULES)
]
HighestRate: TypeAlias = Annotated[
    float,
    typer.Option(
        help="Write nothing if the rate on held-out people may be higher.", rich_help_panel=RULES
    ),
]
Joint: TypeAlias = Annotated[
    JointMethod,
    typer.Option(help="Promise for all limits together, or each alone.", rich_help_panel=RULES),
]
Relax: TypeAlias = Annotated[
    bool,
    typer.Option(
        help="Go back towards defaults where that lets nothing bad pass.", rich_help_panel=RULES
    ),
]
Keep: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(help="Measure whose limit stays; may be repeated.", rich_help_panel=RULES),
]
Holdout: TypeAlias = Annotated[
    float, typer.Option(help="Share of subjects that judge.", rich_help_panel=RULES)
]
Confidence: TypeAlias = Annotated[
    float, typer.Option(help="Of every interval.", rich_help_panel=RULES)
]
Seed: TypeAlias = Annotated[
    int, typer.Option(min=0, help="Of split and bootstrap.", rich_help_panel=RULES)
]
Thumbnails: TypeAlias = Annotated[
    bool, typer.Option(help="Small pictures in the report, blurred until clicked.")
]
Cache: TypeAlias = Annotated[Path | None, typer.Option(help="Folder that keeps measures.")]
Workers: TypeAlias = Annotated[int | None, typer.Option(help="Worker processes.")]
Force: TypeAlias = Annotated[bool, typer.Option("--force", help="Replace what is there.")]
Config: TypeAlias = Annotated[Path | None, typer.Option(help="Settings file.")]


def tune(
    labels: Labels = None,
    out: Out = Path("thresholds.toml"),
    report: Report = None,
    results: Results = None,
    subjects: Subjects = None,
    target_frr: TargetFrr = 0.05,
    limit: HighestRate = 0.2,
    joint: Joint = JointMethod.EVIDENCE,
    relax: Relax = True,
    keep: Keep = None,
    holdout: Holdout = 0.3,
    confidence: Confidence = 0.95,
    seed: Seed = 0,
    thumbnails: Thumbnails = True,
    cache: Cache = None,
    workers: Workers = None,
    force: Force = False,
    config: Config = None,
) -> None:
    """Tune the gate's thresholds on labelled material, and report what they cost."""
    from pydantic import ValidationError

    from calibration.errors import TuningError
    from calibration.tuning.options import Joint as Promise
    from calibration.tuning.options import TuneOptions
    from facelight.commands.tune_text import TuningBar
    from facelight.commands.tune_thresholds import TuneRequest, tune_all
    from facelight.config.sections import problem_of
    from facelight.config.settings import load_settings
    from facelight.errors import SettingsError

    given: dict[str, Any] = {
        "target_frr": target_frr, "limit": limit, "relax": relax, "holdout": holdout,
        "confidence": confidence, "seed": seed,
    }  # fmt: skip
    try:
        options = TuneOptions(joint=Promise(joint.value), keep=frozenset(keep or []), **given)
    except ValidationError as error:
        (key, *_), problem = problem_of(error, TuneOptions)
        raise SettingsError(f"--{key.replace('_', '-')}: {problem}") from error
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
    _show(done)
    if done.tuning.refused:
        typer.echo(f"error: {out} is not written: {done.tuning.refused}", err=True)
        raise typer.Exit(1)


def _show(done: Tuned) -> None:
    """Print what was seen on the way, the limits, and the files."""
    from facelight.commands.tune_text import lines

    for note in done.notes[:NOTES]:
        typer.echo(f"note: {note}", err=True)
    if len(done.notes) > NOTES:
        typer.echo(f"note: and {len(done.notes) - NOTES} more", err=True)
    for line in lines(done.tuning):
        typer.echo(line)
    for path in done.written:
        typer.echo(f"wrote {path}")
