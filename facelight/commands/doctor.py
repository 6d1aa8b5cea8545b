"""What ``facelight check`` looks at besides the settings: packages, disk, clock, service."""

from __future__ import annotations

import importlib.metadata
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from facelight.config.settings import Settings
from facelight.delivery.client import endpoint_of
from facelight.delivery.credentials import find_credential
from uploader.errors import UploaderError

CONNECT_TIMEOUT_S = 5.0
LOW_DISK_MB = 500


class CheckState(StrEnum):
    """How a check ended; only ``FAIL`` changes the exit code."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report."""

    name: str
    state: CheckState
    detail: str


def examine(settings: Settings, folder: Path) -> Iterator[Finding]:
    """Yield a finding for each thing that a session needs."""
    yield opencv_builds()
    yield tracker_version()
    yield disk(folder)
    yield clock()
    yield service(settings)


def opencv_builds(distributions: Callable[[], dict[str, list[str]]] | None = None) -> Finding:
    """Check that one build owns ``cv2/``: the flavours overwrite one another without a word."""
    found = distributions or importlib.metadata.packages_distributions
    names = sorted(set(found().get("cv2", [])))
    versions = {name: importlib.metadata.version(name) for name in names}
    told = ", ".join(f"{name} {version}" for name, version in versions.items()) or "none"
    right = names == ["opencv-contrib-python", "opencv-python"]
    if right and len(set(versions.values())) == 1:
        return Finding("opencv", CheckState.OK, told)
    cure = "expected opencv-python and opencv-contrib-python of one version and no headless build"
    return Finding("opencv", CheckState.FAIL, f"{told}; {cure}")


def tracker_version() -> Finding:
    """Check the release whose models are bundled and that makes no network call."""
    try:
        version = importlib.metadata.version("mediapipe")
    except importlib.metadata.PackageNotFoundError:
        return Finding("tracker", CheckState.FAIL, "mediapipe is not installed; expected 0.10.21")
    state = CheckState.OK if version == "0.10.21" else CheckState.FAIL
    return Finding("tracker", state, f"mediapipe {version}")


def disk(folder: Path) -> Finding:
    """Check the room for results and spool on the disk of ``folder``."""
    there = next(path for path in [folder.absolute(), *folder.absolute().parents] if path.exists())
    free_mb = shutil.disk_usage(there).free // 1_000_000
    state = CheckState.OK if free_mb >= LOW_DISK_MB else CheckState.WARN
    return Finding("disk", state, f"{free_mb} MB free at {there}")


def clock() -> Finding:
    """Check that the session clock is monotonic and fine enough to label a frame."""
    info = time.get_clock_info("monotonic")
    fine = info.monotonic and info.resolution <= 1e-3
    detail = f"{info.implementation}, resolution {info.resolution:g} s"
    return Finding("clock", CheckState.OK if fine else CheckState.FAIL, detail)


def service(settings: Settings) -> Finding:
    """Check that the service's address answers and that there is something to sign in with."""
    try:
        endpoint = endpoint_of(settings).url
        credential = find_credential(settings, endpoint)
    except UploaderError as error:
        return Finding("service", CheckState.WARN, str(error))
    parts = urlsplit(endpoint)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        with socket.create_connection((parts.hostname or "", port), timeout=CONNECT_TIMEOUT_S):
            pass
    except OSError as error:
        return Finding("service", CheckState.FAIL, f"{endpoint}: cannot be reached: {error}")
    return Finding("service", CheckState.OK, f"{endpoint}, {type(credential).__name__}")
