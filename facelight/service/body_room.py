"""Memory for the bodies of all requests: taken as bytes arrive, so that slow ones hold little."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager


class BodyRoom:
    """Room for so many bytes; who brings more waits, in order, until others are done."""

    def __init__(self, most_bytes: int) -> None:
        self._free = most_bytes
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @contextmanager
    def share(self) -> Iterator[BodyShare]:
        """Give one request its share for as long as the block lasts."""
        share = BodyShare(self)
        try:
            yield share
        finally:
            self._free += share.held
            self._wake()

    async def reserve(self, count: int) -> None:
        """Wait for so many bytes."""
        if not self._waiting and count <= self._free:
            self._free -= count
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((count, turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._free += count  # it was given while the request was given up
            self._wake()
            raise

    def _wake(self) -> None:
        while self._waiting:
            count, turn = self._waiting[0]
            if not turn.done() and count > self._free:
                return
            self._waiting.popleft()
            if not turn.done():
                self._free -= count
                turn.set_result(None)


class BodyShare:
    """What one request holds."""

    def __init__(self, room: BodyRoom) -> None:
        self._room = room
        self.held = 0

    async def take(self, count: int) -> None:
        """Wait until so many bytes more have room, and hold them."""
        await self._room.reserve(count)
        self.held += count
