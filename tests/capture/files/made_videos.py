"""Small videos with known content, made with PyAV: every frame carries its number in its shade."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from capture.frame import ImageU8


def picture(number: int, size_wh: tuple[int, int] = (64, 48)) -> ImageU8:
    """A frame with a gradient, a bright top-left corner and the number in its red channel."""
    width, height = size_wh
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[..., 0] = np.linspace(0, 200, width, dtype=np.uint8)
    pixels[..., 1] = np.linspace(0, 120, height, dtype=np.uint8)[:, np.newaxis]
    pixels[..., 2] = (number * 7) % 256
    pixels[: height // 4, : width // 4] = 255
    return pixels


def make_video(
    path: Path,
    times_ms: Sequence[int] = tuple(range(0, 400, 40)),
    *,
    codec: str = "ffv1",
    pix_fmt: str = "bgr0",
    size_wh: tuple[int, int] = (64, 48),
    rotation: tuple[float, bool, bool] | None = None,
    options: dict[str, str] | None = None,
    stamps_ms: Sequence[int] | None = None,
    encoder_options: dict[str, str] | None = None,
) -> Path:
    """Write frames at the given times; the ending chooses the container.

    ``stamps_ms`` are written instead, in whatever order: the decoding times still increase.
    """
    with av.open(str(path), "w", options=options or {}) as container:
        stream = container.add_stream(codec, rate=25)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height = size_wh
        stream.pix_fmt = pix_fmt
        stream.codec_context.options = encoder_options or {}
        stream.time_base = stream.codec_context.time_base = (
            Fraction(1, 25) if path.suffix == ".avi" else Fraction(1, 1000)
        )
        if rotation is not None:
            stream.set_display_rotation(rotation[0], hflip=rotation[1], vflip=rotation[2])
        container.start_encoding()
        for number, t_ms in enumerate(times_ms):
            frame = av.VideoFrame.from_ndarray(picture(number, size_wh), format="bgr24")
            frame = frame.reformat(format=pix_fmt)
            frame.time_base = stream.codec_context.time_base
            frame.pts = round(Fraction(t_ms, 1000) / frame.time_base)
            packets = stream.encode(frame)
            if stamps_ms is not None:
                for packet in packets:
                    packet.pts, packet.dts = stamps_ms[number], number - 1000
            container.mux(packets)
        container.mux(stream.encode(None))
    return path


def make_audio(path: Path) -> Path:
    """Write a file with half a second of sound and no picture."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=48_000)
        for start in range(0, 24_000, 1024):
            frame = av.AudioFrame.from_ndarray(
                np.zeros((1, 1024), np.float32), format="fltp", layout="mono"
            )
            frame.sample_rate, frame.pts = 48_000, start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path
