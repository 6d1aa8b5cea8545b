"""``facelight calibrate``: the lag and the light of this kiosk, written into its profile."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from calibration.profile import LightSection, TimingSection
    from facelight.commands.calibrate_kiosk import CalibrationRequest
    from facelight.config.settings import Settings

app = typer.Typer(
    no_args_is_help=True, help="Measure this kiosk: lag of screen and camera, light and colours."
)

Recordings = Annotated[
    list[Path] | None,
    typer.Option("--recording", help="Measure in this recording or video; may be repeated."),
]
CameraSpec = Annotated[
    str | None, typer.Option("--camera", help="Camera to measure: index, device, id or sim:...")
]
Out = Annotated[Path, typer.Option("--out", help="The profile: .json or .toml.")]
Force = Annotated[bool, typer.Option("--force", help="Replace what the profile holds.")]
CameraId = Annotated[
    str | None, typer.Option(help="Stable id of the camera, where recordings do not know it.")
]
Windowed = Annotated[bool, typer.Option("--windowed", help="A window, for work.")]
Seed = Annotated[int, typer.Option(min=0, help="Seed of order and dwell.")]
Config = Annotated[Path | None, typer.Option(help="Settings file.")]


@app.command("timing")
def timing(
    out: Out,
    recording: Recordings = None,
    camera: CameraSpec = None,
    steps: Annotated[int, typer.Option(min=8, max=200, help="Steps to show.")] = 24,
    exposure_ms: Annotated[
        float | None, typer.Option(min=0.1, max=1000, help="Exposure, where it is known.")
    ] = None,
    readout_ms: Annotated[
        float | None, typer.Option(min=0, max=1000, help="Readout, where it is known.")
    ] = None,
    camera_id: CameraId = None,
    seed: Seed = 1,
    windowed: Windowed = False,
    force: Force = False,
    config: Config = None,
) -> None:
    """Measure the lag from screen to frame stamp: grey and white steps, or recorded sessions.

    Sit where people will, and keep still for half a minute. The screen changes between grey and
    white about once a second: no flashes, yet whoever is sensitive to light leaves this to others.
    """
    from facelight.commands.calibrate_kiosk import CalibrationRequest, calibrate_timing

    asked = CalibrationRequest(
        recordings=tuple(recording or ()),
        out=out,
        force=force,
        camera_id=camera_id,
        steps=steps,
        seed=seed,
        exposure_ms=exposure_ms,
        readout_ms=readout_ms,
    )
    settings = _settings(asked, camera, windowed, config)
    profile = calibrate_timing(settings, asked)
    if profile.timing is not None:
        for line in _timing_told(profile.timing):
            typer.echo(line)
    typer.echo(f"written to {out}")


@app.command("light")
def light(
    out: Out,
    recording: Recordings = None,
    camera: CameraSpec = None,
    camera_id: CameraId = None,
    seed: Seed = 1,
    windowed: Windowed = False,
    force: Force = False,
    config: Config = None,
) -> None:
    """Measure ambient light, colour mixing, exposure and frame rate, with a face before the screen.

    Sit where people will, and keep still for ten seconds.
    """
    from facelight.commands.calibrate_kiosk import CalibrationRequest, calibrate_light

    asked = CalibrationRequest(tuple(recording or ()), out, force, camera_id, seed=seed)
    settings = _settings(asked, camera, windowed, config)
    profile = calibrate_light(settings, asked)
    if profile.light is not None:
        for line in _light_told(profile.light):
            typer.echo(line)
    typer.echo(f"written to {out}")


def _settings(
    asked: CalibrationRequest, camera: str | None, windowed: bool, config: Path | None
) -> Settings:
    from facelight.config.settings import load_settings

    if asked.recordings and camera is not None:
        raise typer.BadParameter("give either --recording or --camera, not both")
    flags = {"kiosk.camera": camera, "kiosk.windowed": windowed or None}
    return load_settings(flags, config).settings


def _timing_told(section: TimingSection) -> list[str]:
    spread = section.lag_ms.spread
    lines = [
        f"lag       {section.lag_ms.value:.1f} ms to half light"
        + ("" if spread is None else f", MAD {spread:.1f} ms")
        + f", 95th percentile {section.p95_ms:.1f} ms ({section.lag_ms.how})",
        f"latency   {section.latency_ms.value:.1f} ms, "
        f"+-{section.uncertainty_ms:.1f} ms ({section.latency_ms.how})",
        f"measured  {section.steps}, missed {section.missed}",
    ]
    if section.rising_ms is not None and section.falling_ms is not None:
        lines.append(f"up, down  {section.rising_ms:.1f} ms, {section.falling_ms:.1f} ms")
    unknown = [
        name
        for name, value in (("exposure", section.exposure_ms), ("readout", section.readout_ms))
        if value is None
    ]
    if unknown:
        lines.append(f"unknown   {' and '.join(unknown)}: typical values taken, see --help")
    return lines


def _light_told(section: LightSection) -> list[str]:
    rows = [
        f"          {name}  " + "  ".join(f"{value:6.3f}" for value in row)
        for name, row in zip("RGB", section.crosstalk, strict=True)
    ]
    against = "" if section.reference == "none" else " (against the background: not locked)"
    return [
        f"ambient   {section.ambient_share.value:.0%} of the light under white{against}",
        f"strength  {section.strength.value:.2f} of the ambient",
        "crosstalk of the camera's channels (rows) from the screen's (columns):",
        *rows,
        f"exposure  x {section.exposure_factor.value:.2f} ({section.exposure_factor.how})",
        "clipped   " + ", ".join(f"{k} {v:.1%}" for k, v in section.clipped_share.items()),
        "fps       " + ", ".join(f"{k} {v:.1f}" for k, v in section.fps.items()),
    ]
