"""What a stream sends while it has nothing to say, so that nobody between takes it for dead.

What Ray adds here: nothing.
"""

import time
from collections.abc import Callable

from gateway.wire import sse

EVENT_EVERY = 3
"""Beats between events: some clients take no notice of comments, and give up after 60 s."""
RESOLUTION_SECONDS = 0.002
"""A timer may be as early as this."""


class Heartbeat:
    """Of one stream that begins now; its `clock` tells seconds."""

    __slots__ = ("_clock", "_keep_alive", "_seconds", "_sent", "_silent")

    def __init__(self, seconds: float, keep_alive: Callable[[], bytes], clock: Callable[[], float] = time.monotonic):
        self._seconds, self._keep_alive, self._clock = seconds, keep_alive, clock
        self._silent, self._sent = 0, clock()

    def beat(self, chunk: bytes) -> bytes:
        """What to send where `chunk` is what there is to say: the chunk, and where that is empty nothing, or after
        `seconds` of it a comment; every third one is an event, `keep_alive()`."""
        if chunk:
            self._silent = 0
        elif self._clock() - self._sent < self._seconds - RESOLUTION_SECONDS:
            return b""
        else:
            self._silent += 1
            chunk = sse.PING if self._silent % EVENT_EVERY else self._keep_alive()
        self._sent = self._clock()
        return chunk
