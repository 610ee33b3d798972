"""Parts of a native stream, whose events are plain dicts as `gateway_calls.stream` returns them."""

from typing import Any

from gateway.order import TRANSITIONS, next_states


def joined(events: list[dict[str, Any]], event_type: str) -> str:
    """Return the text of all deltas of one type."""
    return "".join(event["delta"] for event in events if event["type"] == event_type)


def only(events: list[dict[str, Any]], event_type: str) -> dict[str, Any]:
    """Return the one event of a type."""
    (event,) = [event for event in events if event["type"] == event_type]
    return event


def assert_legal(events: list[dict[str, Any]]) -> None:
    """The events are numbered from 0, in an order of the table, and the last one ends the stream."""
    state: str | None = "new"
    for number, event in enumerate(events):
        assert event["sequence_number"] == number
        assert state is not None
        state = next_states(TRANSITIONS["strict"], state).get(event["type"])
    assert state == "closed"
