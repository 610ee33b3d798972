"""What a stream sends while it has nothing to say, so that nobody between takes it for dead.

What Ray adds here: nothing.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from gateway.wire import sse

EVENT_EVERY = 3
"""Beats between events: some clients take no notice of comments, and give up after 60 s."""
RESOLUTION_SECONDS = 0.002
"""A timer may be as early as this."""


async def beating(
    chunks: AsyncGenerator[bytes], seconds: float, keep_alive: Callable[[], bytes]
) -> AsyncGenerator[bytes]:
    """The chunks, and after `seconds` without one a comment; every third one is an event, `keep_alive()`.

    `chunks` gives an empty one where it has had nothing to say for `seconds`, and wherever else it likes.
    """
    silent, clock = 0, asyncio.get_running_loop().time
    sent = clock()
    async with aclosing(chunks):
        async for chunk in chunks:
            if chunk:
                silent = 0
            elif clock() - sent >= seconds - RESOLUTION_SECONDS:
                silent += 1
                chunk = sse.PING if silent % EVENT_EVERY else keep_alive()
            else:
                continue
            sent = clock()
            yield chunk
