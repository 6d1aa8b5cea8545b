"""One input of a batch and the result of it; imports nothing heavy, for coordinators."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from facelight import __version__
from facelight.batch.inputs.urls import base_name, without_secrets
from facelight.batch.outputs import whole_directory
from facelight.config.settings import Settings, output_umask, settings_hash
from facelight.errors import FacelightError
from facelight.result import RESULT_FILE, ErrorRecord, ResultRecord, json_bytes
from facelight.terminal import encodable

SOFTWARE = f"facelight/{__version__}"


class WorkerLost(FacelightError):
    """A worker process ended in the middle of an input."""


class InternalError(FacelightError):
    """An input led to an error that is none of ours: a fault of the program, not of the input."""


@dataclass(frozen=True, slots=True)
class Job:
    """One input and the directory that its results go to.

    Attributes
    ----------
    input : path or URL, as given.
    name : of the directory in ``out``; unique in a batch.
    place : counts the inputs of a batch from 0.
    local : where the input's bytes are when that is not ``input`` itself.
    standing : ``input_sha256`` of a result that stands if the input is still the same.
    relative : the input's path below the folder that was given; empty: its name alone.
    cores : that this input may use: more than one where a batch has fewer inputs than cores.
    """

    input: str
    name: str
    out: Path
    place: int = 0
    local: Path | None = None
    standing: str | None = None
    relative: str = ""
    cores: int = 1

    @property
    def target(self) -> Path:
        """The output directory of this input."""
        return self.out / self.name

    @property
    def shown_input(self) -> str:
        """The input as it stands in results: traceable, without secrets, any file may hold it."""
        return encodable(self.relative or base_name(self.input))

    @property
    def path(self) -> Path:
        """Where the input is read."""
        return self.local or Path(self.input)


@dataclass(frozen=True, slots=True)
class Finished:
    """What became of a job: the content of its ``result.json``; None if it is to be read there."""

    job: Job
    result: ResultRecord | None


def failed(job: Job, settings: Settings, error: Exception) -> ResultRecord:
    """Return the result of an input that could not be processed."""
    return ResultRecord(
        name=job.name,
        input=job.shown_input,
        session_id=None,
        status="error",
        reasons=(),
        digest=None,
        counts=None,
        settings_hash=settings_hash(settings),
        software=SOFTWARE,
        outcome=None,
        error=ErrorRecord(code=type(error).__name__, message=_message(job, str(error))),
    )


def write_failed(job: Job, settings: Settings, error: Exception) -> ResultRecord:
    """Write the directory of an input that could not be processed: its ``result.json`` alone.

    Raises
    ------
    OutputError
        the directory cannot be written.
    """
    result = failed(job, settings, error)
    with whole_directory(job.target, output_umask(settings)) as folder:
        (folder / RESULT_FILE).write_bytes(json_bytes(result))
    return result


def _message(job: Job, text: str) -> str:
    """Return the text with the input's own name in place of that of a copy of it."""
    if job.local is None:
        return encodable(text)
    inside = text.replace(str(job.local.parent) + os.sep, "")
    return encodable(f"{without_secrets(job.input)}: {inside.removeprefix(job.local.name + ': ')}")
