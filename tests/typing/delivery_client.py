"""A directory of `facelight process`, delivered by another program."""

from __future__ import annotations

import sys
from pathlib import Path

import facelight


def main(folder: Path, service: str) -> str:
    """Process a file, deliver its clip and return the decision or the advice."""
    settings = facelight.load_settings({"endpoint": service}).settings
    job = facelight.Job(str(folder / "session.mkv"), "session", Path("out"))
    result = facelight.process_job(job, settings)
    if result.status != "accepted":
        return f"{result.status}: {', '.join(result.reasons)}"
    submission = facelight.read_submission(Path("out/session"), result)
    outcome = facelight.deliver(submission, settings)
    if outcome.error is not None:
        return f"{outcome.error.code}: {outcome.error.advice}"
    return str(outcome.decision)


if __name__ == "__main__":
    print(main(Path(sys.argv[1]), sys.argv[2]))
