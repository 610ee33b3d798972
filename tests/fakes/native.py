"""A gateway's stream for tests of clients: events as server-sent events, with the numbers that they have."""

from collections.abc import Iterable

from gateway.events import Event
from gateway.wire import native, sse


def stream(events: Iterable[Event]) -> bytes:
    return b"".join(sse.encode(event.type, native.encode(event)) for event in events)
