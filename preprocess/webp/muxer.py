"""Stills into an animated WebP, one frame a still.

libwebp's own animation encoder merges frames that differ little, so that frame *n* of the file
would no longer be entry *n* of the metadata. Here each still becomes one ``ANMF`` chunk as it is:
whole canvas, no blending, nothing compared. Layout: RFC 9649, section 2.7.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from itertools import pairwise

from preprocess.errors import EncodeError
from preprocess.webp.riff import MAX_SIDE_PX, Still, pack

FILE_OVERHEAD_BYTES = 12 + 18 + 14
"""RIFF header, VP8X and ANIM chunk."""

FRAME_OVERHEAD_BYTES = 8 + 16
"""ANMF chunk header and frame header; a still's chunks are even in length, so no padding."""

MAX_DURATION_MS = (1 << 24) - 1
ONLY_FRAME_MS = 33
"""Duration of the only frame of a clip: nothing says it, so one interval at 30 frames a second."""

_NO_BLEND = 0b10
_ANIMATION, _ALPHA = 0x02, 0x10


def mux(stills: Sequence[Still], durations_ms: Sequence[int]) -> bytes:
    """Return the animated WebP that shows ``stills`` for ``durations_ms``, over and over.

    Raises
    ------
    EncodeError
        without stills, with stills of different sizes or a side above 16383 pixels, or with a
        duration outside 1 to 16777215 ms.
    """
    _check(stills, durations_ms)
    first = stills[0]
    flags = _ANIMATION | (_ALPHA if any(still.alpha for still in stills) else 0)
    sides = (first.width - 1).to_bytes(3, "little") + (first.height - 1).to_bytes(3, "little")
    parts = [
        pack(b"VP8X", bytes([flags, 0, 0, 0]) + sides),
        pack(b"ANIM", bytes(6)),
    ]
    for still, duration_ms in zip(stills, durations_ms, strict=True):
        head = bytes(6) + sides + duration_ms.to_bytes(3, "little") + bytes([_NO_BLEND])
        size = (len(head) + len(still.chunks)).to_bytes(4, "little")
        parts += (b"ANMF", size, head, still.chunks)
    size = (4 + sum(map(len, parts))).to_bytes(4, "little")
    return b"".join((b"RIFF", size, b"WEBP", *parts))


def muxed_bytes(chunk_bytes: Sequence[int]) -> int:
    """Return the size of the file that ``mux`` makes of stills with these chunk lengths."""
    return FILE_OVERHEAD_BYTES + FRAME_OVERHEAD_BYTES * len(chunk_bytes) + sum(chunk_bytes)


def durations_ms(t_ms: Sequence[int]) -> tuple[int, ...]:
    """Return how long each frame is shown: until the next; the last for the median of the others.

    ``t_ms`` increases strictly; gaps above the field's 16777215 ms are shown as that.
    """
    gaps = [min(b - a, MAX_DURATION_MS) for a, b in pairwise(t_ms)]
    last = statistics.median_low(gaps) if gaps else ONLY_FRAME_MS
    return (*gaps, last)


def _check(stills: Sequence[Still], durations_ms: Sequence[int]) -> None:
    if not stills:
        raise EncodeError("an animation needs at least one frame, got none")
    if len(durations_ms) != len(stills):
        raise EncodeError(f"{len(stills)} stills with {len(durations_ms)} durations")
    sizes = sorted({(still.width, still.height) for still in stills})
    if len(sizes) > 1:
        raise EncodeError(f"all stills must be of one size, got {sizes[0]} and {sizes[-1]}")
    width, height = sizes[0]
    if not (1 <= width <= MAX_SIDE_PX and 1 <= height <= MAX_SIDE_PX):
        raise EncodeError(f"a side of a WebP has 1 to {MAX_SIDE_PX} pixels, got {width}x{height}")
    for duration_ms in durations_ms:
        if not 1 <= duration_ms <= MAX_DURATION_MS:
            raise EncodeError(f"expected a duration of 1 to {MAX_DURATION_MS} ms: {duration_ms}")
