"""Where events wait for their turn, and then for the client: bounded at both ends.

Knows the order only through the sequencer, and nothing of how events are made or sent.
"""

from contextlib import suppress

from gateway.config import LimitSettings
from gateway.errors import ClientTooSlow
from gateway.events import Event, StreamFailed
from gateway.order import Order, Sequencer, weight
from gateway.silence import Silence
from gateway.wakeup import Wakeup


class Outbox:
    """Takes events from any task by `put`; gives them to one reader by `take`, in order. `close` ends its timer.

    `most_waiting` is the most characters that have waited, for their turn or for the reader; `last` the last event that
    the reader has got.
    """

    def __init__(self, order: Order, limits: LimitSettings, beat: float) -> None:
        self._sequencer, self._limits = Sequencer(order), limits
        self._unread: list[Event] = []
        self._unread_size = 0
        self.most_waiting = 0
        self.last: Event | None = None
        self._silence = Silence(beat)
        self._something, self._room = Wakeup(), Wakeup()

    def put(self, event: Event) -> None:
        """Raises OrderViolation for an event that can never leave."""
        self._give(self._sequencer.put(event))

    def abort(self, event: StreamFailed) -> None:
        """End at once, leaving out what waits: for our own bugs only."""
        self._give(self._sequencer.abort(event))

    @property
    def over(self) -> bool:
        """Whether the reader has got the last event."""
        return self._sequencer.closed and not self._unread

    async def take(self) -> list[Event]:
        """All that leaves now, once there is something; nothing where there was nothing for `beat` seconds."""
        with suppress(TimeoutError):
            await self._silence.wait(self._something.wait())
        self._something.clear()
        batch, self._unread, self._unread_size = self._unread, [], 0
        self.last = batch[-1] if batch else self.last
        return batch

    def close(self) -> None:
        self._silence.close()

    async def room(self) -> None:
        """Wait while too much waits for its turn. Raises ClientTooSlow where the client has left too much unread."""
        if self._unread_size > self._limits.unread_characters:
            raise ClientTooSlow("the client left too much of its stream unread; read faster or ask for less")
        while self._sequencer.held > self._limits.early_characters:
            self._room.clear()
            await self._room.wait()

    def _give(self, events: list[Event]) -> None:
        self._unread += events
        self._unread_size += sum(map(weight, events))
        self.most_waiting = max(self.most_waiting, self._unread_size + self._sequencer.held)
        self._something.set()
        self._room.set()
