"""A mailbox: items that any code of the event loop puts in, and one task takes out, all that have gathered at once.

Knows nothing of what the items are. Bounding it is the sender's work: `len` tells how many wait.
"""

import asyncio
from collections.abc import Iterable
from typing import Generic, TypeVar

T = TypeVar("T")


class Mailbox(Generic[T]):
    """`put` items, and `close` behind the last one; a single task calls `take`."""

    def __init__(self) -> None:
        self._items: list[T] = []
        self._arrived = asyncio.Event()
        self._closed = False
        self._error: Exception | None = None

    def __len__(self) -> int:
        """Return how many items wait to be taken."""
        return len(self._items)

    @property
    def over(self) -> bool:
        """True once the mailbox is closed and everything in it has been taken."""
        return self._closed and not self._items

    def put(self, items: Iterable[T]) -> None:
        self._items += items
        if self._items:
            self._arrived.set()

    def close(self, error: Exception | None = None) -> None:
        """End the mailbox; `take` raises `error` once everything before it has been taken."""
        self._closed, self._error = True, error
        self._arrived.set()

    async def take(self) -> list[T]:
        """Wait for at least one item and return all that wait, or an empty list once the mailbox is over.

        Raises the error that the mailbox was closed with, once. It may be cancelled: no item is lost.
        """
        await self._arrived.wait()
        items, self._items = self._items, []
        if not self._closed:
            self._arrived.clear()
        elif self._error and not items:
            try:
                raise self._error
            finally:
                self._error = None  # its traceback has the frames of all readers: kept here it would be a cycle
        return items
