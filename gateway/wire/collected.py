"""The events of an answer that leaves in one piece, with neighbouring pieces of a text joined as they come.

A long answer has millions of them, which would be folded in one go at its end. Knows nothing of formats.
"""

from collections.abc import Iterable
from dataclasses import replace
from io import StringIO

from gateway.events import Event, ReasoningDelta, ReasoningSummaryDelta, ResponseDelta, ToolCallDelta


class Collected:
    """`add` events in their order; `events` are all of them, each text in as few pieces as the order allows."""

    def __init__(self) -> None:
        self._events: list[Event] = []
        self._text = StringIO()  # of the last event, with those that were joined to it

    def add(self, events: Iterable[Event]) -> None:
        for event in events:
            place = _place(event)
            if place is None or not self._events or place != _place(self._events[-1]):
                self._close()
                self._events.append(event)
            if place is not None:
                self._text.write(_text(event))

    @property
    def events(self) -> list[Event]:
        self._close()
        return self._events

    def _close(self) -> None:
        """Give the last event all of its text."""
        if text := self._text.getvalue():
            self._events[-1] = _with_text(self._events[-1], text)
            self._text = StringIO()


def _place(event: Event) -> tuple[type[Event], int] | None:
    """Return where the event's text goes, the same for texts that may be joined; None if it has no text to join."""
    match event:
        case ReasoningDelta() | ResponseDelta():
            return type(event), 0
        case ReasoningSummaryDelta(index=index) | ToolCallDelta(index=index):
            return type(event), index
    return None


def _text(event: Event) -> str:
    match event:
        case ReasoningDelta(delta=text) | ResponseDelta(delta=text) | ReasoningSummaryDelta(delta=text):
            return text
        case ToolCallDelta(arguments=text):
            return text
    return ""


def _with_text(event: Event, text: str) -> Event:
    match event:
        case ToolCallDelta():
            return replace(event, arguments=text)
        case ReasoningDelta() | ResponseDelta() | ReasoningSummaryDelta():
            return replace(event, delta=text)
    return event
