"""``facelight process``: every input to its directory, delivered if asked, then the summary."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from capture.errors import CaptureError
from capture.source import content_sha256
from facelight.batch import BatchOptions, output_names, process_safely, run_batch
from facelight.delivery import Deliverer
from facelight.errors import Exit, OutputError
from facelight.inputs import expand
from facelight.process import SOFTWARE, Job
from facelight.progress import Progress
from facelight.settings import Settings, settings_hash
from facelight.summary import Summary


@dataclass(frozen=True, slots=True)
class Request:
    """What the command line asked for."""

    inputs: tuple[str, ...]
    out: Path
    submit: bool = False
    resume: bool = False
    fail_on_reject: bool = False


def process_all(request: Request, settings: Settings, batch: BatchOptions) -> Exit:
    """Process every input and return the exit code; one bad input never stops the others.

    Raises
    ------
    OutputError
        the output directory cannot be made or written at all.
    """
    _prepare(request.out)
    jobs = [Job(given, name, request.out) for given, name in output_names(expand(request.inputs))]
    worst = set[Exit]()
    with ExitStack() as stack:
        deliverer = stack.enter_context(Deliverer(settings)) if request.submit else None
        progress = stack.enter_context(Progress(len(jobs)))
        summary = stack.enter_context(Summary(request.out))
        for job, found in _results(jobs, request, settings, batch):
            result = found
            if deliverer is not None and result["status"] == "accepted" and not _sent(result):
                result = deliverer.deliver(job, result)
            worst.add(_exit_of(result, request))
            summary.add(result)
            progress.show(result)
    order = (Exit.FAILED, Exit.NOT_DELIVERED, Exit.REJECTED)
    return next((code for code in order if code in worst), Exit.DONE)


def _sent(result: dict[str, Any]) -> bool:
    outcome = result["outcome"]
    return outcome is not None and outcome["error"] is None


def _results(
    jobs: list[Job], request: Request, settings: Settings, batch: BatchOptions
) -> Iterator[tuple[Job, dict[str, Any]]]:
    """Yield the results in the order of the jobs; done ones come from their directories."""
    done = {job.name: old for job in jobs if request.resume and (old := _done(job, settings))}
    left = [job for job in jobs if job.name not in done]
    alone = len(left) == 1 and batch.workers == 1
    fresh: Iterable[dict[str, Any]] = (
        (process_safely(job, settings) for job in left)
        if alone
        else run_batch(left, settings, batch)
    )
    stream = iter(fresh)
    for job in jobs:
        yield job, done[job.name] if job.name in done else next(stream)


def _done(job: Job, settings: Settings) -> dict[str, Any] | None:
    """Return the result that stands if it is of the same input, settings and version."""
    try:
        found = json.loads((job.target / "result.json").read_text(encoding="utf-8"))
        same = (
            found["status"] in {"accepted", "rejected"}
            and found["settings_hash"] == settings_hash(settings)
            and found["software"] == SOFTWARE
            and found["input_sha256"] == content_sha256(Path(job.input))
        )
    except (OSError, ValueError, KeyError, CaptureError):
        return None
    return found if same else None


def _prepare(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"--out {out}: cannot be made: {error.strerror}") from error
    if not os.access(out, os.W_OK):
        raise OutputError(f"--out {out}: is not writable")


def _exit_of(result: dict[str, Any], request: Request) -> Exit:
    if result["status"] == "error":
        return Exit.FAILED
    if result["status"] == "rejected":
        return Exit.REJECTED if request.fail_on_reject else Exit.DONE
    outcome = result["outcome"]
    if request.submit and (outcome is None or outcome["error"]):
        return Exit.NOT_DELIVERED if _may_succeed(outcome) else Exit.FAILED
    return Exit.DONE


def _may_succeed(outcome: dict[str, Any] | None) -> bool:
    return outcome is None or outcome["status"] is None or outcome["status"] != 400
