"""Is a video file all there? The containers' own lengths and checksums, compared with the bytes.

A demuxer reads a truncated Matroska file to the point where it breaks off and then reports an
ordinary end: the session would just be shorter. The boxes know better, and reading their headers
costs next to nothing.

Formats: EBML (RFC 8794), Matroska (RFC 9559), ISO base media (ISO/IEC 14496-12), RIFF AVI with
OpenDML extension.
"""

from __future__ import annotations

import io
import itertools
import os
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from capture.errors import SourceError
from capture.files.extent import check_elements

EXPECTED = "expected mp4, mov, mkv, webm or avi"

_EBML, _SEGMENT, _CLUSTER, _CRC32 = 0x1A45DFA3, 0x18538067, 0x1F43B675, 0xBF
_MOVIE_BOXES = frozenset({b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot", b"styp"})
_CHUNK = 1 << 20

_ASF: Final = bytes.fromhex("3026b2758e66cf11")
_REWRAP: Final = "rewrap it: ffmpeg -i FILE -map 0:v -c copy FILE.mkv"
_TRANSPORT_SYNC: Final = 0x47


@dataclass(frozen=True, slots=True)
class CheckedContainer:
    """A file whose bytes are all there.

    Attributes
    ----------
    demuxer : ``matroska``, ``mov`` or ``avi``, for libavformat.
    size : length of the file in bytes.
    end : where the recording ends; what lies behind it is not read.
    glued : what lies behind is another recording.
    """

    demuxer: str
    size: int
    end: int
    glued: bool = False

    @property
    def note(self) -> str:
        """What is to be said of the bytes behind the recording; empty where there are none."""
        if self.end >= self.size:
            return ""
        rest = f"the {self.size - self.end} bytes from byte {self.end} on"
        if self.glued:
            return f"a second video is glued to the first: {rest} are not read; split the file"
        return f"{rest} belong to no video and are not read"


def check_container(path: Path) -> CheckedContainer:
    """Return which container a file is, if its bytes are all there.

    Raises
    ------
    SourceError
        no file, empty, no known container, truncated, or damaged in its structure.
    """
    if not path.exists():
        raise SourceError(path, "no such file")
    if not path.is_file():
        raise SourceError(path, f"not a file, {EXPECTED}")
    try:
        with path.open("rb") as file:
            return _checked(path, file)
    except OSError as error:
        raise SourceError(path, f"cannot be read: {error.strerror or error}") from error


def _checked(path: Path, file: BinaryIO) -> CheckedContainer:
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    head = file.read(12)
    if not head:
        raise SourceError(path, "empty file")
    if head.startswith(_EBML.to_bytes(4, "big")):
        return _checked_ebml(path, file, size)
    if head.startswith(b"RIFF") and head[8:] == b"AVI ":
        return _checked_riff(path, file, size)
    if head[4:8] in _MOVIE_BOXES:
        return _checked_boxes(path, file, size)
    if kind := _unread_kind(head, file):
        raise SourceError(path, f"{kind}, which is not read, {EXPECTED}; {_REWRAP}")
    raise SourceError(path, f"no video, {EXPECTED}")


def _unread_kind(head: bytes, file: BinaryIO) -> str:
    """Return the name of a kind of video that is known and not read, empty for any other file."""
    by_head = {_ASF: "Windows Media (ASF)", b"FLV\x01": "Flash Video", b"OggS": "Ogg"}
    by_head |= {b"\0\0\x01\xba": "an MPEG program stream", b"\x06\x0e\x2b\x34": "MXF"}
    for start, kind in by_head.items():
        if head.startswith(start):
            return kind
    for offset, packet in ((0, 188), (4, 192)):  # ISO 13818-1, and with the stamps of AVCHD
        file.seek(offset)
        if file.read(2 * packet + 1)[::packet] == bytes([_TRANSPORT_SYNC] * 3):
            return "an MPEG transport stream"
    return ""


def _truncated(path: Path, missing: int) -> SourceError:
    return SourceError(path, f"truncated: the end is missing, at least {missing} bytes")


def _damaged(path: Path, position: int) -> SourceError:
    return SourceError(path, f"damaged at byte {position}")


class _EbmlWalk:
    """Goes through segment and clusters down to their blocks, verifying clusters' CRC-32.

    A live recording has no length on its segment and clusters; it is walked to the last block. A
    cluster holds no other, nor a segment: each would have the checksum of all within it.
    """

    def __init__(self, path: Path, file: BinaryIO, size: int) -> None:
        self._path = path
        self._file = file
        self._position = 0
        self._cluster_end = 0
        self._in_segment = False
        self.end = size

    def step(self) -> bool:
        """Take the next element; False where the recording ends."""
        if self._position >= self.end:
            return False
        kind, length, start = _ebml_header(self._path, self._file, self._position, self.end)
        if kind == _EBML and self._in_segment:
            self.end = self._position  # a live recording without a length, and another behind it
            return False
        if kind in {_SEGMENT, _CLUSTER}:
            self._enter(kind, length, start)
            self._position = start
        elif length is None:
            raise _damaged(self._path, self._position)
        else:
            self._position = start + length
        return True

    def check_end(self) -> None:
        """Raise SourceError where the last element is cut off, or there was no segment."""
        if self._position > self.end:
            raise _truncated(self._path, self._position - self.end)
        if not self._in_segment:
            raise SourceError(self._path, "truncated: it ends before its first frame")

    def _enter(self, kind: int, length: int | None, start: int) -> None:
        within = self._in_segment if kind == _SEGMENT else self._position < self._cluster_end
        if within:
            raise _damaged(self._path, self._position)
        self._in_segment = True
        if length is None:
            return
        if start + length > self.end:
            raise _truncated(self._path, start + length - self.end)
        if kind == _SEGMENT:
            self.end = start + length
        else:
            self._cluster_end = start + length
            _check_crc(self._path, self._file, start, length)


def _checked_ebml(path: Path, file: BinaryIO, size: int) -> CheckedContainer:
    walk = _EbmlWalk(path, file, size)
    for count in itertools.count():
        check_elements(path, count)
        if not walk.step():
            break
    walk.check_end()
    file.seek(walk.end)
    return CheckedContainer("matroska", size, walk.end, file.read(4) == _EBML.to_bytes(4, "big"))


def _ebml_header(
    path: Path, file: BinaryIO, position: int, limit: int
) -> tuple[int, int | None, int]:
    """Return an element's id, its length (None = unknown) and where its content begins."""
    file.seek(position)
    head = file.read(12)
    id_bytes = 9 - head[0].bit_length()
    if id_bytes > 4:
        raise _damaged(path, position)
    if len(head) <= id_bytes or position + id_bytes >= limit:
        raise _truncated(path, 1)
    length_bytes = 9 - head[id_bytes].bit_length()
    if length_bytes > 8:
        raise _damaged(path, position)
    start = id_bytes + length_bytes
    if len(head) < start:
        raise _truncated(path, start - len(head))
    ones = (1 << 7 * length_bytes) - 1
    length = int.from_bytes(head[id_bytes:start], "big") & ones
    kind = int.from_bytes(head[:id_bytes], "big")
    return kind, None if length == ones else length, position + start


def _check_crc(path: Path, file: BinaryIO, start: int, length: int) -> None:
    file.seek(start)
    head = file.read(6)
    if head[:2] != bytes((_CRC32, 0x84)):
        return
    crc, left = 0, length - 6
    while left > 0 and (chunk := file.read(min(_CHUNK, left))):
        crc = zlib.crc32(chunk, crc)
        left -= len(chunk)
    if crc != int.from_bytes(head[2:6], "little"):
        raise SourceError(path, f"damaged: checksum of the cluster at byte {start} does not match")


def _checked_boxes(path: Path, file: BinaryIO, size: int) -> CheckedContainer:
    """Walk the top-level boxes; the index (``moov``) must be among them."""
    position, seen = 0, set[bytes]()
    for count in itertools.count():
        if position >= size:
            break
        check_elements(path, count)
        file.seek(position)
        head = file.read(16)
        length, kind = int.from_bytes(head[:4], "big"), head[4:8]
        if length == 0 and any(kind):
            length = size - position
        elif length == 1:
            length = int.from_bytes(head[8:16], "big")
        if length < 8 or not (kind.isascii() and kind.decode("ascii").isprintable()):
            if {b"moov", b"mdat"} <= seen:  # padding that some cameras leave behind the last box
                return CheckedContainer("mov", size, position)
            raise _damaged(path, position)
        if position + length > size:
            raise _truncated(path, position + length - size)
        if kind == b"ftyp" and {b"moov", b"mdat"} <= seen:
            return CheckedContainer("mov", size, position, glued=True)
        seen.add(kind)
        position += length
    if b"moov" not in seen:
        raise SourceError(path, "no index (moov): the recording was never finished")
    return CheckedContainer("mov", size, size)


def _checked_riff(path: Path, file: BinaryIO, size: int) -> CheckedContainer:
    """Walk the RIFF chunks of the file (a long AVI has several)."""
    position = 0
    for count in itertools.count():
        if position >= size:
            break
        check_elements(path, count)
        file.seek(position, io.SEEK_SET)
        head = file.read(12)
        if position and (head[:4] != b"RIFF" or head[8:] == b"AVI "):
            return CheckedContainer("avi", size, position, glued=head[:4] == b"RIFF")
        length = int.from_bytes(head[4:8], "little")
        if length < 4:
            raise SourceError(path, "no length in its header: the recording was never finished")
        position += 8 + length + length % 2
        if position - length % 2 > size:
            raise _truncated(path, position - size)
    return CheckedContainer("avi", size, size)
