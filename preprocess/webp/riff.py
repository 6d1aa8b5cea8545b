"""The bytes beneath WebP: RIFF chunks and the two bitstream headers (RFC 9649)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from preprocess.errors import ContainerError

MAX_SIDE_PX = 16383
"""VP8 keeps 14 bits a side, and libwebp refuses what the larger canvas field could hold."""

VP8, VP8L, ALPH = b"VP8 ", b"VP8L", b"ALPH"
HEADER_BYTES = 8


class Chunk(NamedTuple):
    """One RIFF chunk: four letters and the payload without its padding."""

    name: bytes
    payload: bytes


@dataclass(frozen=True, slots=True)
class Still:
    """The compressed picture of one frame: ``VP8``, ``VP8L`` or ``ALPH`` + ``VP8`` chunks.

    Attributes
    ----------
    width, height : pixels, as the bitstream itself says.
    alpha : whether the picture has transparency.
    chunks : the chunks, headers and padding included, ready to be put into a container.
    """

    width: int
    height: int
    alpha: bool
    chunks: bytes

    def as_file(self) -> bytes:
        """Return the picture as a WebP file of its own."""
        body = self.chunks
        if self.alpha and body.startswith(ALPH):
            sides = (self.width - 1).to_bytes(3, "little") + (self.height - 1).to_bytes(3, "little")
            body = pack(b"VP8X", bytes([0x10, 0, 0, 0]) + sides) + body
        return pack(b"RIFF", b"WEBP" + body)


def pack(name: bytes, payload: bytes) -> bytes:
    """Return a chunk: name, length in little endian, payload, a zero where that is odd."""
    return b"".join((name, len(payload).to_bytes(4, "little"), payload, b"\0" * (len(payload) & 1)))


def walk(data: bytes, start: int = 0) -> Iterator[Chunk]:
    """Yield the chunks of ``data`` from ``start`` to its very end.

    Raises
    ------
    ContainerError
        where a chunk reaches beyond the data, or its padding is missing.
    """
    at = start
    while at < len(data):
        if len(data) - at < HEADER_BYTES:
            raise ContainerError(f"byte {at}: {len(data) - at} bytes where a chunk header needs 8")
        name = data[at : at + 4]
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        after = at + HEADER_BYTES + size + (size & 1)
        if after > len(data):
            raise ContainerError(f"byte {at}: chunk {name!r} of {size} bytes ends beyond the data")
        yield Chunk(name, data[at + HEADER_BYTES : at + HEADER_BYTES + size])
        at = after


def riff_body(data: bytes) -> bytes:
    """Return what follows ``RIFF size WEBP``; the size must be that of the data.

    Raises
    ------
    ContainerError
        for other data, a truncated file, or bytes after the end.
    """
    if len(data) < 12 or data[:4] != b"RIFF" or data[8:12] != b"WEBP":
        raise ContainerError("expected a WebP file (RIFF....WEBP)")
    size = int.from_bytes(data[4:8], "little") + HEADER_BYTES
    if size != len(data):
        raise ContainerError(f"the RIFF header says {size} bytes, the file has {len(data)}")
    return data[12:]


def read_still(chunks: bytes) -> Still:
    """Return the one picture that ``chunks`` hold; chunks of other kinds are left out.

    Raises
    ------
    ContainerError
        without exactly one bitstream, or where its header is malformed.
    """
    alpha = b""
    still: Still | None = None
    for chunk in walk(chunks):
        if chunk.name not in {ALPH, VP8, VP8L}:
            continue
        if still is not None:
            raise ContainerError(f"chunk {chunk.name!r} after the picture")
        if chunk.name == ALPH:
            alpha = _only_alpha(alpha, chunk)
        elif chunk.name == VP8:
            width, height = _vp8_size(chunk.payload)
            still = Still(width, height, bool(alpha), alpha + pack(*chunk))
        elif alpha:
            raise ContainerError("ALPH before a VP8L picture, which has its own transparency")
        else:
            width, height, transparent = _vp8l_size(chunk.payload)
            still = Still(width, height, transparent, pack(*chunk))
    if still is None:
        raise ContainerError("no picture: neither VP8 nor VP8L")
    return still


def _only_alpha(before: bytes, chunk: Chunk) -> bytes:
    if before:
        raise ContainerError("two ALPH chunks in one frame")
    if not chunk.payload:
        raise ContainerError("empty ALPH chunk")
    return pack(*chunk)


def _vp8_size(payload: bytes) -> tuple[int, int]:
    """Width and height of a VP8 key frame (RFC 6386, section 9.1)."""
    if len(payload) < 10 or payload[0] & 1 or payload[3:6] != b"\x9d\x01\x2a":
        raise ContainerError("VP8: not a key frame")
    width = int.from_bytes(payload[6:8], "little") & 0x3FFF
    height = int.from_bytes(payload[8:10], "little") & 0x3FFF
    if not (width and height):
        raise ContainerError(f"VP8: a picture of {width}x{height}")
    return width, height


def _vp8l_size(payload: bytes) -> tuple[int, int, bool]:
    """Width, height and transparency of a VP8L picture (RFC 9649, section 3.4)."""
    if len(payload) < 5 or payload[0] != 0x2F:
        raise ContainerError("VP8L: signature missing")
    bits = int.from_bytes(payload[1:5], "little")
    if bits >> 29:
        raise ContainerError(f"VP8L: version {bits >> 29}, expected 0")
    return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1, bool(bits >> 28 & 1)
