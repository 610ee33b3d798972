"""The gateway's application over a scripted parser and a scripted summarizer, and clients of it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from typing import Any

import httpx
import httpx2
from fastapi import FastAPI
from openai import AsyncOpenAI

from gateway.config import GatewaySettings
from gateway.events import Usage
from gateway.reasoning import Segment
from gateway.sealing import Sealer
from gateway.upstream import Accepted, Finished, Message, ThinkingEnded, ToolCall, ToolPiece, UpstreamRequest
from tests.fakes.session import ScriptedParser, ScriptedSummarizer
from web.routes import Routes

MODEL = "qwen2.5-coder-1.5b-instruct"
QUESTION = "What is six times seven? Tell me."
CHAT: dict[str, Any] = {"model": MODEL, "messages": [{"role": "user", "content": QUESTION}]}
"""The body of a chat completion, and of the native route."""
CHAT_TOOLS: Any = [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}]
TOOLS: Any = [{"type": "function", "name": "weather", "parameters": {"type": "object"}, "strict": False}]
USAGE = Usage(prompt_tokens=5, completion_tokens=9, reasoning_tokens=4)
GOOD: list[Any] = [
    Accepted(prompt_tokens=5),
    Segment("reasoning", "Six times seven. "),
    Segment("reasoning", "That is 42."),
    ThinkingEnded(tokens=4, ended_by="marker"),
    Segment("response", "It is 42."),
    Segment("response", "\u2028Done."),
    Finished(finish_reason="stop", usage=USAGE),
]
LATE: list[Any] = [*GOOD[:5], Segment("reasoning", "Wait."), *GOOD[5:]]
"""`GOOD` with reasoning that comes after the response has begun."""
TRACE, RESPONSE = "Six times seven. That is 42.", "It is 42.\u2028Done."
"""The texts of `GOOD`."""
CALLS: list[Any] = [
    *GOOD[:4],
    Segment("response", "Let me look."),
    ToolPiece(index=0, name="weather"),
    ToolPiece(index=0, arguments='{"city": '),
    ToolPiece(index=0, arguments='"Oslo"}'),
    ToolPiece(index=1, id="call_own", name="time", arguments="{}"),
    Finished(finish_reason="tool_calls", usage=USAGE),
]
PROMPT_SUMMARY, PART = "**Prompt**\n\nYou ask this.\n\n", "**Title**\n\nText.\n\n"
"""The summaries of `GOOD` and `CALLS` on OpenAI's routes."""
SEALER = Sealer([b"a secret of the tests"])


def second_turn(ids: tuple[str, str], reasoning: str) -> tuple[Message, ...]:
    """Return the messages of the request in which a client sends back `CALLS`, as `ids`, with their results."""
    first, second = ids
    return (
        Message(role="user", content=QUESTION),
        Message(
            role="assistant",
            content="Let me look.",
            reasoning=reasoning,
            tool_calls=(
                ToolCall(id=first, name="weather", arguments='{"city": "Oslo"}'),
                ToolCall(id=second, name="time", arguments="{}"),
            ),
        ),
        Message(role="tool", content="sunny", tool_call_id=first),
        Message(role="tool", content="sunny", tool_call_id=second),
    )


class RecordingParser(ScriptedParser):
    """A parser that keeps its last request."""

    request: UpstreamRequest

    def stream(self, request: UpstreamRequest) -> Any:
        self.request = request
        return super().stream(request)


def scripted_gateway(parser: ScriptedParser, **settings: Any) -> FastAPI:
    """Return the application; `settings` are fields of `GatewaySettings`."""
    checked = GatewaySettings.model_validate(settings)
    routes = Routes(
        checked,
        parser,
        ScriptedSummarizer(),
        lambda _: nullcontext(len),
        sealer=SEALER,
        clients_are_hidden=False,
        cores=8,
    )
    return routes.app()


@asynccontextmanager
async def http(parser: ScriptedParser, **settings: Any) -> AsyncIterator[httpx.AsyncClient]:
    """Yield an HTTP client of the application."""
    transport = httpx.ASGITransport(scripted_gateway(parser, **settings))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        yield client


@asynccontextmanager
async def sdk(*script: Any, parser: ScriptedParser | None = None, **settings: Any) -> AsyncIterator[AsyncOpenAI]:
    """Yield an OpenAI client of the application."""
    transport = httpx2.ASGITransport(scripted_gateway(parser or ScriptedParser(*script), **settings))
    async with httpx2.AsyncClient(transport=transport) as client:
        yield AsyncOpenAI(base_url="http://localhost/v1", api_key="any", http_client=client, max_retries=0)


async def native_answer(*script: Any) -> dict[str, Any]:
    """Return the whole answer of the native route."""
    async with http(ScriptedParser(*script)) as client:
        answer: dict[str, Any] = (await client.post("/v1/reasoning", json={**CHAT, "stream": False})).json()
        return answer


async def responses_events(client: AsyncOpenAI, helper: bool, **fields: Any) -> list[Any]:
    """Return the events of a response, as the SDK's helper `stream()` yields them or as `create(stream=True)` does."""
    if helper:
        async with client.responses.stream(model=MODEL, input=QUESTION, **fields) as stream:
            return [event async for event in stream]
    return [event async for event in await client.responses.create(model=MODEL, input=QUESTION, stream=True, **fields)]
