"""How long a stream may be silent. Knows nothing of what is waited for."""

import asyncio
from collections.abc import Awaitable
from typing import Any, TypeVar

T = TypeVar("T")


class Silence:
    """A deadline, in seconds, that begins anew with each `wait`: one timer for all waits of a stream, where
    `asyncio.timeout` makes one for each. One wait at a time; `close` ends the timer."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[Any] | None = None
        self._since: float | None = None
        self._over = False
        self._cancelling = 0

    async def wait(self, coming: Awaitable[T]) -> T:
        """What comes. Raises TimeoutError where it takes longer, once it is cancelled."""
        loop = asyncio.get_running_loop()
        self._task, self._since = asyncio.current_task(), loop.time()
        if self._timer is None:
            self._timer = loop.call_later(self._seconds, self._look)
        try:
            return await coming
        except asyncio.CancelledError as error:
            if self._over and self._task is not None and self._task.uncancel() <= self._cancelling:
                raise TimeoutError from error
            raise
        finally:
            self._since, self._over = None, False

    def close(self) -> None:
        if self._timer:
            self._timer.cancel()

    def _look(self) -> None:
        self._timer = None
        if self._since is None or self._task is None:
            return
        loop = asyncio.get_running_loop()
        if (left := self._since + self._seconds - loop.time()) > 0:
            self._timer = loop.call_later(left, self._look)
        else:
            self._over, self._cancelling = True, self._task.cancelling()
            self._task.cancel()
