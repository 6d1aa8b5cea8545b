"""What ``facelight check`` looks at besides the settings: packages, disk, clock, service."""

from __future__ import annotations

import importlib.metadata
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from facelight.commands.findings import CheckState, Finding
from facelight.config.settings import Settings
from facelight.delivery.client import endpoint_of
from facelight.delivery.credentials import find_credential
from uploader.errors import UploaderError
from uploader.http.network_options import first_hop, tls_context

CONNECT_TIMEOUT_S = 5.0
LOW_DISK_MB = 500
_TRACKER = "install mediapipe 0.10.21: its models are bundled and it makes no network call"


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
        return Finding("opencv", CheckState.GREEN, told)
    cure = "install opencv-python and opencv-contrib-python of one version and no headless build"
    return Finding("opencv", CheckState.RED, told, cure)


def tracker_version() -> Finding:
    """Check the release whose models are bundled and that makes no network call."""
    try:
        version = importlib.metadata.version("mediapipe")
    except importlib.metadata.PackageNotFoundError:
        return Finding("tracker", CheckState.RED, "mediapipe is not installed", _TRACKER)
    if version != "0.10.21":
        return Finding("tracker", CheckState.RED, f"mediapipe {version}", _TRACKER)
    return Finding("tracker", CheckState.GREEN, f"mediapipe {version}")


def disk(folder: Path) -> Finding:
    """Check the room for results and spool on the disk of ``folder``."""
    there = next(path for path in [folder.absolute(), *folder.absolute().parents] if path.exists())
    free_mb = shutil.disk_usage(there).free // 1_000_000
    detail = f"{free_mb} MB free at {there}"
    if free_mb < LOW_DISK_MB:
        return Finding("disk", CheckState.AMBER, detail, f"make room: at least {LOW_DISK_MB} MB")
    return Finding("disk", CheckState.GREEN, detail)


def clock() -> Finding:
    """Check that the session clock is monotonic and fine enough to label a frame."""
    info = time.get_clock_info("monotonic")
    fine = info.monotonic and info.resolution <= 1e-3
    detail = f"{info.implementation}, resolution {info.resolution:g} s"
    if not fine:
        cure = "frames cannot be labelled by this clock; use another kernel or virtual machine"
        return Finding("clock", CheckState.RED, detail, cure)
    return Finding("clock", CheckState.GREEN, detail)


def service(settings: Settings) -> Finding:
    """Check that the service's address answers and that there is something to sign in with."""
    try:
        endpoint = endpoint_of(settings).url
        credential = find_credential(settings, endpoint)
    except UploaderError as error:
        cure = "set endpoint and a key or token; 'process' without --submit needs none"
        return Finding("service", CheckState.AMBER, str(error), cure)
    try:
        hop = first_hop(settings.http, endpoint)
        tls_context(settings.http)
    except UploaderError as error:
        cure = "the settings of [http]: docs/operations.md, A company's network"
        return Finding("service", CheckState.RED, str(error), cure)
    try:
        with socket.create_connection(hop, timeout=CONNECT_TIMEOUT_S):
            pass
    except OSError as error:
        cure = "network, name and port; 'kiosk --offline' starts all the same and spools"
        return Finding("service", CheckState.RED, f"{endpoint}: cannot be reached: {error}", cure)
    detail = f"{endpoint}, API {settings.api_path}, {type(credential).__name__}"
    return Finding("service", CheckState.GREEN, detail)
