"""Which cameras there are, under names that survive replugging."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from capture.errors import CameraError
from capture.live.options import LiveOptions
from capture.live.webcam.identity import Virtual, named_identity, read_identity
from capture.live.webcam.opencv_device import open_opencv
from capture.live.webcam.v4l2 import captures_video

MAX_INDEX = 8


@dataclass(frozen=True, slots=True)
class FoundCamera:
    """A camera of this machine.

    Attributes
    ----------
    id : what to write into the settings: the same after replugging and restarting where the system
        has such a name, else the index.
    name : for people.
    device : its address at present: ``/dev/video0``, or an index.
    stable : whether ``id`` is more than an index.
    virtual, why : whether it is a program instead of a device, and by what that is seen.
    pin : what ``camera.pin`` is set to, to take this camera at this port only; may be empty.
    """

    id: str
    name: str
    device: str
    stable: bool
    virtual: Virtual = Virtual.UNKNOWN
    why: str = ""
    pin: str = ""


def list_cameras(
    root: Path = Path("/"), *, captures: Callable[[Path], bool | None] = captures_video
) -> list[FoundCamera]:
    """Return the cameras of this machine in the order of their indices.

    On Linux from sysfs and ``/dev/v4l``, opening none for a picture; elsewhere by trying the
    indices 0 to 7, which turns every camera on for a moment.

    Parameters
    ----------
    root : where ``dev`` and ``sys`` are.
    captures : whether a device node delivers pictures; None if it cannot be asked.
    """
    if sys.platform == "linux":
        return list(_linux(root, captures))
    return list(_by_index())


def stable_id(device: Path, root: Path = Path("/")) -> str | None:
    """Return the name under ``/dev/v4l`` that leads to a device node, None without one."""
    return _links(root).get(device.name)


def device_of(camera_id: str, root: Path = Path("/")) -> Path | None:
    """Return the link under ``/dev/v4l`` with the name of a stable id."""
    if not re.fullmatch(r"[\w.:@+,=-]+", camera_id):
        return None
    for folder in ("by-id", "by-path"):
        link = root / "dev/v4l" / folder / camera_id
        if link.is_symlink() or link.exists():
            return link
    return None


def _linux(root: Path, captures: Callable[[Path], bool | None]) -> Iterator[FoundCamera]:
    links = _links(root)
    nodes = (root / "sys/class/video4linux").glob("video*")
    numbered = ((int(node.name[5:]), node) for node in nodes if node.name[5:].isdigit())
    for _, node in sorted(numbered):
        device = root / "dev" / node.name
        able = captures(device)
        # UVC cameras have a second node for metadata, which has an index of its own
        if able is None:
            able = _text(node / "index") in {"", "0"}
        if not able:
            continue
        name = _text(node / "name") or node.name
        known = links.get(node.name)
        who = read_identity(device, root)
        yield FoundCamera(
            known or str(device),
            name,
            str(device),
            known is not None,
            who.virtual,
            who.why,
            who.pin,
        )


def _links(root: Path) -> dict[str, str]:
    """Return the stable name of each node, by serial number rather than by port."""
    names: dict[str, str] = {}
    for folder in ("by-path", "by-id"):
        place = root / "dev/v4l" / folder
        if place.is_dir():
            for link in sorted(place.iterdir()):
                names[Path(os.path.realpath(link)).name] = link.name
    return names


def _by_index() -> Iterator[FoundCamera]:

    for index in range(MAX_INDEX):
        try:
            device = open_opencv(index, LiveOptions())
        except CameraError:
            continue
        backend = device.backend
        device.release()
        name = f"camera {index} ({backend})"
        who = named_identity(name, backend)
        yield FoundCamera(str(index), name, str(index), False, who.virtual, who.why)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
