"""The command line: one module a command, nothing heavy imported before a command runs."""

from __future__ import annotations

import io
import sys
from typing import NoReturn

import typer

from facelight.cli import (
    audit,
    calibrate,
    cameras,
    check,
    demo,
    kiosk,
    process,
    serve,
    sessions,
    spool,
    tune,
)
from facelight.terminal import one_line

app = typer.Typer(
    name="facelight",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Active-illumination face liveness: capture, light, gate, encode, deliver.",
)
app.command("demo")(demo.demo)
app.command("kiosk")(kiosk.kiosk)
app.command("process")(process.process)
app.command("tune")(tune.tune)
app.add_typer(calibrate.app, name="calibrate")
app.command("cameras")(cameras.cameras)
app.command("serve")(serve.serve)
app.command("check")(check.check)
app.add_typer(sessions.app, name="sessions")
app.command("audit")(audit.audit)
app.add_typer(spool.app, name="spool")


def version(value: bool) -> None:
    """Print the version and end."""
    if value:
        from facelight import __version__

        typer.echo(f"facelight {__version__}")
        raise typer.Exit


@app.callback()
def root(
    _version: bool = typer.Option(
        False, "--version", callback=version, is_eager=True, help="Print the version and end."
    ),
) -> None:
    """Options of every command."""


def main() -> NoReturn:
    """Run a command; every expected error is one line on stderr and the right exit code."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # as stderr: a name may hold any sign
    try:
        app()
    except KeyboardInterrupt:
        typer.echo("interrupted", err=True)
        sys.exit(130)
    except Exception as error:
        code = exit_code(error)
        if code is None:
            raise
        typer.echo(f"error: {one_line(str(error))}", err=True)
        sys.exit(code)
    sys.exit(0)


def exit_code(error: Exception) -> int | None:
    """Return the exit code of an error of one of our trees, None for a bug."""
    from calibration.errors import CalibrationError
    from capture.errors import CaptureError
    from facelight.errors import Exit, FacelightError
    from preprocess.errors import PreprocessError
    from uploader.errors import CredentialError, EndpointError, UploaderError

    if isinstance(error, FacelightError):
        return int(error.exit_code)
    # exactly this one: those below it are the service's word on a credential that was there
    if isinstance(error, EndpointError) or type(error) is CredentialError:
        return int(Exit.USAGE)
    known = (CaptureError, PreprocessError, UploaderError, CalibrationError)
    return int(Exit.FAILED) if isinstance(error, known) else None
