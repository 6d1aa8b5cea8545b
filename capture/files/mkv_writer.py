"""Lossless Matroska: a camera's own JPEGs copied as they are, anything else as FFV1."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import cast

import av
from av.codec.context import Flags
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from capture.errors import SourceError
from capture.frame import ImageU8

_MILLISECOND = Fraction(1, 1000)

_FFV1 = {"level": "3", "coder": "0", "context": "0", "g": "1", "slices": "4", "slicecrc": "1"}
"""Every frame a key frame with checksums; Golomb-Rice codes are 12 % larger than the range coder's
and decode twice as fast. The number of slices is fixed, so bytes don't depend on the machine."""

_JPEG_START = b"\xff\xd8\xff"


class MkvWriter:
    """Writes one video stream; whether it is MJPEG or FFV1 is decided by the first frame.

    Equal frames give equal bytes: no dates, random ids or library versions are written.

    Parameters
    ----------
    file : what is written.
    size_wh : of every frame, in pixels.
    path : what errors name: the recording, not the file that it is written to meanwhile.

    Raises
    ------
    SourceError
        the file cannot be written, a frame has another size or is of another kind than the first,
        or the ``jpeg`` is none.
    """

    def __init__(self, file: Path, size_wh: tuple[int, int], path: Path) -> None:
        self._path = path
        self._size_wh = size_wh
        self._jpeg: bool | None = None
        self._reformatter = VideoReformatter()
        try:
            self._container = av.open(
                f"file:{file}", "w", format="matroska", container_options={"fflags": "+bitexact"}
            )
        except av.error.FFmpegError as error:
            raise self._unwritable(error) from error

    def write(self, pixels: ImageU8, pts_ms: int, jpeg: bytes | None) -> None:
        """Add a frame, (H, W, 3) uint8 BGR; with ``jpeg``, those bytes in place of the pixels."""
        if jpeg is not None and not jpeg.startswith(_JPEG_START):
            raise SourceError(self._path, f"frame at {pts_ms} ms: expected JPEG bytes")
        width, height = self._size_wh
        if pixels.shape != (height, width, 3):
            raise SourceError(self._path, f"frame at {pts_ms} ms: expected {width}x{height} pixels")
        try:
            if self._jpeg is None:
                self._jpeg = jpeg is not None
                self._stream = self._jpeg_stream() if self._jpeg else self._ffv1_stream()
            if self._jpeg != (jpeg is not None):
                kind = "JPEG bytes" if self._jpeg else "pixels only"
                raise SourceError(self._path, f"frame at {pts_ms} ms: expected {kind}, as before")
            self._mux(pixels, pts_ms, jpeg)
        except av.error.FFmpegError as error:
            raise self._unwritable(error) from error

    def close(self) -> None:
        """Write what is held back and the index."""
        try:
            if self._jpeg is False:
                self._container.mux(self._stream.encode(None))
            self._container.close()
        except av.error.FFmpegError as error:
            raise self._unwritable(error) from error

    def abandon(self) -> None:
        """Let go of the file as it is; it is going to be deleted."""
        try:
            self._container.close()
        except av.error.FFmpegError:
            return  # the disk that refused the frames refuses the index too

    def _jpeg_stream(self) -> VideoStream:
        width, height = self._size_wh
        muxed = self._container.add_mux_stream("mjpeg", width=width, height=height)
        stream = cast("VideoStream", muxed)
        stream.time_base = _MILLISECOND
        return stream

    def _ffv1_stream(self) -> VideoStream:
        stream = self._container.add_stream("ffv1", options=dict(_FFV1))
        stream.width, stream.height = self._size_wh
        stream.pix_fmt = "bgr0"
        stream.time_base = stream.codec_context.time_base = _MILLISECOND
        stream.codec_context.thread_type = "SLICE"
        stream.codec_context.flags |= Flags.bitexact
        return stream

    def _mux(self, pixels: ImageU8, pts_ms: int, jpeg: bytes | None) -> None:
        if jpeg is not None:
            packet = av.Packet(jpeg)
            packet.stream = self._stream
            packet.pts = packet.dts = pts_ms
            packet.time_base = _MILLISECOND
            packet.is_keyframe = True
            self._container.mux(packet)
            return
        picture = VideoFrame.from_ndarray(pixels, format="bgr24")
        picture = self._reformatter.reformat(picture, format="bgr0", threads=1)
        picture.pts, picture.time_base = pts_ms, _MILLISECOND
        self._container.mux(self._stream.encode(picture))

    def _unwritable(self, error: av.error.FFmpegError) -> SourceError:
        return SourceError(self._path, f"cannot be written: {error.strerror}")
