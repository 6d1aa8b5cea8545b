"""Inputs named by URL (``s3://``, ``az://``, ``https://``, ``memory://``): listed, then fetched.

fsspec reaches the storage; its driver for a protocol is a package of its own. Credentials come from
where the driver looks for them (environment, files of the cloud's own tools), never from here.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any, Final

from facelight.batch.inputs.folders import (
    RECORDING_SUFFIX,
    SIDECAR_SUFFIX,
    TRIED_SUFFIXES,
    VIDEO_SUFFIXES,
    FolderEntry,
    FolderSearch,
    LeftOut,
)
from facelight.batch.inputs.urls import base_name, is_url, protocol_of, without_secrets
from facelight.batch.job import Job
from facelight.errors import FacelightError

RECORDING_FILES: Final = ("session.json", "video.mkv")

_EXTRAS: Final = {
    "s3": "s3", "s3a": "s3", "az": "abfs", "abfs": "abfs", "abfss": "abfs", "adl": "adl",
    "gs": "gcs", "gcs": "gcs", "http": "http", "https": "http", "ssh": "ssh", "sftp": "ssh",
    "smb": "smb", "hdfs": "hdfs", "dropbox": "dropbox", "gdrive": "gdrive", "oci": "oci",
}  # fmt: skip
"""fsspec's extra that brings the driver of a protocol."""


class RemoteError(FacelightError):
    """A URL cannot be read: unknown protocol, missing driver, no credentials, no such object."""


def list_url(url: str, leave: Callable[[LeftOut], None] = lambda _: None) -> Iterator[str]:
    """Yield the sessions that a URL names: itself, those that match it, or those below it.

    A URL that can only be one session is not looked up: what is wrong with it costs it alone.

    Parameters
    ----------
    leave : is handed each file below it that is left out.

    Raises
    ------
    RemoteError
        the storage cannot be reached, or nothing is found.
    """
    web = url.startswith(("http://", "https://"))  # a query holds any sign; servers do not list
    wild = not web and any(sign in url for sign in "*[")  # "?" begins a version
    known = VIDEO_SUFFIXES | TRIED_SUFFIXES | {RECORDING_SUFFIX}
    single = PurePosixPath(base_name(url)).suffix.lower() in known
    if web or (single and not wild):
        yield url
        return
    with translated(url):
        storage, path = storage_of(url)
        if wild:
            found = [
                p for match in sorted(storage.glob(path)) for p in _below(storage, match, leave)
            ]
        else:
            found = list(_below(storage, path, leave))
    if not found:
        raise RemoteError(f"{without_secrets(url)}: holds no video, recording or folder of images")
    for item in found:
        yield _named(url, storage, item)


@contextmanager
def fetched(job: Job, scratch: Path) -> Iterator[Job]:
    """Give the job with its input on this machine; a copy is private and removed afterwards.

    Raises
    ------
    RemoteError
        the input is a URL and cannot be read.
    OSError
        the copy cannot be written.
    """
    if job.local is not None or not is_url(job.input):
        yield job
        return
    try:
        yield replace(job, local=fetch(job, scratch))
    finally:
        remove_copy(job, scratch)


def fetch(job: Job, scratch: Path) -> Path:
    """Copy the input of a job, and the sidecar beside it, into ``scratch``; return the copy.

    Raises
    ------
    RemoteError
        it cannot be read.
    OSError
        the copy cannot be written.
    """
    remove_copy(job, scratch)
    folder = _place(job, scratch)
    folder.mkdir(mode=0o700)
    with translated(job.input):
        storage, path = storage_of(job.input)
        return _fetch(storage, path, folder)


def remove_copy(job: Job, scratch: Path) -> None:
    """Remove the copy of a job's input, whole or not, if there is one."""
    shutil.rmtree(_place(job, scratch), ignore_errors=True)


def _place(job: Job, scratch: Path) -> Path:
    return scratch / f"input-{job.place}"


def _fetch(storage: Any, path: str, folder: Path) -> Path:
    name = PurePosixPath(path.partition("?")[0]).name or "session"
    suffix = PurePosixPath(name).suffix.lower()
    target = folder / name
    if suffix not in VIDEO_SUFFIXES | TRIED_SUFFIXES and storage.isdir(path):
        target.mkdir()
        for entry in sorted(_files(storage, path)):
            part = PurePosixPath(entry).name
            if suffix != RECORDING_SUFFIX or part in RECORDING_FILES:
                storage.get_file(entry, str(target / part))
        light = path.rstrip("/") + SIDECAR_SUFFIX
        stem = name
    else:
        storage.get_file(path, str(target))
        plain, sign, query = path.partition("?")
        light = str(plain).removesuffix(PurePosixPath(plain).suffix) + SIDECAR_SUFFIX + sign + query
        stem = PurePosixPath(name).stem
    if suffix != RECORDING_SUFFIX and storage.exists(light):
        storage.get_file(light, str(folder / (stem + SIDECAR_SUFFIX)))
    return target


def _files(storage: Any, path: str) -> list[str]:
    return [e["name"] for e in storage.ls(path, detail=True) if e["type"] == "file"]


def _below(storage: Any, path: str, leave: Callable[[LeftOut], None]) -> Iterator[str]:
    """Yield sessions at or below a path, in a stable order."""

    def listed(folder: str) -> list[FolderEntry]:
        entries = storage.ls(folder, detail=True)
        named = [FolderEntry(str(e["name"]), e["type"] == "directory") for e in entries]
        return sorted((e for e in named if not _is_marker(e, folder)), key=lambda e: e.path)

    if PurePosixPath(path).suffix.lower() == RECORDING_SUFFIX or not storage.isdir(path):
        yield path
    else:
        yield from FolderSearch(listed, leave).sessions(path)


def _is_marker(entry: FolderEntry, folder: str) -> bool:
    """Return whether an entry is the empty object that stands for the folder itself."""
    return entry.path.strip("/") == folder.strip("/")


def storage_of(url: str) -> tuple[Any, str]:
    """Return fsspec's file system for a URL, and the path in it."""
    from fsspec.core import url_to_fs  # noqa: PLC0415

    storage, path = url_to_fs(url)
    return storage, str(path)


def _named(url: str, storage: Any, path: str) -> str:
    """Return the URL of a path; of a chain (``zip://a::s3://b``) only the first link changes."""
    _, sign, rest = url.partition("::")
    return str(storage.unstrip_protocol(path)) + sign + rest


@contextmanager
def translated(url: str, done: str = "read") -> Iterator[None]:
    """Turn what fsspec and its drivers raise into one line that names the cure.

    Parameters
    ----------
    done : what was to be done: ``read`` or ``written``.
    """
    protocol = protocol_of(url)
    try:
        yield
    except RemoteError:
        raise
    except FileNotFoundError as error:
        missing = "no such file or folder" if done == "read" else "no such bucket or folder"
        raise RemoteError(f"{without_secrets(url)}: {missing}") from error
    except ImportError as error:
        extra = _EXTRAS.get(protocol)
        cure = f"pip install 'fsspec[{extra}]'" if extra else str(error)
        raise RemoteError(
            f"{without_secrets(url)}: {protocol}:// needs a driver: {cure}"
        ) from error
    except Exception as error:  # each driver has errors of its own, often without a common root
        problem = _problem(protocol, error, done)
        raise RemoteError(f"{without_secrets(url)}: {problem}") from error


def _problem(protocol: str, error: Exception, done: str) -> str:
    kind, text = type(error).__name__, without_secrets(" ".join(str(error).split()))
    if isinstance(error, ValueError) and "rotocol not known" in text:
        return f"unknown protocol {protocol}://"
    secret = ("credential", "permission", "forbidden", "access denied", "unauthorized")
    if any(word in f"{kind} {text}".lower() for word in secret):
        return f"no access, are there credentials for {protocol}://? ({kind}: {text})"
    return f"cannot be {done}: {kind}: {text}"
