"""Times of Matroska blocks that libavformat leaves out: those before time zero.

A block's time is that of its cluster plus a signed 16-bit number of its own (RFC 9559, 10.2).
libavformat 8 gives a block whose sum is negative no time at all, and a session's first frames
would be without a place.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, BinaryIO, Final

from av.packet import Packet

_CLUSTER: Final = bytes.fromhex("1f43b675")
_CLUSTER_TIME: Final = 0xE7
_BEFORE_ZERO: Final = 40_000
"""Bytes of the file that are searched for a cluster's head in one go."""


class BlockTimes:
    """Gives packets the time that their block has in the file; other containers are left alone."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def complete(self, packet: Packet[Any]) -> None:
        """Set ``pts`` of a packet that has none although its block has one."""
        if packet.pts is not None or not packet.size or packet.pos is None:
            return
        with self._path.open("rb") as file:
            if file.read(4) != b"\x1a\x45\xdf\xa3":
                return
            ticks = _block_ticks(file, packet.pos)
        if ticks is not None and ticks < 0:
            packet.pts = ticks


def _block_ticks(file: BinaryIO, position: int) -> int | None:
    """Return the time of the block whose content begins at ``position``, in the file's ticks."""
    file.seek(position)
    head = file.read(10)
    track_bytes = 9 - head[0].bit_length() if head else 9
    if len(head) < track_bytes + 2:
        return None
    own = int.from_bytes(head[track_bytes : track_bytes + 2], "big", signed=True)
    cluster = _cluster_ticks(file, position)
    return None if cluster is None else cluster + own


def _cluster_ticks(file: BinaryIO, position: int) -> int | None:
    """Return the time of the cluster that a position lies in: the last that begins before it."""
    end = position
    while end > 0:
        start = max(0, end - _BEFORE_ZERO)
        file.seek(start)
        chunk = file.read(end - start + len(_CLUSTER))
        found = chunk.rfind(_CLUSTER)
        if found >= 0:
            return _time_in(file, start + found + len(_CLUSTER))
        end = start
    return None


def _time_in(file: BinaryIO, position: int) -> int | None:
    """Return the cluster's time: the first element of it that is neither a checksum nor padding."""
    file.seek(position)
    head = file.read(64)
    at = 9 - head[0].bit_length()  # behind the cluster's own length
    while at + 2 < len(head):
        kind, length = head[at], head[at + 1] & 0x7F
        if kind == _CLUSTER_TIME:
            return int.from_bytes(head[at + 2 : at + 2 + length], "big")
        at += 2 + length
    return None
