"""What a stream sends while it has nothing to say, so that nobody between takes it for dead.

What Ray adds here: nothing.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable

from gateway.frames import Gathered
from gateway.wire import sse

EVENT_EVERY = 3
"""Beats between events: some clients take no notice of comments, and give up after 60 s."""


async def beating(
    chunks: AsyncGenerator[bytes], seconds: float, keep_alive: Callable[[], bytes]
) -> AsyncGenerator[bytes]:
    """The chunks, and after every `seconds` without one a comment; every third one is an event, `keep_alive()`."""
    silent = 0
    async with Gathered(chunks) as gathered:
        while True:
            try:
                async with asyncio.timeout(seconds):
                    taken = await gathered.take()
            except TimeoutError:
                silent += 1
                yield sse.PING if silent % EVENT_EVERY else keep_alive()
                continue
            if not taken:
                return
            if chunk := b"".join(taken):
                silent = 0
                yield chunk
