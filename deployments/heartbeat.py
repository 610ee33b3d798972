"""What a stream sends while it has nothing to say, so that nobody between takes it for dead.

What Ray adds here: nothing.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable

from gateway.wire import sse

EVENT_EVERY = 3
"""Beats between events: some clients take no notice of comments, and give up after 60 s."""


async def beating(
    chunks: AsyncGenerator[bytes], seconds: float, keep_alive: Callable[[], bytes]
) -> AsyncGenerator[bytes]:
    """The chunks, and after every `seconds` without one a comment; every third one is an event, `keep_alive()`."""
    silent = 0
    upcoming = asyncio.ensure_future(anext(chunks, None))
    try:
        while True:
            done, _ = await asyncio.wait({upcoming}, timeout=seconds)
            if not done:
                silent += 1
                yield sse.PING if silent % EVENT_EVERY else keep_alive()
                continue
            if (chunk := await upcoming) is None:
                return
            if chunk:
                silent = 0
                yield chunk
            upcoming = asyncio.ensure_future(anext(chunks, None))
    finally:
        upcoming.cancel()
        await asyncio.gather(upcoming, return_exceptions=True)
        await chunks.aclose()
