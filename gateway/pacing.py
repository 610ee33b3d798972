"""How items travel, from one deployment to the next and to the socket: what has gathered goes together.

The first leaves at once, then at most one frame a window; the end waits only where a socket is read (`paced`).
The window grows with the streams that this process serves, since what a frame costs is the same however much is in it.
Knows nothing of what items are.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Generic, Self, TypeVar

from gateway.wakeup import Wakeup

T = TypeVar("T")

SECONDS_A_STREAM, LONGEST_SECONDS = 0.004, 0.1
"""The window for each stream of this process, and its bound: for one stream shorter than the pace of any model."""
FRAMES_A_WINDOW = 5
"""Of a link: its streams' own windows begin at any time, and what one of them has should not wait for a second one."""
MOST = 1000
"""Batches that wait in one stream; its source is not read on while they do."""


class Load:
    """How many streams there are."""

    def __init__(self) -> None:
        self.streams = 0

    @property
    def window(self) -> float:
        """Seconds from a frame of a stream to its next one, at least."""
        return min(LONGEST_SECONDS, self.streams * SECONDS_A_STREAM)

    @property
    def gather(self) -> float:
        """Seconds from a frame of a link, which many streams share, to its next one, at least."""
        return self.window / FRAMES_A_WINDOW


PROCESS = Load()


class Gathered(Generic[T]):
    """`take` gives what has come from `source` since it was asked last. Enter it to read on meanwhile; leaving it stops
    and closes the source."""

    def __init__(self, source: AsyncGenerator[T], load: Load = PROCESS) -> None:
        self._source, self._load = source, load
        self._loop = asyncio.get_running_loop()
        self._items: list[T] = []
        self._due = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._ready, self._room = Wakeup(), Wakeup()

    async def __aenter__(self) -> Self:
        self._load.streams += 1
        self._reader = asyncio.create_task(self._read())
        self._reader.add_done_callback(lambda _: self._ready.set())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._load.streams -= 1
        if self._timer:
            self._timer.cancel()
        self._reader.cancel()
        await asyncio.gather(self._reader, return_exceptions=True)
        await self._source.aclose()

    async def take(self) -> list[T]:
        """Nothing at the end, or what the source raises; it may be given up, and nothing is lost."""
        await self._ready.wait()
        items, self._items = self._items, []
        if not items:
            await self._reader
            return items
        if not self._reader.done():
            self._ready.clear()
        self._due = self._loop.time() + self._load.window
        self._room.set()
        return items

    async def _read(self) -> None:
        async with aclosing(self._source):
            async for item in self._source:
                self._items.append(item)
                if len(self._items) == 1:
                    self._begin()
                elif len(self._items) >= MOST:
                    self._room.clear()
                    await self._room.wait()

    def _begin(self) -> None:
        """The first item of a frame is here."""
        if self._due <= self._loop.time():
            self._ready.set()
        else:
            self._timer = self._loop.call_at(self._due, self._ready.set)


async def gathered(source: AsyncGenerator[Sequence[T]]) -> AsyncGenerator[list[T]]:
    """The items of `source`'s batches: the first at once, then what has gathered, at most once a window."""
    async with Gathered(source) as gathering:
        while batches := await gathering.take():
            yield [item for batch in batches for item in batch]


async def paced(source: AsyncGenerator[T], load: Load = PROCESS) -> AsyncGenerator[T]:
    """The same of a source that gathers by itself while it is not read, as a socket does: between two of its batches it
    rests for a window. So may its end, where that comes by itself."""
    loop = asyncio.get_running_loop()
    load.streams += 1
    try:
        async with aclosing(source):
            async for batch in source:
                due = loop.time() + load.window
                yield batch
                await asyncio.sleep(due - loop.time())
    finally:
        load.streams -= 1
