"""``facelight cameras``: which cameras there are, and what one of them really delivers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from capture.live.probe import FoundCamera, ProbeReport


def cameras(
    probe: Annotated[
        str | None,
        typer.Option(
            metavar="SPEC",
            help="Try this camera: index, /dev/video0, an id from the list, file, http:// stream.",
        ),
    ] = None,
    seconds: Annotated[float, typer.Option(min=0.2, max=60, help="How long to measure.")] = 1.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    config: Annotated[Path | None, typer.Option(help="Settings file.")] = None,
) -> None:
    """List the cameras of this machine, or measure one: size, format, rate, stamps, controls."""
    if probe is None:
        _list(as_json=as_json)
    else:
        _probe(probe, seconds, config, as_json=as_json)


def _list(*, as_json: bool) -> None:
    from capture.live.webcam.discovery import list_cameras

    found = list_cameras()
    if as_json:
        _print_json([_plain(camera) for camera in found])
        return
    if not found:
        typer.echo("no cameras found")
    for line in _table(found):
        typer.echo(line)


def _probe(spec: str, seconds: float, config: Path | None, *, as_json: bool) -> None:
    from capture.live.probe import probe
    from facelight.config.settings import load_settings

    options = getattr(load_settings({}, config).settings, "camera", None)
    report = probe(spec, options, seconds=seconds)
    if as_json:
        _print_json(_plain(report))
        return
    for line in _told(report):
        typer.echo(line)


def _table(found: list[FoundCamera]) -> list[str]:
    width = max((len(camera.id) for camera in found), default=0)
    return [
        f"{camera.id:{width}}  {camera.name} ({camera.device})"
        + ("" if camera.stable else "  no stable id: it may change with every replugging")
        + f"  virtual: {camera.virtual} ({camera.why})"
        + (f"  pin: {camera.pin}" if camera.pin else "")
        for camera in found
    ]


def _told(report: ProbeReport) -> list[str]:
    info = report.info
    width, height = info.size_wh
    fps = "not measured" if report.fps is None else f"{report.fps:.2f} measured"
    claimed = "" if info.fps is None else f" ({info.fps:g} claimed)"
    lines = [
        f"id            {info.id}",
        f"name          {info.name}",
        f"size          {width}x{height}",
        f"rate          {fps}{claimed}, {report.frames} frames, {report.dropped} dropped",
        f"stamps        {report.stamp_source}",
        f"recording     {'the own JPEG bytes' if report.jpeg else 'lossless, of the pixels'}",
        f"provenance    {info.provenance}",
    ]
    if report.jitter_ms is not None and report.age_ms is not None:
        told = f"jitter {report.jitter_ms:.1f} ms, age when read {report.age_ms:.1f} ms"
        lines.insert(5, f"times         {told}")
    lines += [f"{name:13} {value}" for name, value in info.details.items()]
    lines += [f"{name:13} {_control(value)}" for name, value in report.controls.items()]
    return lines + [f"warning       {warning}" for warning in report.warnings]


def _control(value: Any) -> str:
    if not isinstance(value, dict):
        return str(value)
    if not value.get("locked"):
        return f"not locked: {value.get('problem')}"
    rest = ", ".join(f"{key} {item}" for key, item in value.items() if key != "locked")
    return f"can be locked ({rest})"


def _plain(value: Any) -> Any:
    from dataclasses import asdict

    return asdict(value)


def _print_json(value: Any) -> None:
    import json

    typer.echo(json.dumps(value, indent=1, allow_nan=False))
