"""A strict reader of animated WebP: structure only, no pixels.

It answers what a service has to know before it lets a decoder near the bytes: how many frames,
how large, how long. Whatever the bytes are, the answer is an ``Animation`` or a
``ContainerError``.
"""

from __future__ import annotations

from dataclasses import dataclass

from preprocess.errors import ContainerError
from preprocess.webp.riff import MAX_SIDE_PX, Chunk, Still, read_still, riff_body, walk

MAX_FRAMES = 10_000
"""More than five minutes at 30 a second; a hostile 25 MB file could hold half a million."""


@dataclass(frozen=True, slots=True)
class AnimationFrame:
    """One ``ANMF`` chunk: place on the canvas in pixels, time, and the picture itself."""

    left: int
    top: int
    duration_ms: int
    blend: bool
    dispose: bool
    still: Still


@dataclass(frozen=True, slots=True)
class Animation:
    """The structure of an animated WebP; ``loops`` 0 repeats for ever."""

    canvas_wh: tuple[int, int]
    alpha: bool
    loops: int
    frames: tuple[AnimationFrame, ...]

    @property
    def durations_ms(self) -> tuple[int, ...]:
        """How long each frame is shown."""
        return tuple(frame.duration_ms for frame in self.frames)


def read_animation(data: bytes) -> Animation:
    """Return the structure of ``data``; metadata and unknown chunks are passed over.

    Raises
    ------
    ContainerError
        for anything that is no complete animated WebP: a still picture, a truncated or lengthened
        file, a frame outside the canvas or of another size than its header says.
    """
    chunks = walk(riff_body(data))
    canvas_wh, alpha = _extended(next(chunks, Chunk(b"", b"")))
    loops: int | None = None
    frames: list[AnimationFrame] = []
    for chunk in chunks:
        if chunk.name == b"VP8X":
            raise ContainerError("two VP8X chunks")
        if chunk.name == b"ANIM":
            loops = _loops(chunk.payload, loops)
        elif chunk.name == b"ANMF":
            if loops is None:
                raise ContainerError("a frame (ANMF) before the ANIM chunk")
            if len(frames) == MAX_FRAMES:
                raise ContainerError(f"more than {MAX_FRAMES} frames")
            frames.append(_frame(chunk.payload, canvas_wh, len(frames)))
        elif chunk.name in {b"VP8 ", b"VP8L", b"ALPH"}:
            raise ContainerError(f"chunk {chunk.name!r} outside a frame")
    if not frames:
        raise ContainerError("no frame (ANMF) in the animation")
    return Animation(canvas_wh, alpha, loops or 0, tuple(frames))


def _extended(chunk: Chunk) -> tuple[tuple[int, int], bool]:
    if chunk.name != b"VP8X" or len(chunk.payload) != 10 or not chunk.payload[0] & 0x02:
        raise ContainerError("not an animated WebP: no VP8X chunk with the animation flag")
    width = int.from_bytes(chunk.payload[4:7], "little") + 1
    height = int.from_bytes(chunk.payload[7:10], "little") + 1
    if max(width, height) > MAX_SIDE_PX:
        raise ContainerError(f"a canvas of {width}x{height}; a side has at most {MAX_SIDE_PX}")
    return (width, height), bool(chunk.payload[0] & 0x10)


def _loops(payload: bytes, before: int | None) -> int:
    if before is not None:
        raise ContainerError("two ANIM chunks")
    if len(payload) != 6:
        raise ContainerError(f"ANIM: expected 6 bytes, got {len(payload)}")
    return int.from_bytes(payload[4:6], "little")


def _frame(payload: bytes, canvas_wh: tuple[int, int], index: int) -> AnimationFrame:
    if len(payload) < 16:
        raise ContainerError(f"frame {index}: expected a header of 16 bytes, got {len(payload)}")
    left, top, width, height, duration_ms = (
        int.from_bytes(payload[at : at + 3], "little") for at in range(0, 15, 3)
    )
    left, top, width, height = 2 * left, 2 * top, width + 1, height + 1
    if left + width > canvas_wh[0] or top + height > canvas_wh[1]:
        raise ContainerError(f"frame {index}: {width}x{height} at {left},{top} leaves the canvas")
    try:
        still = read_still(payload[16:])
    except ContainerError as error:
        raise ContainerError(f"frame {index}: {error}") from error
    if (still.width, still.height) != (width, height):
        raise ContainerError(
            f"frame {index}: the header says {width}x{height},"
            f" the picture is {still.width}x{still.height}"
        )
    return AnimationFrame(
        left, top, duration_ms, not payload[15] & 0b10, bool(payload[15] & 1), still
    )
