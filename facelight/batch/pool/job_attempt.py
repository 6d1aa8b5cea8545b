"""One job in a worker process: whatever happens to it becomes a result."""

from __future__ import annotations

import gc
import traceback
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from facelight.batch.inputs.storage import RemoteError, fetched
from facelight.batch.inputs.urls import without_secrets
from facelight.batch.job import InternalError, Job, WorkerLost, failed, write_failed
from facelight.config.settings import Settings
from facelight.errors import FacelightError, OutputError
from facelight.result import ResultRecord

if TYPE_CHECKING:
    from preprocess.tracking.tracker import Tracker
    from preprocess.tracking.tracker_options import TrackerOptions

HELD_CROPS = 64
"""Raw crops that wait until the selection is over, 100 MB at 720 px: no still is made in vain."""


def attempt(job: Job, settings: Settings, scratch: Path) -> ResultRecord | None:
    """Process one job on its cores, mostly one, and return what its ``result.json`` holds, or None.

    None means that the input is still that of ``job.standing``, whose result stands.

    Parameters
    ----------
    job : an input that is not local is fetched into ``scratch`` and removed afterwards.
    scratch : a private directory.
    """
    try:
        with fetched(job, scratch) as here:
            return _processed(here, settings)
    except OutputError as error:
        return failed(job, settings, error)
    except (RemoteError, MemoryError) as error:
        known = error if isinstance(error, FacelightError) else _too_large(job)
        return failed_safely(job, settings, known)
    except Exception as error:  # noqa: BLE001  (a fault of ours costs one input, not the batch)
        return failed_safely(job, settings, _internal(job, error))


def failed_safely(job: Job, settings: Settings, error: Exception) -> ResultRecord:
    """Write and return the result of a failure; one that cannot be written is a result, too."""
    try:
        return write_failed(job, settings, error)
    except OutputError as unwritten:
        return failed(job, settings, unwritten)
    except Exception as unwritten:  # noqa: BLE001  (to record a failure must not fail)
        return failed(job, settings, _internal(job, unwritten))


def _processed(job: Job, settings: Settings) -> ResultRecord | None:
    from capture.errors import CaptureError  # noqa: PLC0415
    from capture.files.source import content_sha256  # noqa: PLC0415

    if job.standing is not None:
        try:
            if content_sha256(job.path) == job.standing:
                return None
        except CaptureError as error:
            return write_failed(job, settings, error)
    import cv2  # noqa: PLC0415

    from facelight.batch.one_input import process_job  # noqa: PLC0415

    cv2.setNumThreads(1)
    held = min(HELD_CROPS, settings.clip.max_frames)
    clip = replace(settings.clip, workers=job.cores, hold_back=held, hold_back_lit=held)
    found: ResultRecord | None = None
    try:
        tracker = _loaded(settings.tracker)
        found = process_job(job, settings.model_copy(update={"clip": clip}), tracker)
    finally:
        if found is None or found.status == "error":  # perhaps the tracker's: the next is new
            _loaded.cache_clear()
    return found


@lru_cache(maxsize=1)
def _loaded(options: TrackerOptions) -> Tracker:
    """Load the models, once for all inputs of this process; it ends with them open."""
    from preprocess.tracking.opening import open_tracker  # noqa: PLC0415

    tracker = open_tracker(options)
    gc.collect()
    gc.freeze()  # 140,000 objects of the libraries, else looked through for every input
    return tracker


def _too_large(job: Job) -> WorkerLost:
    return WorkerLost(
        f"{without_secrets(job.input)}: needed more memory than there is (--worker-memory-mb)"
    )


def _internal(job: Job, error: Exception) -> InternalError:
    last = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{Path(last.filename).name}:{last.lineno}"
    problem = f"{type(error).__name__} at {where}: {error}"
    return InternalError(f"{without_secrets(job.input)}: internal error: {problem}")
