"""The events of an answer that leaves in one piece, with neighbouring pieces of a text joined as they come.

A long answer has millions of them, which would be folded in one go at its end. Knows nothing of formats.
"""

from collections.abc import Iterable
from dataclasses import replace
from io import StringIO
from typing import Any

from gateway.events import Event, ReasoningDelta, ReasoningSummaryDelta, ResponseDelta, ToolCallDelta

FIELDS: dict[type[Event], str] = {
    ReasoningDelta: "delta",
    ReasoningSummaryDelta: "delta",
    ResponseDelta: "delta",
    ToolCallDelta: "arguments",
}
"""Events with a piece of a text, and the field that it is in. Those of one type and `index` go on with each other."""


class Collected:
    """`add` events in their order; `events` are all of them, each text in as few pieces as the order allows."""

    def __init__(self) -> None:
        self._events: list[Event] = []
        self._text = StringIO()  # of the last event, with those that were joined to it
        self._place: tuple[type[Event], int | None] | None = None  # of that text

    def add(self, events: Iterable[Event]) -> None:
        for event in events:
            kind = type(event)
            place = (kind, getattr(event, "index", None)) if kind in FIELDS else None
            if place is None or place != self._place:
                self._close()
                self._events.append(event)
                self._place = place
            if place:
                self._text.write(getattr(event, FIELDS[kind]))

    @property
    def events(self) -> list[Event]:
        self._close()
        return self._events

    def _close(self) -> None:
        """Give the last event all of its text."""
        if self._place:
            joined: dict[str, Any] = {FIELDS[self._place[0]]: self._text.getvalue()}
            self._events[-1] = replace(self._events[-1], **joined)
            self._text, self._place = StringIO(), None
