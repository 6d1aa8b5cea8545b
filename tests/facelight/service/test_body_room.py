"""Room for bodies: given in order, given back whatever happens."""

from __future__ import annotations

import asyncio

import pytest

from facelight.service.body_room import BodyRoom


def test_who_brings_too_much_waits_for_the_others() -> None:
    async def scene() -> list[str]:
        room, order = BodyRoom(10), []

        async def brings(name: str, count: int) -> None:
            with room.share() as share:
                await share.take(count)
                order.append(name)
                await asyncio.sleep(0)

        await asyncio.gather(brings("a", 8), brings("b", 6), brings("c", 2), brings("d", 10))
        return order

    assert asyncio.run(scene()) == ["a", "b", "c", "d"]


@pytest.mark.parametrize(
    "late", [pytest.param(False, id="waiting"), pytest.param(True, id="given")]
)
def test_who_is_given_up_takes_nothing_with_it(late: bool) -> None:
    async def scene() -> None:
        room = BodyRoom(10)
        with room.share() as first:
            await first.take(10)
            waiting = asyncio.create_task(room.reserve(5))
            await asyncio.sleep(0)
            if not late:
                waiting.cancel()
        if late:
            waiting.cancel()  # its turn has come and it has not run yet
        with pytest.raises(asyncio.CancelledError):
            await waiting
        async with asyncio.timeout(60):
            await room.reserve(10)

    asyncio.run(scene())
