"""One pass over a video's packets, nothing decoded: its times, its length, whether it is whole."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import av
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from capture.errors import SourceError
from capture.files.container.block_times import BlockTimes
from capture.files.container.containers import CheckedContainer, check_container
from capture.files.extent import MAX_PIXELS, check_elements, check_frames, check_size

_CONFINED = {"protocol_whitelist": "file", "max_pixels": str(MAX_PIXELS)}
"""Options of libavformat and libavcodec: nothing but files, not even if a file names an address;
and no picture in memory that is larger than any camera's, whatever stands in its own header."""

_SLACK = Fraction(1, 10)
"""s; containers round their duration, and audio frames overlap its end by up to 43 ms."""


@dataclass(frozen=True, slots=True)
class VideoIndex:
    """What the packets of a video tell.

    Attributes
    ----------
    container : what the file is and where its recording ends.
    time_base : s per tick.
    pts : presentation times in ticks, ascending; one a packet, so frames that are never shown
        (alternate references of VP8) are among them.
    stamped : packets carry presentation times; AVI has none, its frames come at a fixed rate.
    interval_s : median distance of two frames.
    end_pts : end of the last frame, in ticks.
    notes : what is to be said of the file, one sentence each.
    """

    container: CheckedContainer
    time_base: Fraction
    pts: tuple[int, ...]
    stamped: bool
    interval_s: Fraction
    end_pts: int
    notes: tuple[str, ...] = ()

    @property
    def fps(self) -> float:
        """Mean frame rate."""
        span_s = (self.pts[-1] - self.pts[0]) * self.time_base
        return float((len(self.pts) - 1) / span_s if span_s else 1 / self.interval_s)


def ticks_to_ns(ticks: int, time_base: Fraction) -> int:
    """Return ticks in ns, rounded to the nearest."""
    return round(ticks * time_base * 1_000_000_000)


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn whatever libav reports into a SourceError of one line."""
    try:
        yield
    except av.error.FFmpegError as error:
        raise SourceError(path, f"no video that can be read: {error.strerror}") from error


class _Beginning(io.RawIOBase):
    """The bytes of a file up to where its recording ends: what is glued behind stays unseen."""

    def __init__(self, path: Path, end: int) -> None:
        self._file = path.open("rb")
        self._end = end

    def read(self, size: int = -1) -> bytes:
        left = max(0, self._end - self._file.tell())
        return self._file.read(left if size < 0 else min(size, left))

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if whence == io.SEEK_END:
            return self._file.seek(self._end + offset)
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def close(self) -> None:
        self._file.close()
        super().close()


def open_video(path: Path, checked: CheckedContainer) -> tuple[InputContainer, VideoStream]:
    """Open a file with its own demuxer only and return it with its moving picture.

    Of several the one marked default is taken, else the first; a cover picture is none. A fixed
    demuxer keeps a playlist in disguise from opening other files, and libav has no protocol but
    ``file:``.

    Raises
    ------
    SourceError
        not readable, without a video stream, or with pictures larger than any camera's.
    """
    with translated(path):
        whole = checked.end >= checked.size
        file: Any = f"file:{path}" if whole else _Beginning(path, checked.end)
        container: InputContainer = av.open(
            file, mode="r", format=checked.demuxer, metadata_errors="replace", options=_CONFINED
        )
    if streams := _moving(container):
        marked = [stream for stream in streams if stream.disposition & Disposition.default]
        stream = (marked or streams)[0]
        try:
            _confine(path, stream)
        except SourceError:
            container.close()
            raise
        return container, stream
    has_audio = bool(container.streams.audio)
    container.close()
    raise SourceError(path, "no video stream" + (", audio only" if has_audio else ""))


def _confine(path: Path, stream: VideoStream) -> None:
    """Check what the container says of the picture, and have the decoder check what it finds."""
    context: Any = stream.codec_context
    if context is None:
        raise SourceError(path, "its video has a codec that is not known here")
    check_size(path, context.width, context.height, "its picture is")
    context.options = {"max_pixels": _CONFINED["max_pixels"]}


def _moving(container: InputContainer) -> list[VideoStream]:
    """Return the video streams that are no cover picture."""
    streams = container.streams.video
    return [s for s in streams if not s.disposition & Disposition.attached_pic]


def index_video(path: Path) -> VideoIndex:
    """Read all packet headers of a video.

    Raises
    ------
    SourceError
        no readable video, no frames, truncated or damaged.
    """
    checked = check_container(path)
    container, stream = open_video(path, checked)
    stamped = checked.demuxer != "avi"
    notes = [checked.note] if checked.note else []
    with container, translated(path):
        streams = _moving(container)
        if len(streams) > 1:
            place = streams.index(stream) + 1
            notes.append(f"{len(streams)} video streams: number {place} is taken")
        pts, ends = _scan(path, container, stream.index, stamped)
        time_base = stream.time_base
        if not pts or time_base is None:
            raise SourceError(path, "the video stream has no frames")
        interval = round(median(b - a for a, b in pairwise(pts))) if len(pts) > 1 else 0
        interval = interval or _nominal_interval(stream.average_rate, time_base)
        _check_duration(path, container, ends, interval * time_base)
        end_pts = max(ends.get(stream.index, 0), pts[-1] + interval)
        span = (interval * time_base, end_pts)
        return VideoIndex(checked, time_base, tuple(pts), stamped, *span, tuple(notes))


def _scan(
    path: Path, container: InputContainer, video: int, stamped: bool
) -> tuple[list[int], dict[int, int]]:
    """Return the video's times, ascending, and for each stream the end of its last packet."""
    pts: list[int] = []
    ends: dict[int, int] = {}
    blocks = BlockTimes(path)
    for count, packet in enumerate(container.demux()):
        check_elements(path, count)
        check_frames(path, len(pts))
        blocks.complete(packet)
        stamp = packet.pts if stamped else packet.dts
        if packet.size == 0 or packet.is_discard or stamp is None:
            continue  # the flush packet, frames cut off by an edit list, attachments
        index = packet.stream_index
        if index == video:
            if packet.is_corrupt:
                raise SourceError(path, f"damaged: packet {len(pts)} is incomplete")
            pts.append(stamp)
        ends[index] = max(stamp + (packet.duration or 0), ends.get(index, stamp))
    return sorted(pts), ends


def _nominal_interval(rate: Fraction | None, time_base: Fraction) -> int:
    """Return the distance of two frames in ticks where the stamps do not tell it."""
    return max(1, round(1 / (rate or Fraction(30)) / time_base))


def _check_duration(
    path: Path, container: InputContainer, ends: dict[int, int], interval_s: Fraction
) -> None:
    """Compare the declared duration with the end of the last packet of any stream.

    Some muxers count it from zero and some from the first packet; the lesser claim holds.
    """
    if container.duration is None:
        return
    begin_s = Fraction(container.start_time or 0, av.time_base)
    declared_s = Fraction(container.duration, av.time_base) + min(begin_s, Fraction(0))
    latest_s = max(end * (container.streams[i].time_base or 0) for i, end in ends.items())
    if declared_s - latest_s > _SLACK + 3 * interval_s / 2:
        raise SourceError(
            path,
            f"truncated: declares {float(declared_s):.2f} s, "
            f"its frames end after {float(latest_s):.2f} s",
        )
