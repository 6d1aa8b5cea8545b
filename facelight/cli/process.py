"""``facelight process``: recorded sessions in, submissions out."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final, TypeAlias

import typer


class Container(StrEnum):
    """What is written."""

    WEBP = "webp"
    JPEG = "jpeg"
    PNG = "png"


class ImageType(StrEnum):
    """What camera took the pictures."""

    COLOR = "color"
    INFRARED = "infrared"


class Focus(StrEnum):
    """Which images carry the face rectangle."""

    EVERY = "every"
    FIRST = "first"
    NONE = "none"


CLIP: Final = "Clip"
DELIVERY: Final = "Delivery"
WORK: Final = "Workers"

Inputs: TypeAlias = Annotated[
    list[str], typer.Argument(help="Videos, .flrec, folders, wildcards, @list.txt, URLs.")
]
Out: TypeAlias = Annotated[
    str, typer.Option(help="Directory for the results, or a URL as s3://bucket/prefix, az://.")
]
Resume: TypeAlias = Annotated[
    bool,
    typer.Option("--resume", help="Keep what is done with this input and settings; redo errors."),
]
FailOnReject: TypeAlias = Annotated[
    bool, typer.Option("--fail-on-reject", help="Exit 3 when the gate rejects a session.")
]
Thumbnails: TypeAlias = Annotated[
    bool, typer.Option(help="Faces as small pictures in index.html and in each folder.")
]
ThresholdsFile: TypeAlias = Annotated[Path | None, typer.Option(help="thresholds.toml of `tune`.")]
ProfileFile: TypeAlias = Annotated[Path | None, typer.Option(help="Profile of `calibrate`.")]
Config: TypeAlias = Annotated[Path | None, typer.Option(help="Settings file.")]
Set: TypeAlias = Annotated[
    list[str] | None, typer.Option("--set", help="Any setting, as section.key=value.")
]

ClipContainer: TypeAlias = Annotated[
    Container | None, typer.Option(help="Animated WebP or images.", rich_help_panel=CLIP)
]
ClipFocus: TypeAlias = Annotated[
    Focus | None, typer.Option(help="Rectangle on which images.", rich_help_panel=CLIP)
]
ClipImageType: TypeAlias = Annotated[
    ImageType | None,
    typer.Option(help="Infrared: no light labels, no colour measures.", rich_help_panel=CLIP),
]
TargetBytes: TypeAlias = Annotated[
    int | None, typer.Option(help="Largest container size.", rich_help_panel=CLIP)
]

Submit: TypeAlias = Annotated[
    bool, typer.Option("--submit", help="Send each accepted session.", rich_help_panel=DELIVERY)
]
Endpoint: TypeAlias = Annotated[
    str | None, typer.Option(help="URL of the service.", rich_help_panel=DELIVERY)
]
Region: TypeAlias = Annotated[
    str | None, typer.Option(help="Region of the service, instead.", rich_help_panel=DELIVERY)
]
KeyFile: TypeAlias = Annotated[
    Path | None, typer.Option(help="File that holds the key.", rich_help_panel=DELIVERY)
]
TokenFile: TypeAlias = Annotated[
    Path | None, typer.Option(help="File that holds the token.", rich_help_panel=DELIVERY)
]
AllowSimulated: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--allow-simulated", help="Send simulated sessions anywhere.", rich_help_panel=DELIVERY
    ),
]

Workers: TypeAlias = Annotated[
    int | None,
    typer.Option(
        help="Worker processes, each on one core; default: all cores.", rich_help_panel=WORK
    ),
]
Scheduler: TypeAlias = Annotated[
    str | None,
    typer.Option(help="Dask cluster to use instead, as tcp://host:port.", rich_help_panel=WORK),
]
TimeoutS: TypeAlias = Annotated[
    float, typer.Option(help="Seconds that one input may take.", rich_help_panel=WORK)
]
WorkerMemoryMb: TypeAlias = Annotated[
    int, typer.Option(help="Memory one worker may use.", rich_help_panel=WORK)
]


def process(
    inputs: Inputs,
    out: Out,
    submit: Submit = False,
    endpoint: Endpoint = None,
    region: Region = None,
    key_file: KeyFile = None,
    token_file: TokenFile = None,
    container: ClipContainer = None,
    focus: ClipFocus = None,
    image_type: ClipImageType = None,
    target_bytes: TargetBytes = None,
    workers: Workers = None,
    scheduler: Scheduler = None,
    timeout_s: TimeoutS = 600.0,
    worker_memory_mb: WorkerMemoryMb = 2048,
    resume: Resume = False,
    fail_on_reject: FailOnReject = False,
    thumbnails: Thumbnails = True,
    allow_simulated: AllowSimulated = False,
    thresholds: ThresholdsFile = None,
    profile: ProfileFile = None,
    config: Config = None,
    set_: Set = None,
) -> None:
    """Process recorded sessions: gate, encode, and with --submit deliver them."""
    flags: dict[str, Any] = {
        "endpoint": endpoint,
        "region": region,
        "key_file": key_file,
        "token_file": token_file,
        "clip.container": container and container.value,
        "clip.focus": focus and focus.value,
        "clip.image_type": image_type and image_type.value,
        "clip.target_bytes": target_bytes,
        "thumbnails": None if thumbnails else False,
        "allow_simulated": allow_simulated or None,
        "thresholds_file": thresholds,
        "profile": profile,
    }
    from facelight.batch.inputs.urls import is_url
    from facelight.batch.pool.pool import WorkerOptions, usable_cores
    from facelight.batch.run import Request, process_all
    from facelight.config.settings import load_settings

    settings = load_settings(flags | pairs(set_ or []), config).settings
    if workers is not None and scheduler is not None:
        raise typer.BadParameter("--workers and --scheduler exclude each other")
    count = usable_cores() if workers is None else workers
    options = WorkerOptions(count, timeout_s, worker_memory_mb, spare_cores=workers is None)
    place = (Path(), out) if is_url(out) else (Path(out), None)
    request = Request(
        tuple(inputs), place[0], submit, resume, fail_on_reject, scheduler, storage=place[1]
    )
    raise typer.Exit(int(process_all(request, settings, options)))


def pairs(given: list[str]) -> dict[str, str]:
    """Return ``section.key=value`` texts as a table."""
    table = {}
    for text in given:
        key, sign, value = text.partition("=")
        if not (key and sign):
            raise typer.BadParameter(f"expected section.key=value, got {text!r}")
        table[key.strip()] = value.strip()
    return table
