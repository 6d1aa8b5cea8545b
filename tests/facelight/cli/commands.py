"""The three commands of delivery, run as their user runs them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import typer
from typer.testing import CliRunner

from facelight.cli import audit, exit_code, sessions, spool

APP = typer.Typer()
APP.add_typer(sessions.app, name="sessions")
APP.command("audit")(audit.audit)
APP.add_typer(spool.app, name="spool")


@dataclass(frozen=True)
class Told:
    """What a command said and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def run(*args: object, answer: str = "") -> Told:
    """Run a command line; an error of our own trees ends it as `facelight.cli.main` does."""
    result = CliRunner().invoke(APP, [str(arg) for arg in args], input=answer)
    error = result.exception
    if error is None or isinstance(error, SystemExit):
        return Told(result.exit_code, result.stdout, result.stderr)
    code = exit_code(error) if isinstance(error, Exception) else None
    if code is None:
        raise error
    return Told(code, result.stdout, str(error))
