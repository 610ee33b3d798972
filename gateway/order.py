"""The order of events as a table of transitions, and the sequencer that keeps to it.

Everything that affects the order lives in this file. Knows nothing of where events come from or go to.
"""

from typing import Literal

from gateway.errors import OrderViolation
from gateway.events import EVENT_TYPES, LAST_EVENTS, BaseEvent, Event, ReasoningSummaryHeadline, StreamFailed

Order = Literal["strict", "eager"]
Transitions = dict[str, dict[str, str]]

_COMMON: Transitions = {
    "new": {"stream.started": "prompt_summary"},
    "prompt_summary": {"prompt_summary.delta": "prompt_summary", "prompt_summary.done": "reasoning"},
    "response": {
        "response.delta": "response",
        "tool_call.delta": "response",
        "tool_call.done": "response",
        "response.done": "end",
    },
    "end": {"stream.completed": "closed"},
    "closed": {},
}

TRANSITIONS: dict[Order, Transitions] = {
    "strict": {
        **_COMMON,
        "reasoning": {
            "reasoning.delta": "reasoning",
            "reasoning_summary.delta": "reasoning",
            "reasoning_summary.part": "reasoning",
            "reasoning_summary.headline": "reasoning",
            "reasoning.done": "summary",
        },
        "summary": {
            "reasoning_summary.delta": "summary",
            "reasoning_summary.part": "summary",
            "reasoning_summary.done": "response",
        },
    },
    "eager": {
        **_COMMON,
        "reasoning": {
            "reasoning.delta": "reasoning",
            "reasoning_summary.delta": "reasoning",
            "reasoning_summary.part": "reasoning",
            "reasoning_summary.headline": "reasoning",
            "reasoning.done": "response_and_summary",
        },
        "response_and_summary": {
            "response.delta": "response_and_summary",
            "tool_call.delta": "response_and_summary",
            "tool_call.done": "response_and_summary",
            "reasoning_summary.delta": "response_and_summary",
            "reasoning_summary.part": "response_and_summary",
            "reasoning_summary.done": "response",
            "response.done": "last_summary",
        },
        "last_summary": {
            "reasoning_summary.delta": "last_summary",
            "reasoning_summary.part": "last_summary",
            "reasoning_summary.done": "end",
        },
    },
}
"""A state and an event type to the next state. `next_states` adds `stream.failed`, which may come in most states."""

_SECTIONS = ("stream", "prompt_summary", "reasoning", "reasoning_summary", "response")
_SECTION_ENDS = ("prompt_summary.done", "reasoning.done", "reasoning_summary.done", "response.done")


def _section(event_type: str) -> str:
    section = event_type.partition(".")[0]
    return "response" if section == "tool_call" else section


def next_states(transitions: Transitions, state: str) -> dict[str, str]:
    """Return the events that may come in `state`, and the state after each; a failure among them."""
    failure = {} if state in ("new", "closed") else {StreamFailed.type: "closed"}
    return transitions[state] | failure


def reachable(transitions: Transitions, state: str) -> frozenset[str]:
    """Return the event types that may come in `state` or in any state after it."""
    states, types = {state}, set[str]()
    todo = [state]
    while todo:
        for event_type, after in next_states(transitions, todo.pop()).items():
            types.add(event_type)
            if after not in states:
                states.add(after)
                todo.append(after)
    return frozenset(types)


_SECTION_OF = {event_type: _section(event_type) for event_type in EVENT_TYPES}
_NEXT = {
    order: {state: next_states(transitions, state) for state in transitions}
    for order, transitions in TRANSITIONS.items()
}
_REACHABLE = {
    order: {state: reachable(transitions, state) for state in transitions} for order, transitions in TRANSITIONS.items()
}


class Sequencer:
    """Takes events as they are made and returns them in a legal order.

    Events of one section keep their order. An event that comes too early waits; `waiting_size` is the number of
    characters of text that wait. A headline never waits: it is for the moment, and dropped at any other.
    """

    def __init__(self, order: Order = "strict") -> None:
        self._next, self._reachable = _NEXT[order], _REACHABLE[order]
        self._waiting: dict[str, list[Event]] = {}  # by section; a section without waiting events has no list
        self.state = "new"
        self.waiting_size = 0

    @property
    def closed(self) -> bool:
        return self.state == "closed"

    def put(self, event: Event) -> list[Event]:
        """Accept one event and return everything that may leave now, in order.

        Raises OrderViolation if the event can never leave any more, and changes nothing then.
        """
        after = self._next[self.state].get(event.type)
        if after is not None and not self._waiting:  # nearly always: nothing is early, and this one is on time
            self.state = after
            return [event]
        if isinstance(event, ReasoningSummaryHeadline):
            return [event] if after else []
        self._check(event, after)
        self._waiting.setdefault(_SECTION_OF[event.type], []).append(event)
        self.waiting_size += text_size(event)
        return self._drain()

    def abort(self, event: StreamFailed) -> list[Event]:
        """End the stream at once and drop what waits: for our own bugs only."""
        if self.state in ("new", "closed"):
            return []
        self.state = "closed"
        self._waiting = {}
        self.waiting_size = 0
        return [event]

    def _check(self, event: Event, after: str | None) -> None:
        waiting = self._waiting.get(_SECTION_OF[event.type])
        if event.type not in self._reachable[self.state] or (waiting and waiting[-1].type in _SECTION_ENDS):
            raise OrderViolation(f"{event.type} after {self.state!r}")
        if isinstance(event, LAST_EVENTS) and (self._waiting or after is None):
            raise OrderViolation(f"{event.type} while others wait or are missing in {self.state!r}")

    def _drain(self) -> list[Event]:
        """Release section by section, again and again, until nothing more may leave."""
        released: list[Event] = []
        before = -1
        while len(released) > before:
            before = len(released)
            for section in _SECTIONS:
                released += self._release(section)
        self.waiting_size -= sum(map(text_size, released))
        return released

    def _release(self, section: str) -> list[Event]:
        """Take from a section the events at its head that may leave."""
        waiting = self._waiting.get(section, [])
        released: list[Event] = []
        for event in waiting:
            if (after := self._next[self.state].get(event.type)) is None:
                break
            self.state = after
            released.append(event)
        del waiting[: len(released)]
        if not waiting:
            self._waiting.pop(section, None)
        return released


def text_size(event: BaseEvent) -> int:
    """Return the number of characters of text that an event keeps in memory while it waits."""
    return len(getattr(event, "delta", "")) + len(getattr(event, "arguments", ""))
