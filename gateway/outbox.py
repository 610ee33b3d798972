"""The events of one stream on their way to the client: first in order, then waiting to be read, bounded at both ends.

Knows the order only through the sequencer, and nothing of how events are made or sent.
"""

import asyncio
from collections import deque

from gateway.config import LimitSettings
from gateway.errors import ClientTooSlow
from gateway.events import Event, ReasoningDone, ReasoningSummaryHeadline, StreamFailed
from gateway.mailbox import Mailbox
from gateway.order import Order, Sequencer, text_size
from gateway.slices import OVERHEAD, SLICE, in_batches, turn


class Outbox:
    """Takes events from any task by `put` and gives them, in order, to one reader by `take`.

    `beat` is the seconds after which `take` returns empty-handed. `most_waiting` is the peak number of characters that
    waited for their turn or for the reader; `last` is the last event that the reader has got.
    """

    def __init__(self, order: Order, limits: LimitSettings, beat: float) -> None:
        self._sequencer, self._limits, self._beat = Sequencer(order), limits, beat
        self._mailbox = Mailbox[Event]()
        self._taken = deque[list[Event]]()  # out of the mailbox, for the next calls of `take`
        self._unread_size = 0
        self.most_waiting = 0
        self.last: Event | None = None
        self._room = asyncio.Event()

    def put(self, event: Event) -> None:
        """Add an event. Raises OrderViolation if its place in the order has passed."""
        self._release(self._sequencer.put(event))

    def abort(self, event: StreamFailed) -> None:
        """End the stream at once and drop what waits: for our own bugs only."""
        self._release(self._sequencer.abort(event))

    @property
    def over(self) -> bool:
        """True once the reader has got the last event."""
        return self._mailbox.over and not self._taken

    async def take(self) -> list[Event]:
        """Return what may leave now, at most about a slice of it; nothing if there was nothing for `beat` seconds."""
        if self._taken:
            await turn()
        else:
            try:
                async with asyncio.timeout(self._beat):
                    events = _without_past_headlines(await self._mailbox.take())
            except TimeoutError:
                return []
            if self._unread_size + OVERHEAD * len(events) <= SLICE:  # nearly always: all that is unread is one slice
                self._unread_size = 0
                return self._left(events)
            self._taken += in_batches(events, text_size)
        batch = self._taken.popleft()
        self._unread_size -= sum(map(text_size, batch))
        return self._left(batch)

    def _left(self, batch: list[Event]) -> list[Event]:
        self.last = batch[-1] if batch else self.last
        return batch

    async def room(self) -> None:
        """Wait while too much waits for its turn. Raises ClientTooSlow if the client has left too much unread.

        The two ends differ: what waits for its turn leaves by itself, soon, so the upstream is only paused; a client
        that does not read may never read.
        """
        if self._unread_size > self._limits.unread_characters:
            raise ClientTooSlow("the client left too much of its stream unread; read faster or ask for less")
        while self._sequencer.waiting_size > self._limits.early_characters:
            self._room.clear()
            await self._room.wait()

    def _release(self, events: list[Event]) -> None:
        self._mailbox.put(events)
        self._unread_size += sum(map(text_size, events))
        self.most_waiting = max(self.most_waiting, self._unread_size + self._sequencer.waiting_size)
        self._room.set()
        if self._sequencer.closed:
            self._mailbox.close()


def _without_past_headlines(events: list[Event]) -> list[Event]:
    """Return the events without headlines that a later one replaces, or the end of the trace."""
    if not any(isinstance(event, ReasoningSummaryHeadline) for event in events):
        return events
    newest = max(n for n, event in enumerate(events) if isinstance(event, ReasoningSummaryHeadline | ReasoningDone))
    return [event for n, event in enumerate(events) if n == newest or not isinstance(event, ReasoningSummaryHeadline)]
