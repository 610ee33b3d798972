"""The time that the writer of summaries takes for a part, as all streams of a process have seen last.

A stream that ends soon has seen no part of its own, but must not wait for one that cannot be in time.
"""

import time
from collections.abc import Callable

REMEMBERED_SECONDS = 60.0
"""Seconds after which the last time is forgotten, so that a writer which was slow for a moment is tried again."""


class WritingTime:
    """`note` each part that was written, and each that was abandoned; `seconds` is 0 if none is known."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seconds = 0.0
        self._noted = clock()

    @property
    def seconds(self) -> float:
        return self._seconds if self._clock() - self._noted < REMEMBERED_SECONDS else 0.0

    def note(self, seconds: float, *, whole: bool) -> None:
        """Note the seconds of a part; one that is not `whole` would have taken longer."""
        if whole or seconds > self.seconds:
            self._seconds, self._noted = seconds, self._clock()
