"""Wait for the state of another process, which does not announce its changes."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


async def until(condition: Callable[[], object], *, seconds: float = 120, pause: float = 0.1) -> None:
    """Call `condition`, a function or a coroutine function, until its result is true. Fail after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (await result if inspect.isawaitable(result := condition()) else result):
        assert time.monotonic() < deadline, f"still not true after {seconds} seconds"
        await asyncio.sleep(pause)


async def last_read(
    read: Callable[[], Awaitable[T]], wanted: Callable[[T], object], *, seconds: float = 120, pause: float = 0.1
) -> T:
    """Call `read` until its result is `wanted`, for `seconds` at most. Return the last result, to be asserted on."""
    deadline = time.monotonic() + seconds
    while True:
        result = await read()
        if wanted(result) or time.monotonic() > deadline:
            return result
        await asyncio.sleep(pause)
