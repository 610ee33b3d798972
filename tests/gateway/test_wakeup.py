import asyncio

import pytest

from gateway.wakeup import Wakeup


async def test_who_waits_is_woken_once_for_all_that_came_before() -> None:
    wakeup, log = Wakeup(), list[str]()

    async def wait() -> None:
        for _ in range(2):
            await wakeup.wait()
            wakeup.clear()
            log.append("woken")

    waiting = asyncio.create_task(wait())
    await asyncio.sleep(0)
    wakeup.set()
    wakeup.set()
    await asyncio.sleep(0)
    assert log == ["woken"]
    wakeup.set()
    await waiting
    assert log == ["woken", "woken"]


async def test_what_came_before_anybody_waits_is_not_lost() -> None:
    wakeup = Wakeup()
    wakeup.set()
    await wakeup.wait()
    await wakeup.wait()
    wakeup.clear()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(wakeup.wait(), 0)


async def test_a_waiter_that_gives_up_leaves_the_next_one_its_turn() -> None:
    wakeup = Wakeup()
    first = asyncio.create_task(wakeup.wait())
    await asyncio.sleep(0)
    wakeup.set()
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    await wakeup.wait()
