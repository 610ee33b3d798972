"""One deadline for all waits of a stream: it begins anew with each, and a wait that passes it is cancelled."""

import asyncio
from collections.abc import Iterator

import pytest

from gateway.silence import Silence


@pytest.fixture
def silence() -> Iterator[Silence]:
    short = Silence(0.05)
    yield short
    short.close()


async def late(seconds: float) -> str:
    await asyncio.sleep(seconds)
    return "here"


async def test_each_wait_has_all_of_the_time(silence: Silence) -> None:
    assert [await silence.wait(late(0.02)) for _ in range(5)] == ["here"] * 5


async def test_what_does_not_come_is_cancelled(silence: Silence) -> None:
    cancelled = asyncio.Event()

    async def never() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    for _ in range(2):
        cancelled.clear()
        with pytest.raises(TimeoutError):
            await silence.wait(never())
        assert cancelled.is_set()
    task = asyncio.current_task()
    assert task
    assert task.cancelling() == 0


async def test_no_time_runs_between_waits(silence: Silence) -> None:
    for _ in range(2):
        assert await silence.wait(late(0)) == "here"
        await asyncio.sleep(0.12)
    assert await silence.wait(late(0.02)) == "here"


async def test_a_wait_that_is_cancelled_from_outside_stays_so(silence: Silence) -> None:
    waiting = asyncio.create_task(silence.wait(late(5)))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_what_goes_wrong_comes_through(silence: Silence) -> None:
    with pytest.raises(asyncio.QueueEmpty):
        await silence.wait(fails())


async def fails() -> None:
    raise asyncio.QueueEmpty
