"""What may follow what: the table of the order of events, and the sequencer that keeps to it.

Everything that affects the order lives in this file. Knows nothing of where events come from or go to.
"""

from dataclasses import replace
from typing import Literal

from gateway.errors import OrderViolation
from gateway.events import LAST_EVENTS, BaseEvent, Event, StreamFailed, StreamStarted

Order = Literal["strict", "eager"]
Law = dict[str, dict[str, str]]

_COMMON: Law = {
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

LAW: dict[Order, Law] = {
    "strict": {
        **_COMMON,
        "reasoning": {
            "reasoning.delta": "reasoning",
            "reasoning_summary.delta": "reasoning",
            "reasoning_summary.part": "reasoning",
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
"""state -> event type -> state. `stream.failed` closes any state but "new" and "closed"."""

_LANES = ("stream", "prompt_summary", "reasoning", "reasoning_summary", "response")
_SECTION_ENDS = ("prompt_summary.done", "reasoning.done", "reasoning_summary.done", "response.done")


def _lane(event: Event) -> str:
    if isinstance(event, (StreamStarted, *LAST_EVENTS)):
        return "stream"
    section = event.type.split(".")[0]
    return "response" if section == "tool_call" else section


def follow(law: Law, state: str, event_type: str) -> str | None:
    """The state after an event of that type, or None where it may not stand."""
    if event_type == StreamFailed.type:
        return None if state in ("new", "closed") else "closed"
    return law[state].get(event_type)


def reachable(law: Law, state: str) -> frozenset[str]:
    """The event types that may still come in `state` or after it."""
    states, types = {state}, {StreamFailed.type}
    todo = [state]
    while todo:
        for event_type, after in law[todo.pop()].items():
            types.add(event_type)
            if after not in states:
                states.add(after)
                todo.append(after)
    return frozenset(types) if state != "closed" else frozenset()


_REACHABLE = {order: {state: reachable(law, state) for state in law} for order, law in LAW.items()}


class Sequencer:
    """Takes events as they are made and gives them back in a legal order, numbered from 0.

    Events of one section keep their order; an event that comes too early waits. `held` is how many characters of
    text wait. `put` raises OrderViolation for an event that can never leave any more.
    """

    def __init__(self, order: Order = "strict") -> None:
        self._law = LAW[order]
        self._reachable = _REACHABLE[order]
        self._lanes: dict[str, list[Event]] = {}  # those where something waits
        self.state = "new"
        self.held = 0
        self._number = 0

    @property
    def closed(self) -> bool:
        return self.state == "closed"

    def put(self, event: Event) -> list[Event]:
        """Accept one event; return all that may leave now, in order."""
        lane = self._lanes.get(_lane(event))
        if event.type not in self._reachable[self.state] or (lane and lane[-1].type in _SECTION_ENDS):
            raise OrderViolation(f"{event.type} after {self.state!r}")
        if isinstance(event, LAST_EVENTS) and not self._may_end(event):
            raise OrderViolation(f"{event.type} while others wait or are missing in {self.state!r}")
        self._lanes.setdefault(_lane(event), []).append(event)
        self.held += weight(event)
        return self._drain()

    def abort(self, event: StreamFailed) -> list[Event]:
        """End the stream at once, leaving out what waits: for our own bugs only."""
        if self.state in ("new", "closed"):
            return []
        self.state = "closed"
        self._lanes = {}
        self.held = 0
        return [self._numbered(event)]

    def _may_end(self, event: Event) -> bool:
        """Asked before anything changes, so that a stream that may not end yet can still be aborted."""
        return not self._lanes and follow(self._law, self.state, event.type) is not None

    def _drain(self) -> list[Event]:
        released: list[Event] = []
        before = -1
        while len(released) > before:
            before = len(released)
            for name in _LANES:
                released += self._left(self._lanes.get(name, []))
        self._lanes = {name: lane for name, lane in self._lanes.items() if lane}
        return released

    def _left(self, lane: list[Event]) -> list[Event]:
        """The events at the head of the lane that may leave, taken from it."""
        left: list[Event] = []
        for event in lane:
            if (after := follow(self._law, self.state, event.type)) is None:
                break
            self.state = after
            left.append(self._numbered(event))
        del lane[: len(left)]
        return left

    def _numbered(self, event: Event) -> Event:
        self.held -= weight(event)
        number, self._number = self._number, self._number + 1
        return replace(event, sequence_number=number)


def weight(event: BaseEvent) -> int:
    """Characters of text that stand for it while it waits."""
    return len(getattr(event, "delta", "")) + len(getattr(event, "arguments", ""))
