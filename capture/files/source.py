"""What a path holds: a video, a recording or a folder of images, as one camera with its light."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Self

from capture.camera import Camera, Provenance
from capture.errors import SidecarError, SourceError
from capture.files.pictures.images import TIMES, ImagesCamera, image_files
from capture.files.recording import RecordingCamera
from capture.files.recording_format import SESSION, SUFFIX, VIDEO
from capture.files.sidecar import Sidecar, find_sidecar, read_sidecar
from capture.files.video import VideoCamera
from capture.light.timeline import Timeline


class SourceKind(StrEnum):
    """What a session was kept as."""

    VIDEO = "video"
    RECORDING = "recording"
    IMAGES = "images"


@dataclass(frozen=True, slots=True, eq=False)
class SessionSource:
    """A session on disk, opened.

    Attributes
    ----------
    name : the input without its ending; a folder of images keeps its whole name.
    camera : its frames; ``t_frame_ns`` is 0 at the first.
    timeline : its light on the clock of the frames; None where nothing is known of it.
    session_id : of a recording; None for other kinds.
    notes : what was done to the pictures or left out of the input, one sentence each.
    delay_declared : False where the timeline's lag stands for none, and has to be measured.
    overrun_ns : how far the last colour begins beyond the end of the video.
    """

    name: str
    path: Path
    kind: SourceKind
    camera: Camera
    timeline: Timeline | None
    provenance: Provenance
    session_id: str | None = None
    notes: tuple[str, ...] = ()
    delay_declared: bool = True
    overrun_ns: int = 0

    def close(self) -> None:
        """Release the files; idempotent."""
        self.camera.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def open_source(path: str | Path) -> SessionSource:
    """Open a session by what it is.

    A folder with a ``session.json``, or named ``NAME.flrec``, is a recording; any other folder is
    one of images; a file is a video. Videos and folders of images take their light from
    ``NAME.illumination.json`` beside them, which must fit their length.

    Raises
    ------
    SourceError
        missing, unreadable, truncated, empty, or no session at all.
    SidecarError
        a fault in the sidecar or ``session.json``, naming the field.
    """
    path = Path(path)
    kind = kind_of(path)
    if kind is SourceKind.RECORDING:
        recording = RecordingCamera(path)
        return SessionSource(
            name_of(path),
            path,
            kind,
            recording,
            recording.timeline(),
            recording.info.provenance,
            recording.session.session_id,
        )
    found = find_sidecar(path)
    sidecar = None if found is None else read_sidecar(found)
    camera = VideoCamera(path) if kind is SourceKind.VIDEO else ImagesCamera(path)
    try:
        timeline = None if sidecar is None else _fitted(sidecar, camera)
    except SidecarError:
        camera.close()
        raise
    declared = sidecar is None or sidecar.latency_ms is not None
    return SessionSource(
        name_of(path),
        path,
        kind,
        camera,
        timeline,
        Provenance.IMPORTED,
        delay_declared=declared,
        notes=camera.notes,
        overrun_ns=0 if sidecar is None else sidecar.overrun_ns(camera.duration_ns),
    )


def kind_of(path: Path) -> SourceKind:
    """Return how a path is going to be read."""
    try:
        if not path.exists():
            raise SourceError(path, "no such file or folder")
        if not path.is_dir():
            return SourceKind.VIDEO
        is_recording = path.suffix == SUFFIX or (path / SESSION).exists()
    except OSError as error:
        raise SourceError(path, f"cannot be read: {error.strerror or error}") from error
    return SourceKind.RECORDING if is_recording else SourceKind.IMAGES


def name_of(path: Path) -> str:
    """Return the session's name: the input without its ending."""
    named = path if path.name not in {"", ".."} else path.resolve()
    return named.name if named.is_dir() and named.suffix != SUFFIX else named.stem


def content_sha256(path: str | Path) -> str:
    """Return the SHA-256 (64 hex digits) of all that a session's outcome depends on.

    A video and its sidecar; the two files of a recording; the images of a folder with their names,
    times and sidecar. The input's own name and file dates don't count.

    Raises
    ------
    SourceError
        missing or unreadable.
    """
    digest = hashlib.sha256()
    for role, file in _parts(Path(path)):
        try:
            with file.open("rb") as content:
                inner = hashlib.file_digest(content, "sha256").hexdigest()
        except OSError as error:
            raise SourceError(file, f"cannot be read: {error.strerror or error}") from error
        digest.update(f"{inner} {role}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _parts(path: Path) -> list[tuple[str, Path]]:
    """Return the files that make up a session, each with what it is."""
    kind = kind_of(path)
    if kind is SourceKind.RECORDING:
        return [(name, path / name) for name in (SESSION, VIDEO)]
    sidecar = find_sidecar(path)
    light = [] if sidecar is None else [("light", sidecar)]
    if kind is SourceKind.VIDEO:
        return [("video", path), *light]
    return [*((file.name, file) for file in image_files(path)), *light]


def _fitted(sidecar: Sidecar, camera: VideoCamera | ImagesCamera) -> Timeline:
    """Return the sidecar's timeline if it belongs to what the camera shows."""
    if isinstance(camera, ImagesCamera) and not camera.timed:
        problem = f"labels need the images' times, expected {TIMES} in the folder"
        raise SidecarError(sidecar.path, "", problem)
    sidecar.check_span(camera.duration_ns)
    return sidecar.timeline(frame_interval_ns=camera.interval_ns)
