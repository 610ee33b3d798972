"""What has gathered goes together: the first at once, then a frame a window, the end at once."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

import pytest

from gateway.pacing import LONGEST_SECONDS, MOST, Gathered, Load, gathered, paced

NEVER = 3600.0


class Windowed(Load):
    """Has the window that a test says."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds

    @property
    def window(self) -> float:
        return self.seconds


class Source:
    """Gives what is put into it; None ends it, an exception is raised."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[str | Exception | None] = asyncio.Queue()
        self.taken, self.closed = 0, False

    def put(self, *items: str | Exception | None) -> None:
        for item in items:
            self.queue.put_nowait(item)

    async def __aiter__(self) -> AsyncGenerator[str]:
        try:
            while (item := await self.queue.get()) is not None:
                if isinstance(item, Exception):
                    raise item
                self.taken += 1
                yield item
        finally:
            self.closed = True


async def settled() -> None:
    """Let every task that can go on go on."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_the_first_leaves_at_once_and_the_end_does_not_wait() -> None:
    source, load = Source(), Windowed(NEVER)
    async with Gathered(aiter(source), load) as gathered:
        assert load.streams == 1
        source.put("a")
        assert await gathered.take() == ["a"]
        source.put("b", "c")
        await settled()
        assert source.taken == 3
        waiting = asyncio.create_task(gathered.take())
        await settled()
        assert not waiting.done()
        source.put("d", None)
        assert await waiting == ["b", "c", "d"]
        assert await gathered.take() == []
    assert load.streams == 0


async def test_what_comes_within_a_window_leaves_behind_it() -> None:
    source = Source()
    loop = asyncio.get_running_loop()
    async with Gathered(aiter(source), Windowed(0.02)) as gathered:
        source.put("a")
        await gathered.take()
        began = loop.time()
        source.put("b")
        assert await gathered.take() == ["b"]
        assert loop.time() - began > 0.019


async def test_what_comes_behind_a_window_leaves_at_once() -> None:
    source, load = Source(), Windowed(0)
    async with Gathered(aiter(source), load) as gathered:
        source.put("a")
        await gathered.take()
        load.seconds = NEVER
        source.put("b")
        assert await gathered.take() == ["b"]


async def test_a_failure_comes_behind_what_came_before_it() -> None:
    source = Source()
    async with Gathered(aiter(source), Windowed(NEVER)) as gathered:
        source.put("a", "b", ZeroDivisionError())
        await settled()
        assert await gathered.take() == ["a", "b"]
        with pytest.raises(ZeroDivisionError):
            await gathered.take()


async def test_a_take_that_is_given_up_loses_nothing() -> None:
    source = Source()
    async with Gathered(aiter(source), Windowed(0)) as gathered:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(gathered.take(), 0.001)
        source.put("a")
        assert await gathered.take() == ["a"]


async def test_a_source_is_not_read_on_while_too_much_waits() -> None:
    source = Source()
    async with Gathered(aiter(source), Windowed(0)) as gathered:
        source.put(*["a"] * (2 * MOST))
        await settled()
        assert source.taken == MOST
        assert len(await gathered.take()) == MOST
        await settled()
        assert source.taken == 2 * MOST


async def test_leaving_closes_the_source() -> None:
    source = Source()
    async with Gathered(aiter(source), Windowed(0)):
        await settled()
    assert source.closed


def test_the_window_grows_with_the_streams_up_to_its_bound() -> None:
    load, windows = Load(), []
    for load.streams in (0, 1, 8, 64, 1000):
        windows.append(load.window)
    assert windows == [0.0, 0.004, 0.032, LONGEST_SECONDS, LONGEST_SECONDS]
    assert load.gather == LONGEST_SECONDS / 5


async def test_batches_that_come_within_a_window_are_one() -> None:
    async def source() -> AsyncGenerator[Sequence[str]]:
        yield ["a", "b"]
        yield ["c"]

    async with aclosing(gathered(source())) as batches:
        assert [batch async for batch in batches] == [["a", "b", "c"]]


async def test_between_two_batches_a_source_that_gathers_by_itself_rests() -> None:
    source, load = Source(), Windowed(0.02)
    loop = asyncio.get_running_loop()
    async with aclosing(paced(aiter(source), load)) as batches:
        source.put("a", "b", None)
        assert await anext(batches) == "a"
        began = loop.time()
        waiting = asyncio.create_task(anext(batches))
        await settled()
        assert (source.taken, load.streams) == (1, 1)
        assert await waiting == "b"
        assert loop.time() - began > 0.019
        with pytest.raises(StopAsyncIteration):
            await anext(batches)
    assert (source.closed, load.streams) == (True, 0)


async def test_a_paced_source_that_is_given_up_in_its_rest_is_closed() -> None:
    source, load = Source(), Windowed(NEVER)
    batches = paced(aiter(source), load)
    source.put("a", "b")
    assert await anext(batches) == "a"
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(anext(batches), 0.001)
    assert (source.taken, source.closed, load.streams) == (1, True, 0)
