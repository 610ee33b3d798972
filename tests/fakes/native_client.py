"""A client of the gateway's native stream for tests: asks a running gateway and reads the events as plain dicts."""

import json
from typing import Any

import httpx
from httpx_sse import aconnect_sse

from gateway.order import TRANSITIONS, next_states


async def read_events(http: httpx.AsyncClient, url: str, body: dict[str, Any]) -> list[dict[str, Any]]:
    """Return all events of one stream of the gateway at `url`. Raises httpx.HTTPStatusError if it is refused."""
    async with aconnect_sse(http, "POST", f"{url}/v1/reasoning", json=body) as source:
        source.response.raise_for_status()
        return [json.loads(event.data) async for event in source.aiter_sse()]


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
