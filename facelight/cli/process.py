"""``facelight process``: recorded sessions in, submissions out."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

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


def process(
    inputs: Annotated[
        list[str], typer.Argument(help="Videos, .flrec, folders, wildcards, @list.txt, URLs.")
    ],
    out: Annotated[Path, typer.Option(help="Directory for the results.")],
    submit: Annotated[bool, typer.Option("--submit", help="Send each accepted session.")] = False,
    endpoint: Annotated[str | None, typer.Option(help="URL of the service.")] = None,
    region: Annotated[str | None, typer.Option(help="Region of the service, instead.")] = None,
    key_file: Annotated[Path | None, typer.Option(help="File that holds the key.")] = None,
    token_file: Annotated[Path | None, typer.Option(help="File that holds the token.")] = None,
    container: Annotated[Container | None, typer.Option(help="Animated WebP or images.")] = None,
    focus: Annotated[Focus | None, typer.Option(help="Rectangle on which images.")] = None,
    image_type: Annotated[
        ImageType | None, typer.Option(help="Infrared: no light labels, no colour measures.")
    ] = None,
    target_bytes: Annotated[int | None, typer.Option(help="Largest container size.")] = None,
    workers: Annotated[
        int | None, typer.Option(help="Worker processes, each on one core; default: all cores.")
    ] = None,
    scheduler: Annotated[
        str | None, typer.Option(help="Dask cluster to use instead, as tcp://host:port.")
    ] = None,
    timeout_s: Annotated[float, typer.Option(help="Seconds that one input may take.")] = 600.0,
    worker_memory_mb: Annotated[int, typer.Option(help="Memory one worker may use.")] = 2048,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume", help="Keep what is done with this input and settings; redo errors."
        ),
    ] = False,
    fail_on_reject: Annotated[
        bool, typer.Option("--fail-on-reject", help="Exit 3 when the gate rejects a session.")
    ] = False,
    thumbnails: Annotated[
        bool, typer.Option(help="Faces as small pictures in index.html and in each folder.")
    ] = True,
    allow_simulated: Annotated[
        bool, typer.Option("--allow-simulated", help="Send simulated sessions anywhere.")
    ] = False,
    thresholds: Annotated[Path | None, typer.Option(help="thresholds.toml of `tune`.")] = None,
    profile: Annotated[Path | None, typer.Option(help="Profile of `calibrate`.")] = None,
    config: Annotated[Path | None, typer.Option(help="Settings file.")] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="Any setting, as section.key=value.")
    ] = None,
) -> None:
    """Process recorded sessions: gate, encode, and with --submit deliver them."""
    from facelight.batch.pool.pool import WorkerOptions, usable_cores
    from facelight.batch.run import Request, process_all
    from facelight.config.settings import load_settings

    flags: dict[str, Any] = {
        "endpoint": endpoint,
        "region": region,
        "key_file": key_file,
        "token_file": token_file,
        "clip.container": container.value if container else None,
        "clip.focus": focus.value if focus else None,
        "clip.image_type": image_type.value if image_type else None,
        "clip.target_bytes": target_bytes,
        "thumbnails": None if thumbnails else False,
        "allow_simulated": allow_simulated or None,
        "thresholds_file": thresholds,
        "profile": profile,
    }
    settings = load_settings(flags | pairs(set_ or []), config).settings
    if workers is not None and scheduler is not None:
        raise typer.BadParameter("--workers and --scheduler exclude each other")
    options = WorkerOptions(
        workers=usable_cores() if workers is None else workers,
        timeout_s=timeout_s,
        memory_mb=worker_memory_mb,
    )
    request = Request(tuple(inputs), out, submit, resume, fail_on_reject, scheduler)
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
