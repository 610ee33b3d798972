"""Keep-alives of a stream, so that no proxy and no client takes its silence for a dead connection."""

import time
from collections.abc import Callable

from gateway.wire import sse

BEATS_PER_EVENT = 3
"""Every third keep-alive is an event: some clients ignore comments, and give up after 60 s without an event."""
TIMER_RESOLUTION_SECONDS = 0.002
"""Seconds by which a timer may fire early."""


class Heartbeat:
    """The heartbeat of one stream, which begins now; `clock` returns seconds."""

    __slots__ = ("_clock", "_keep_alive", "_seconds", "_sent", "_silent_beats")

    def __init__(self, seconds: float, keep_alive: Callable[[], bytes], clock: Callable[[], float] = time.monotonic):
        self._seconds, self._keep_alive, self._clock = seconds, keep_alive, clock
        self._silent_beats, self._sent = 0, clock()

    def beat(self, chunk: bytes) -> bytes:
        """Return the bytes to send now: `chunk` if it has any, a keep-alive after `seconds` of silence, else nothing.

        A keep-alive is a comment; every third one in a row is an event, `keep_alive()`.
        """
        if chunk:
            self._silent_beats = 0
        elif self._clock() - self._sent < self._seconds - TIMER_RESOLUTION_SECONDS:
            return b""
        else:
            self._silent_beats += 1
            chunk = sse.PING if self._silent_beats % BEATS_PER_EVENT else self._keep_alive()
        self._sent = self._clock()
        return chunk
