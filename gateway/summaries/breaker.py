"""A circuit breaker for the model that writes summaries: while it is dead, nobody waits for it.

    closed -- `FAILURES` in a row --> open, for `REST_SECONDS` -- one trial --> closed again, or open again

Knows nothing of models; its clock is given.
"""

import logging
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import TypeVar

from gateway.errors import GatewayError, UpstreamRejected

log = logging.getLogger(__name__)

Item = TypeVar("Item")
FAILURES = 3
"""Number of failures in a row after which the breaker opens."""
REST_SECONDS = 10.0
"""Seconds for which nothing is asked before the next trial."""
SILENT_SECONDS = 3.0
"""A call that is given up after this many seconds without an item has failed: nobody else finds out that it hangs."""


class Resting(GatewayError):
    """The breaker is open: the call was not made."""


class Breaker:
    """Guards the calls to one API, `name` in the log."""

    def __init__(self, name: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._name, self._clock = name, clock
        self.failures = 0
        """Failures in a row."""
        self._rests_until = 0.0
        self._on_trial = False

    async def guard(self, call: AsyncGenerator[Item]) -> AsyncGenerator[Item]:
        """Yield the items of `call`, or raise Resting at once.

        An API that rejects a request is alive: only its other failures count.
        """
        trial = self.failures >= FAILURES
        if trial and not self._allows_trial():
            await call.aclose()
            raise Resting(f"{self._name} has failed {self.failures} times in a row, and is asked again shortly")
        began, verdict = self._clock(), False
        try:
            async with aclosing(call):
                async for item in call:
                    if not verdict:
                        verdict = True
                        self._succeed()
                    yield item
        except GatewayError as error:
            verdict = True
            if error.failure().stage == "upstream" and error.failure().type != UpstreamRejected.type:
                self._fail(str(error))
            raise
        finally:
            if trial:
                self._on_trial = False
            if not verdict and self._clock() - began >= SILENT_SECONDS:
                self._fail("it did not begin to answer")

    def _allows_trial(self) -> bool:
        if self._on_trial or self._clock() < self._rests_until:
            return False
        self._on_trial = True
        return True

    def _succeed(self) -> None:
        if self.failures >= FAILURES:
            log.warning("%s answers requests for summaries again", self._name)
        self.failures = 0

    def _fail(self, reason: str) -> None:
        self.failures += 1
        if self.failures >= FAILURES:
            self._rests_until = self._clock() + REST_SECONDS
        if self.failures == FAILURES:
            log.warning(
                "%s has failed %d summaries in a row (%s): until it answers again, summaries are extracts, and it is"
                " asked once in %g s",
                self._name,
                self.failures,
                reason,
                REST_SECONDS,
            )
