"""Any video file as a camera: exact times, upright pictures, one conversion to BGR."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import av
from av.video.frame import VideoFrame

from capture.camera import CameraInfo, Provenance
from capture.errors import CameraError, SourceError
from capture.files.container.block_times import BlockTimes
from capture.files.container.video_index import index_video, open_video, ticks_to_ns
from capture.files.extent import check_size
from capture.files.pictures.picture import PictureConverter
from capture.frame import Frame

MAX_THREADS = 4
"""Threads over the slices of one frame. Not over frames: FFmpeg 8.1's HEVC decoder waits for ever
there when a frame is damaged, and at 1 to 3 ms a frame (720p) little would be won."""


class VideoCamera:
    """The frames of a video file (mp4, mkv, webm, avi, mov) in the order of presentation.

    - ``t_frame_ns`` is 0 at the first frame's pts and exact after it, for variable frame rates
      too; ``t_received_ns`` is the same. AVI has no pts: its frames come at their places in a fixed
      rate, with the gaps that the capture left.
    - A rotation or mirror in the file's display matrix is applied; pixels are upright.
    - Pixels are those of ``VideoFrame.to_ndarray(format="bgr24")``, whatever the file's format;
      pixels that are not square are resampled, HDR (HLG, PQ) becomes SDR: as a viewer shows them.
      Alpha is dropped: what it hides is shown.
    - Of several video streams the one marked default is taken. ``notes`` say that, and what else
      the pixels do not show.
    - Matroska's blocks before time zero, which libavformat leaves without a time, keep their own.
    - A frame stamped like the one before it is a repeat: it is left out, ``seq`` skips it, and
      ``repeats`` counts it. A stamp that goes back is an error: no label could be trusted.

    Raises
    ------
    SourceError
        at construction: missing, empty, no video, no frames, truncated, damaged structure.
        From ``read``, at every call from then on: damaged data, a change of size, time that goes
        back.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.repeats = 0
        self._index = index_video(self.path)
        self._container, self._stream = open_video(self.path, self._index.container)
        self._stream.thread_type = "SLICE"
        self._stream.thread_count = min(MAX_THREADS, os.cpu_count() or 1)
        self._pictures = self._demuxed()
        self._converter = PictureConverter(self._stream.sample_aspect_ratio)
        self._open = True
        self._seq = 0
        self._first_pts = 0
        self._last: Frame | None = None
        self._failure: SourceError | None = None
        try:
            self._first = self._decoded()
        except SourceError:
            self.close()
            raise
        if self._first is None:
            self.close()
            raise SourceError(self.path, "none of its frames can be decoded")
        self._info = CameraInfo(
            id=str(self.path),
            name=self.path.name,
            size_wh=self._first.size_wh,
            fps=self._index.fps,
            provenance=Provenance.IMPORTED,
            details={
                "codec": self._stream.codec_context.name,
                "container": self._index.container.demuxer,
            },
        )

    @property
    def info(self) -> CameraInfo:
        """Name, upright size, and mean frame rate."""
        return self._info

    @property
    def duration_ns(self) -> int:
        """From the first pts to the end of the last frame."""
        return self._since_first_ns(self._index.end_pts)

    @property
    def interval_ns(self) -> int:
        """Median distance of two frames."""
        return round(self._index.interval_s * 1_000_000_000)

    @property
    def packet_times_ns(self) -> tuple[int, ...]:
        """Times of all packets, ascending, on the clock of ``t_frame_ns``."""
        return tuple(self._since_first_ns(pts) for pts in self._index.pts)

    def read(self, timeout_s: float = 2.0) -> Frame | None:  # noqa: ARG002 - a file never waits
        """Return the next frame, or None after the last."""
        if not self._open:
            raise CameraError(f"{self.path}: the file is closed")
        if self._failure is not None:
            raise self._failure
        if self._first is not None:
            frame, self._first = self._first, None
            return frame
        try:
            return self._decoded()
        except SourceError as error:
            self._failure = error
            raise

    def close(self) -> None:
        """Release the file; idempotent."""
        if self._open:
            self._open = False
            self._first = self._last = None
            self._container.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def notes(self) -> tuple[str, ...]:
        """What is to be said of the file and of its pictures, one sentence each."""
        return (*self._index.notes, *self._converter.notes)

    def _demuxed(self) -> Iterator[VideoFrame]:
        blocks = BlockTimes(self.path)
        for packet in self._container.demux(self._stream):
            blocks.complete(packet)
            yield from packet.decode()

    def _decoded(self) -> Frame | None:
        """Decode the next frame that has a stamp of its own."""
        while True:
            try:
                picture = next(self._pictures, None)
                if picture is None:
                    self._check_end()
                    return None
                frame = self._frame(picture)
            except av.error.FFmpegError as error:
                raise SourceError(
                    self.path, f"damaged: frame {self._seq} cannot be decoded ({error.strerror})"
                ) from error
            self._seq += 1
            if self._last is None or frame.t_frame_ns > self._last.t_frame_ns:
                self._last = frame
                return frame
            self.repeats += 1

    def _frame(self, picture: VideoFrame) -> Frame:
        number, last = self._seq, self._last
        if picture.is_corrupt:
            raise SourceError(self.path, f"damaged: frame {number} is incomplete")
        shown = self._converter.shown_size(picture.width, picture.height)
        check_size(self.path, *shown, what=f"frame {number} is")
        t_ns = self._time_ns(picture)
        if last is not None and t_ns < last.t_frame_ns:
            raise SourceError(
                self.path,
                f"time goes back at frame {number}: {t_ns / 1e6:.3f} ms after "
                f"{last.t_frame_ns / 1e6:.3f} ms",
            )
        frame = Frame(number, t_ns, t_ns, self._converter.bgr(picture))
        if last is not None and frame.pixels.shape != last.pixels.shape:
            was = "{}x{}".format(*last.size_wh)
            sized = "{}x{}".format(*frame.size_wh)
            raise SourceError(
                self.path, f"the picture's size changes at frame {number}: {sized}, before {was}"
            )
        return frame

    def _time_ns(self, picture: VideoFrame) -> int:
        index = self._index
        pts: int | None
        pts = self._unstamped_time(picture) if not index.stamped else picture.pts
        if pts is None:
            raise SourceError(self.path, f"frame {self._seq} has no timestamp")
        if self._seq == 0:
            self._first_pts = pts
        return self._since_first_ns(pts)

    def _unstamped_time(self, picture: VideoFrame) -> int:
        """Return the time of a frame of a container without presentation times.

        The decoder hands them out in order of presentation and knows the place of each, gaps
        included; one that it has no place for gets that of its packet by number.
        """
        own = picture.pts if picture.pts is not None else picture.dts
        if own is not None:
            return int(own)
        if self._seq >= len(self._index.pts):
            raise SourceError(self.path, f"frame {self._seq} has no packet of its own")
        return self._index.pts[self._seq]

    def _since_first_ns(self, pts: int) -> int:
        return ticks_to_ns(pts - self._first_pts, self._index.time_base)

    def _check_end(self) -> None:
        """Find out whether the decoder gave up before the last packet."""
        if self._last is None:
            return
        missing_ns = self._since_first_ns(self._index.pts[-1]) - self._last.t_frame_ns
        if missing_ns > 2.5e9 * self._index.interval_s:
            raise SourceError(
                self.path,
                f"damaged: nothing can be decoded after frame {self._seq - 1}, "
                f"{missing_ns / 1e6:.0f} ms before the end",
            )
