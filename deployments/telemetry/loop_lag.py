"""The lag of a process' event loop: how late a timer fires, since that is how late everything else runs.

Knows nothing of what the loop does, nor of where the lag is recorded.
"""

import asyncio
import logging
from collections.abc import Callable

log = logging.getLogger("ray.serve")

PERIOD_SECONDS = 0.25
"""Seconds between measurements. What holds the loop for longer is never missed."""
WARNING_SECONDS = 0.25
"""Seconds of lag that are worth a warning."""
QUIET_SECONDS = 10.0
"""Seconds after a warning in which there is no other: the longest lag of these is in the next one."""


class LoopLag:
    """Calls `observe` with the seconds of each measurement, and warns of long ones. `clock` returns seconds."""

    def __init__(self, observe: Callable[[float], None], clock: Callable[[], float]) -> None:
        self._observe, self._clock = observe, clock
        self._due = clock() + PERIOD_SECONDS
        self._quiet_until = float("-inf")
        self._longest = 0.0

    def measure(self) -> None:
        """Measure the lag now, when the next measurement was due, and make another due."""
        now = self._clock()
        lag = max(0.0, now - self._due)
        self._due = now + PERIOD_SECONDS
        self._observe(lag)
        self._longest = max(self._longest, lag)
        if self._longest > WARNING_SECONDS and now >= self._quiet_until:
            log.warning("the event loop stood still for %.2f s: every stream of this process waited", self._longest)
            self._quiet_until, self._longest = now + QUIET_SECONDS, 0.0


def watch_loop(observe: Callable[[float], None]) -> None:
    """Measure the lag of the running event loop from now on, for as long as it runs."""
    loop = asyncio.get_running_loop()
    lag = LoopLag(observe, loop.time)

    def measure() -> None:
        lag.measure()
        loop.call_later(PERIOD_SECONDS, measure)

    loop.call_later(PERIOD_SECONDS, measure)
