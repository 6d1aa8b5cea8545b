"""``NAME.flrec/``: a session kept as it was captured, pixel for pixel and ns for ns.

Written into a folder beside its place and renamed when it is complete: a recording is there whole
or not at all. It shows a person's face in the clear, so the folder is its owner's only.
"""

from __future__ import annotations

import glob
import os
import shutil
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from pydantic import JsonValue

from capture.camera import CameraInfo
from capture.errors import CaptureError, SidecarError, SourceError
from capture.files.jsonfile import validated
from capture.files.mkv_writer import MkvWriter
from capture.files.recording_format import (
    FORMAT,
    SESSION,
    SUFFIX,
    VERSION,
    VIDEO,
    SessionDocument,
    camera_fields,
    light_fields,
    plan_fields,
    read_session,
    session_json,
)
from capture.files.video import VideoCamera
from capture.frame import Frame
from capture.light.illumination import IlluminationPlan
from capture.light.timeline import Timeline

ABANDONED_S: Final = 600.0
"""A capture takes seconds, and writes every frame; what was silent for so long has no owner."""


@dataclass(frozen=True, slots=True)
class RecordingHead:
    """What is known of a session before its first frame.

    Attributes
    ----------
    controls : what the camera let us lock, and to which values.
    plan : the light that was asked for; None for a session without.
    reference : the name that somebody else has for this session, a program beside the kiosk.
    """

    session_id: str
    camera: CameraInfo
    controls: Mapping[str, JsonValue] = field(default_factory=dict)
    plan: IlluminationPlan | None = None
    reference: str | None = None


class RecordingWriter:
    """Writes one recording; a ``with`` block that ends without `finish` leaves nothing behind.

    Not for several threads at once. FFV1 costs about 25 ms a 720p frame on one core; a camera that
    delivers MJPEG costs next to nothing.

    Parameters
    ----------
    path : ``NAME.flrec``, which must not exist yet.
    created : time of day that is written; now by default.

    Raises
    ------
    SourceError
        a wrong or taken name, a folder that cannot be written, a disk that is full.
    SidecarError
        a head that is no valid session, naming the field.
    """

    def __init__(
        self, path: str | Path, head: RecordingHead, created: datetime | None = None
    ) -> None:
        self.path = Path(path)
        self._fields = _head_fields(head, created or datetime.now(UTC))
        self._times_ns: list[int] = []
        self._last_pts_ms = -1
        self._complete(None, [0])  # a wrong head is better refused now than after the session
        if self.path.suffix != SUFFIX:
            raise SourceError(self.path, f"expected a name that ends in {SUFFIX}")
        if self.path.exists():
            raise SourceError(self.path, "exists already")
        try:
            self._folder: Path | None = Path(
                tempfile.mkdtemp(prefix=f".{self.path.name}.", suffix=".part", dir=self.path.parent)
            )
        except OSError as error:
            raise SourceError(self.path, f"cannot be written: {error.strerror}") from error
        try:
            self._video = MkvWriter(self._folder / VIDEO, head.camera.size_wh, self.path)
        except SourceError:
            self._remove()
            raise

    def write(self, frame: Frame, jpeg: bytes | None = None) -> None:
        """Add a frame; with ``jpeg``, the camera's own bytes of that frame, copied as they are.

        Either every frame comes with its JPEG or none does. Stamps must strictly increase.
        """
        origin_ns = self._times_ns[0] if self._times_ns else frame.t_frame_ns
        if self._times_ns and frame.t_frame_ns <= self._times_ns[-1]:
            raise SourceError(self.path, f"frame {frame.seq}: not later than the frame before it")
        pts_ms = next_pts_ms(self._last_pts_ms, frame.t_frame_ns - origin_ns)
        video, _ = self._working()
        video.write(frame.pixels, pts_ms, jpeg)
        self._times_ns.append(frame.t_frame_ns)
        self._last_pts_ms = pts_ms

    def finish(self, timeline: Timeline | None = None) -> Path:
        """Complete the recording with the light that was really shown and return its path.

        ``timeline`` is on the clock of the frames' stamps.

        Raises
        ------
        SourceError
            no frames, the disk is full, or the name was taken meanwhile; nothing is left behind.
        """
        video, folder = self._working()
        try:
            if not self._times_ns:
                raise SourceError(self.path, "no frames were written")
            origin_ns = self._times_ns[0]
            video.close()
            fields = self._complete(timeline, [t_ns - origin_ns for t_ns in self._times_ns])
            self._place(folder, session_json(fields))
        except CaptureError:
            self.abort()
            raise
        return self.path

    def abort(self) -> None:
        """Delete what was written; does nothing after `finish`."""
        if self._folder is not None:
            self._video.abandon()
            self._remove()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.abort()

    def _working(self) -> tuple[MkvWriter, Path]:
        if self._folder is None:
            raise SourceError(self.path, "the recording has been finished or given up")
        return self._video, self._folder

    def _complete(self, timeline: Timeline | None, times_ns: list[int]) -> dict[str, Any]:
        """Return the fields of ``session.json``, checked as a reader would."""
        light = light_fields(timeline, self._times_ns[0] if self._times_ns else 0)
        fields = self._fields | light | {"frames_t_ns": times_ns, "software": _software()}
        validated(self.path / SESSION, SessionDocument, fields)
        return fields

    def _place(self, folder: Path, session: bytes) -> None:
        """Bring both files to the disk, then give the folder its name."""
        try:
            (folder / SESSION).write_bytes(session)
            for name in (VIDEO, SESSION):
                _sync(folder / name)
            if self.path.exists():
                raise SourceError(self.path, "exists already")
            folder.rename(self.path)
            if os.name == "posix":  # Windows cannot open folders, and its rename is in the journal
                _sync(self.path.parent)
        except OSError as error:
            raise SourceError(self.path, f"cannot be written: {error.strerror}") from error
        self._folder = None

    def _remove(self) -> None:
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None


def remove_unfinished(path: Path) -> None:
    """Delete what a writer of that recording has written so far and will not complete."""
    for folder in path.parent.glob(f".{glob.escape(path.name)}.*.part"):
        shutil.rmtree(folder, ignore_errors=True)


def remove_abandoned(folder: Path, now_s: float | None = None) -> int:
    """Delete recordings that nobody completes any more, and return how many there were.

    A process that was killed leaves faces in a hidden folder. What has been written to within
    `ABANDONED_S` may belong to another process.
    """
    before_s = (time.time() if now_s is None else now_s) - ABANDONED_S
    removed = 0
    for part in folder.glob(f".*{SUFFIX}.*.part"):
        with suppress(FileNotFoundError):  # its owner has completed or removed it meanwhile
            newest_s = max(path.stat().st_mtime for path in (part, *part.iterdir()))
            if newest_s < before_s:
                shutil.rmtree(part, ignore_errors=True)
                removed += not part.exists()
    return removed


class RecordingCamera:
    """Replays a recording with the exact stamps of its session; the first is 0.

    Raises
    ------
    SourceError
        at construction: no recording, a video that is damaged or does not belong to
        ``session.json``. From ``read``: as `VideoCamera`.
    SidecarError
        a fault in ``session.json``, naming the field.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        if not self.path.is_dir():
            raise SourceError(self.path, f"no recording, expected a folder NAME{SUFFIX}")
        self.session: SessionDocument = read_session(self.path)
        self._video = VideoCamera(self.path / VIDEO)
        try:
            self._check()
        except SourceError:
            self._video.close()
            raise
        info = self._video.info
        self._info = self.session.camera_info(info.size_wh, info.fps)
        self._times_ns = [t_ns - self.session.frames_t_ns[0] for t_ns in self.session.frames_t_ns]

    @property
    def info(self) -> CameraInfo:
        """The camera that made the recording, with its provenance."""
        return self._info

    @property
    def duration_ns(self) -> int:
        """From the first stamp to the end of the last frame."""
        return self._video.duration_ns

    def timeline(self) -> Timeline | None:
        """Return the light of the session on the clock of the stamps; None without light."""
        return self.session.timeline()

    def read(self, timeout_s: float = 2.0) -> Frame | None:
        """Return the next frame, or None after the last."""
        frame = self._video.read(timeout_s)
        if frame is None:
            return None
        t_ns = self._times_ns[frame.seq]
        return replace(frame, t_frame_ns=t_ns, t_received_ns=t_ns)

    def close(self) -> None:
        """Release the files; idempotent."""
        self._video.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _check(self) -> None:
        """Compare session and video: number of frames, each one's time to the ms, their size."""
        times_ns, shown_ns = self.session.frames_t_ns, self._video.packet_times_ns
        file = self.path / SESSION
        if len(times_ns) != len(shown_ns):
            problem = f"lists {len(times_ns)} frames, {VIDEO} holds {len(shown_ns)}"
            raise SidecarError(file, "frames_t_ns", problem)
        pts_ms = -1
        for index, (t_ns, shown) in enumerate(zip(times_ns, shown_ns, strict=True)):
            pts_ms = next_pts_ms(pts_ms, t_ns - times_ns[0])
            if abs(shown - pts_ms * 1_000_000) > 1_000_000:
                problem = f"{t_ns} ns, but {VIDEO} shows that frame at {shown / 1e6:.0f} ms"
                raise SidecarError(file, f"frames_t_ns[{index}]", problem)
        size = self.session.camera.size_wh
        if size is not None and tuple(size) != self._video.info.size_wh:
            shown_size = "{}x{}".format(*self._video.info.size_wh)
            problem = f"expected that of {VIDEO}, {shown_size}, got {'{}x{}'.format(*size)}"
            raise SidecarError(file, "camera.size_wh", problem)


def next_pts_ms(before_ms: int, t_ns: int) -> int:
    """Return a frame's pts: whole ms, later than the one before even for frames < 1 ms apart."""
    return max(before_ms + 1, round(t_ns / 1_000_000))


def _head_fields(head: RecordingHead, created: datetime) -> dict[str, Any]:
    named = {} if head.reference is None else {"reference": head.reference}
    return {
        "format": FORMAT,
        "version": VERSION,
        "session_id": head.session_id,
        **named,
        "created": created.isoformat(timespec="milliseconds"),
        "provenance": head.camera.provenance.value,
        "camera": camera_fields(head.camera),
        "controls": dict(head.controls),
        "plan": plan_fields(head.plan),
    }


def _software() -> str:
    try:
        return f"facelight {version('facelight')}"
    except PackageNotFoundError:
        return "facelight (not installed)"


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY if path.is_dir() or os.name == "posix" else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
