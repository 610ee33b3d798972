"""Requests to a gateway over HTTP, and its events in a form that tests can compare.

The prompts are scripts for `tests.fakes.scripted_upstream` or `tests.fakes.scripted_api`.
"""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from httpx_sse import aconnect_sse

from tests.fakes.polling import until

THOUGHT = ["<think>\nLet me ", "see.</th", "ink>\n\nForty", "-two."]
"""A model's output, cut inside its closing marker."""
PLAIN_MODEL = "plain-qwen"
"""The model of the plain API, which is an upstream of the gateway over HTTP APIs."""
WITHOUT_SUMMARIES: dict[str, Any] = {"prompt_summary": False, "reasoning": {"summary": "none"}}
"""Fields of a request for a stream without summaries."""
THOUGHT_WITHOUT_SUMMARIES = [
    ("stream.started", None),
    ("prompt_summary.done", ""),
    ("reasoning.delta", "Let me see."),
    ("reasoning.done", None),
    ("reasoning_summary.done", ""),
    ("response.delta", "Forty-two."),
    ("response.done", "Forty-two."),
    ("stream.completed", None),
]
"""The events of `THOUGHT` without summaries, as `types_and_texts` returns them."""
STOPPED_SECONDS = 10
"""Seconds that a cancelled generation may take to stop: less than the heartbeat's interval, so that it is the closed
connection that stops it, not the next byte that cannot be sent."""


def body(*script: Any, **fields: Any) -> dict[str, Any]:
    """Return a request whose prompt is `script`."""
    content = json.dumps(script, indent=0)  # several lines: a prompt of one line would be its own summary
    return {"messages": [{"role": "user", "content": content}], **fields}


async def stream(http: httpx.AsyncClient, url: str, request: dict[str, Any]) -> list[dict[str, Any]]:
    """Return all events of a stream. Raise `httpx.HTTPStatusError` if the gateway refuses the request."""
    async with aconnect_sse(http, "POST", f"{url}/v1/reasoning", json=request) as source:
        source.response.raise_for_status()
        return [json.loads(event.data) async for event in source.aiter_sse()]


def types_and_texts(events: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """Return each event as its type and its text; adjacent deltas are joined, as frames may join them.

    Asserts that the sequence numbers have no gap.
    """
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    pairs: list[tuple[Any, ...]] = []
    for event in events:
        kind, text = event["type"], event.get("delta", event.get("text"))
        if "delta" in event and pairs and pairs[-1][0] == kind:
            text = pairs.pop()[1] + text
        pairs.append((kind, text))
    return pairs


@asynccontextmanager
async def stream_in_reasoning(http: httpx.AsyncClient, url: str, request: dict[str, Any]) -> AsyncIterator[None]:
    """Ask for a stream, and enter when its first reasoning delta has been read. The exit closes the connection."""
    async with http.stream("POST", f"{url}/v1/reasoning", json=request) as response:
        chunks = response.aiter_bytes()
        while b"reasoning.delta" not in await anext(chunks):
            pass
        yield


async def running(http: httpx.AsyncClient, url: str) -> int:
    """Return the number of generations that run on the gateway's upstreams."""
    count: int = (await http.get(f"{url}/health")).json()["running"]
    return count


async def until_running(count: int, http: httpx.AsyncClient, url: str) -> None:
    """Wait until `count` generations run."""

    async def reached() -> bool:
        return await running(http, url) == count

    await until(reached, seconds=STOPPED_SECONDS, pause=0)
