"""The pace at which the text of a stream travels: at most one batch a tick, on ticks that a process' streams share.

What a batch costs hardly depends on how much is in it, so the time between ticks grows with the number of streams. All
streams of a process wake at the same tick, so what they send to another process leaves as one message.
Knows nothing of what is sent.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from math import floor

SECONDS_PER_STREAM = 0.004
"""Seconds between ticks for each stream of the process: for a single stream, less than the pace of any model."""
LONGEST_INTERVAL = 0.1
"""The most seconds between ticks, reached at 25 streams: text that comes less often no longer looks live."""


class Pacer:
    """Counts the streams of one process and says when each may send its next batch."""

    def __init__(self) -> None:
        self.streams = 0

    @property
    def interval(self) -> float:
        """Seconds between ticks."""
        return min(LONGEST_INTERVAL, self.streams * SECONDS_PER_STREAM)

    @contextmanager
    def stream(self) -> Iterator[None]:
        """Count a stream as running."""
        self.streams += 1
        try:
            yield
        finally:
            self.streams -= 1

    def next_tick(self, now: float) -> float:
        """Return the time of the first tick after `now`, in seconds of the event loop's clock.

        Ticks lie on a common grid, not at a distance from a stream's last batch: so streams that began at different
        times meet on it.
        """
        interval = self.interval
        return (floor(now / interval) + 1) * interval if interval else now

    async def tick(self) -> None:
        """Wait for the next tick."""
        now = asyncio.get_running_loop().time()
        await asyncio.sleep(self.next_tick(now) - now)


PACER = Pacer()
"""The pacer of this process."""
