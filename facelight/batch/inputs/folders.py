"""Which sessions a folder holds, and what of it is left out: one rule for disks and storages.

A folder with a video or a recording in it, or below it, is a folder of those; pictures beside
them are left out. A folder of pictures alone is one session; folders below it are searched, too.
Nothing else is passed over in silence: what is left out is noted with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Final, TypeAlias

IMAGE_SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp"})
UNREAD_IMAGE_SUFFIXES: Final = frozenset(
    {".heic", ".heif", ".avif", ".tif", ".tiff", ".jxl", ".jp2", ".jfif", ".dng", ".cr2", ".cr3",
     ".nef", ".arw"}
)  # fmt: skip
"""Pictures that are named, not read."""

VIDEO_SUFFIXES: Final = frozenset(
    {".mp4", ".m4v", ".mov", ".qt", ".3gp", ".3g2", ".f4v", ".mkv", ".mk3d", ".webm", ".avi",
     ".divx"}
)  # fmt: skip
TRIED_SUFFIXES: Final = frozenset(
    {".mts", ".m2ts", ".m2t", ".ts", ".wmv", ".asf", ".flv", ".mpg", ".mpeg", ".mpe", ".m2v",
     ".vob", ".ogv", ".mxf", ".dv", ".rm", ".rmvb", ".tod", ".lrv", ".insv"}
)  # fmt: skip
"""Videos by their names; what cannot be read of them is told of each."""

RECORDING_SUFFIX: Final = ".flrec"
SIDECAR_SUFFIX: Final = ".illumination.json"
COMPANIONS: Final = frozenset({"frames.csv", "thumbs.db", "desktop.ini"})
"""Files that belong to a session, or to nobody."""

PICTURE_BESIDE_VIDEOS: Final = "a picture beside videos; a folder of its own makes it a session"
UNREAD_PICTURE: Final = "pictures of this kind are not read; convert them to JPEG or PNG"
NO_SESSION: Final = "neither a video nor a picture by its name"


@dataclass(frozen=True, slots=True)
class FolderEntry:
    """What a folder lists; ``path`` as it is opened or named."""

    path: str
    is_folder: bool

    @property
    def name(self) -> str:
        """The last part of the path."""
        return PurePath(self.path).name

    @property
    def suffix(self) -> str:
        """The ending in lower case, with its dot."""
        return PurePath(self.path).suffix.lower()


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A file that is no session, and why."""

    path: str
    reason: str


Lister: TypeAlias = Callable[[str], Sequence[FolderEntry]]
"""Entries of a folder in a stable order; an OSError is told where the folder is processed."""


class FolderSearch:
    """Finds the sessions at or below folders.

    Parameters
    ----------
    lister : lists one folder.
    leave : is handed everything that is left out.
    """

    def __init__(self, lister: Lister, leave: Callable[[LeftOut], None]) -> None:
        self._lister = lister
        self._leave = leave

    def sessions(self, folder: str) -> Iterator[str]:
        """Yield the path of each session, in a stable order; the folder itself may be one."""
        try:
            entries = [e for e in self._lister(folder) if not e.name.startswith(".")]
        except OSError:
            yield folder  # its processing tells why it cannot be listed
            return
        pictures = [e for e in entries if _is(e, IMAGE_SUFFIXES | UNREAD_IMAGE_SUFFIXES)]
        one_session = bool(pictures) and not self._holds_video(entries)
        if one_session:
            yield folder
        for entry in entries:
            if is_session(entry):
                yield entry.path
            elif entry.is_folder:
                yield from self.sessions(entry.path)
            elif reason := _reason(entry, one_session):
                self._leave(LeftOut(entry.path, reason))

    def _holds_video(self, entries: Iterable[FolderEntry]) -> bool:
        return any(
            is_session(e) or (e.is_folder and self._video_below(e.path))
            for e in entries
            if not e.name.startswith(".")
        )

    def _video_below(self, folder: str) -> bool:
        try:
            return self._holds_video(self._lister(folder))
        except OSError:
            return False


def is_session(entry: FolderEntry) -> bool:
    """Return whether an entry is a session by its name: a recording, or a file that is a video."""
    if entry.is_folder:
        return entry.suffix == RECORDING_SUFFIX
    return entry.suffix in VIDEO_SUFFIXES | TRIED_SUFFIXES


def _is(entry: FolderEntry, suffixes: frozenset[str]) -> bool:
    return not entry.is_folder and entry.suffix in suffixes


def _reason(entry: FolderEntry, one_session: bool) -> str:
    """Return why a file that is no session of its own is left out; empty where it is not."""
    if entry.name.lower() in COMPANIONS or entry.name.endswith(SIDECAR_SUFFIX):
        return ""
    if entry.suffix in UNREAD_IMAGE_SUFFIXES:
        return UNREAD_PICTURE
    if entry.suffix in IMAGE_SUFFIXES:
        return "" if one_session else PICTURE_BESIDE_VIDEOS
    return NO_SESSION
