"""From a finished output directory to an outcome, with the retries that the policy allows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from facelight.credentials import find_credential
from facelight.outputs import write_file
from facelight.process import Job
from facelight.settings import Settings
from uploader.client import DetectClient, DetectOptions
from uploader.endpoint import Endpoint, endpoint
from uploader.submission import Origin, Submission, build_submission
from uploader.wire import Metadata


def endpoint_of(settings: Settings) -> Endpoint:
    """Return the service that the settings name.

    Raises
    ------
    uploader.errors.EndpointError
        none, both an endpoint and a region, or a malformed one.
    """
    return endpoint(settings.endpoint, settings.region)


class Deliverer:
    """Delivers finished output directories, in order, and writes each outcome beside its clip."""

    def __init__(self, settings: Settings) -> None:
        where = endpoint_of(settings)
        credential = find_credential(settings, where.url)
        options = DetectOptions(
            model_version=settings.model_version, allow_simulated=settings.allow_simulated
        )
        self._client = DetectClient(where, credential, options)

    def deliver(self, job: Job, result: Mapping[str, Any]) -> dict[str, Any]:
        """Send the session of ``job`` and return its result with the outcome.

        Raises
        ------
        OutputError
            the outcome cannot be written.
        """
        submission = read_submission(job.target, result)
        outcome = self._client.try_detect(submission)
        return update_outcome(job.target, outcome.to_json())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._client.close()


def read_submission(folder: Path, result: Mapping[str, Any]) -> Submission:
    """Return the request of an output directory: byte for byte the one whose digest it holds."""
    metadata = Metadata.parse((folder / "metadata.json").read_bytes())
    names = metadata.file_names()
    images = folder / "images"
    where = images if images.is_dir() else folder
    files = {name: (where / name).read_bytes() for name in names}
    return build_submission(metadata, files, Origin(provenance=result["provenance"]))


def update_outcome(folder: Path, outcome: dict[str, Any]) -> dict[str, Any]:
    """Put the outcome into ``result.json`` and return the result."""
    path = folder / "result.json"
    result: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    result["outcome"] = outcome
    write_file(path, (json.dumps(result, indent=1, ensure_ascii=False) + "\n").encode())
    return result
