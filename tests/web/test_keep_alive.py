"""Silent streams over a real socket: they are kept alive, and cancelled if their client leaves."""

import asyncio
import re
from typing import Any

import httpx
import pytest
from openai import AsyncOpenAI

from gateway.errors import ContextTooLong
from gateway.wire import sse
from tests.fakes.scripted_gateway import (
    CHAT,
    GOOD,
    MODEL,
    QUESTION,
    RESPONSE,
    scripted_gateway,
)
from tests.fakes.session import ScriptedParser
from tests.fakes.web_server import served

pytestmark = pytest.mark.slow  # each test starts a server, and waits for beats of its heart

BODIES: dict[str, dict[str, Any]] = {
    "reasoning": {**CHAT, "stream": True},
    "chat/completions": {**CHAT, "stream": True},
    "responses": {"model": MODEL, "input": QUESTION, "stream": True},
}
BEAT = 0.02
COMMENT = re.compile(b"^" + sse.PING, re.MULTILINE)


@pytest.mark.parametrize(
    ("route", "alive"),
    [
        ("reasoning", b'event: ping\ndata: {"type":"ping"}\n\n'),
        ("chat/completions", b'"delta":{},"finish_reason":null'),
        ("responses", b"event: response.in_progress"),
    ],
)
async def test_a_silent_stream_has_comments_and_events_between_its_own(route: str, alive: bytes) -> None:
    before, within, text = asyncio.Event(), asyncio.Event(), b""
    parser = ScriptedParser(before, *GOOD[:2], within, *GOOD[2:])
    async with (
        served(scripted_gateway(parser, heartbeat=BEAT)) as url,
        httpx.AsyncClient(timeout=30) as client,
        client.stream("POST", f"{url}/v1/{route}", json=BODIES[route]) as answer,
    ):
        async for chunk in answer.aiter_bytes():
            text += chunk
            silence, _, rest = text.partition(b"Six times seven. ")
            if silence.count(alive) > (route == "responses"):  # there the first one begins every stream
                before.set()
            if alive in rest:
                within.set()
    assert b"\nid:" not in text
    first, *pings = COMMENT.split(text)
    assert len(pings) >= 4
    # At the border of events: each comment is followed by another, or by a new event.
    assert all(ping == b"" or ping.startswith((b"data: ", b"event: ")) for ping in pings)
    assert first.endswith(b"\n\n")


async def test_the_sdk_ignores_comments_and_repeated_events() -> None:
    before, within = asyncio.Event(), asyncio.Event()
    parser = ScriptedParser(before, *GOOD[:2], within, *GOOD[2:])
    alive, texts = 0, 0
    async with (
        served(scripted_gateway(parser, heartbeat=BEAT)) as url,
        AsyncOpenAI(base_url=f"{url}/v1", api_key="any", max_retries=0) as client,
        client.responses.stream(model=MODEL, input=QUESTION) as stream,
    ):
        async for event in stream:
            if event.type == "response.reasoning_text.delta":
                texts, alive = texts + 1, 0
            if event.type == "response.in_progress":
                alive += 1
            if alive > 1:  # the first one begins every stream
                before.set()
            if alive and texts:
                within.set()
        response = await stream.get_final_response()
    assert response.output_text == RESPONSE


async def test_a_failure_after_the_first_beat_ends_the_stream_in_its_own_way() -> None:
    begun = asyncio.Event()
    parser = ScriptedParser(begun, ContextTooLong("too long"))
    events: list[Any] = []
    async with (
        served(scripted_gateway(parser, heartbeat=BEAT)) as url,
        AsyncOpenAI(base_url=f"{url}/v1", api_key="any", max_retries=0) as client,
    ):
        async for event in await client.responses.create(model=MODEL, input=QUESTION, stream=True):
            begun.set()
            events.append(event)
    assert events[-1].type == "response.failed"
    assert events[-1].response.error.code == "context_length_exceeded"


@pytest.mark.parametrize("route", BODIES)
async def test_a_client_that_leaves_a_silent_stream_cancels_what_is_behind_it(route: str) -> None:
    parser = ScriptedParser(*GOOD[:2], asyncio.Event())
    async with served(scripted_gateway(parser, heartbeat=BEAT)) as url, httpx.AsyncClient(timeout=30) as client:
        async with client.stream("POST", f"{url}/v1/{route}", json=BODIES[route]) as answer:
            async for chunk in answer.aiter_bytes():
                if sse.PING in chunk:
                    break
            assert not parser.closed
        await parser.over.wait()


@pytest.mark.parametrize("route", BODIES)
@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("accepted", [True, False])
async def test_a_client_that_leaves_before_it_has_an_answer_cancels_what_is_behind_it(
    route: str, stream: bool, accepted: bool
) -> None:
    parser = ScriptedParser(*GOOD[: 2 * accepted], asyncio.Event())
    async with served(scripted_gateway(parser)) as url, httpx.AsyncClient(timeout=30) as client:
        asking = asyncio.create_task(client.post(f"{url}/v1/{route}", json={**BODIES[route], "stream": stream}))
        await parser.waiting.wait()
        asking.cancel()
        await parser.over.wait()
