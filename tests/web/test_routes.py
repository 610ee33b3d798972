"""The OpenAI routes with openai-python as the judge: what it puts together is what the native events say."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx
import httpx2
import openai
import pytest
from openai import AsyncOpenAI

from gateway.errors import ContextTooLong, UpstreamCut, UpstreamRateLimited
from gateway.reasoning import Segment
from gateway.upstream import Accepted, Finished, Message, ToolCall, ToolPiece
from gateway.wire import sse
from tests.fakes.scripted_gateway import GOOD, USAGE, scripted_gateway
from tests.fakes.session import ScriptedParser
from tests.fakes.web_server import served

MODEL = "qwen2.5-coder-0.5b-instruct"
QUESTION = "What is six times seven? Tell me."
TRACE, RESPONSE = "Six times seven. That is 42.", "It is 42.\u2028Done."
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
SUMMARIES: Any = {"summary": "detailed"}
CHAT_TOOLS: Any = [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}]
TOOLS: Any = [{"type": "function", "name": "weather", "parameters": {"type": "object"}, "strict": False}]


class RecordingParser(ScriptedParser):
    """A parser that keeps the request."""

    def stream(self, request: Any) -> Any:
        self.request = request
        return super().stream(request)


@asynccontextmanager
async def http(parser: ScriptedParser, **settings: Any) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(scripted_gateway(parser, **settings))
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
        yield client


@asynccontextmanager
async def sdk(*script: Any, parser: ScriptedParser | None = None, **settings: Any) -> AsyncIterator[AsyncOpenAI]:
    transport = httpx2.ASGITransport(scripted_gateway(parser or ScriptedParser(*script), **settings))
    async with httpx2.AsyncClient(transport=transport) as client:
        yield AsyncOpenAI(base_url="http://gateway/v1", api_key="any", http_client=client, max_retries=0)


def asked(**fields: Any) -> dict[str, Any]:
    return {"model": MODEL, "messages": [{"role": "user", "content": QUESTION}], **fields}


async def native(*script: Any) -> dict[str, Any]:
    """The same run on the native route, whole."""
    async with http(ScriptedParser(*script)) as client:
        answer = await client.post("/v1/reasoning", json=asked(stream=False))
        whole: dict[str, Any] = answer.json()
        return whole


def details(*texts: str) -> list[dict[str, Any]]:
    return [{"type": "reasoning.summary", "summary": text} for text in texts]


async def test_a_whole_chat_completion_is_the_native_answer() -> None:
    said = await native(*GOOD)
    async with sdk(*GOOD) as client:
        completion = await client.chat.completions.create(**asked())
    choice: Any = completion.choices[0]
    assert (completion.object, completion.model, choice.finish_reason) == ("chat.completion", MODEL, "stop")
    assert choice.message.content == said["response"] == RESPONSE
    assert choice.message.reasoning_content == said["reasoning"]["text"] == TRACE
    assert choice.message.reasoning_details == details(PROMPT_SUMMARY, PART)
    assert completion.usage is not None
    assert completion.usage.to_dict() == {
        "prompt_tokens": 5,
        "completion_tokens": 9,
        "total_tokens": 14,
        "completion_tokens_details": {"reasoning_tokens": 4},
    }


async def test_a_chat_stream_adds_up_to_the_native_answer() -> None:
    said = await native(*GOOD)
    async with sdk(*GOOD) as client:
        stream: Any = await client.chat.completions.create(
            **asked(), stream=True, stream_options={"include_usage": True}
        )
        chunks = [chunk async for chunk in stream]
    deltas = [chunk.choices[0].delta for chunk in chunks if chunk.choices]
    assert "".join(delta.content or "" for delta in deltas) == said["response"]
    assert "".join(getattr(delta, "reasoning_content", "") for delta in deltas) == said["reasoning"]["text"]
    assert not any(hasattr(delta, "reasoning") for delta in deltas)
    assert [chunk.usage.total_tokens for chunk in chunks if chunk.usage] == [14]
    assert chunks[-1].choices == []
    assert len({chunk.id for chunk in chunks}) == 1


async def test_the_sdk_puts_a_chat_stream_together() -> None:
    async with sdk(*GOOD) as client, client.chat.completions.stream(**asked()) as stream:
        completion: Any = await stream.get_final_completion()
    message = completion.choices[0].message
    assert (message.content, message.reasoning_content) == (RESPONSE, TRACE)
    assert [item["summary"] for item in message.reasoning_details] == [PROMPT_SUMMARY, PART]


async def test_the_sdk_puts_tool_calls_together() -> None:
    async with sdk(*CALLS) as client:
        async with client.chat.completions.stream(**asked(tools=CHAT_TOOLS)) as stream:
            streamed: Any = await stream.get_final_completion()
        whole: Any = await client.chat.completions.create(**asked(tools=CHAT_TOOLS))
    for completion in (streamed, whole):
        choice = completion.choices[0]
        assert (choice.message.content, choice.finish_reason) == ("Let me look.", "tool_calls")
        assert [(call.function.name, call.function.arguments) for call in choice.message.tool_calls] == [
            ("weather", '{"city": "Oslo"}'),
            ("time", "{}"),
        ]
        first, second = choice.message.tool_calls
        assert first.id == f"call_{completion.id.removeprefix('chatcmpl-')}_0"
        assert second.id == "call_own"


async def test_a_whole_response_is_the_native_answer() -> None:
    said = await native(*GOOD)
    async with sdk(*GOOD) as client:
        response = await client.responses.create(model=MODEL, input=QUESTION, reasoning={"summary": "auto"})
    assert (response.status, response.output_text) == ("completed", said["response"])
    assert response.output_text == RESPONSE
    assert [item.type for item in response.output] == ["reasoning", "reasoning", "message"]
    assert [[part.text for part in item.summary] for item in response.output[:2]] == [  # type: ignore[union-attr]
        [PROMPT_SUMMARY],
        [PART],
    ]
    assert response.usage is not None
    assert (response.usage.input_tokens, response.usage.output_tokens, response.usage.total_tokens) == (5, 9, 14)
    assert response.usage.output_tokens_details.reasoning_tokens == 4
    assert response.usage.input_tokens_details.cached_tokens == 0


async def test_without_a_summary_the_trace_itself_leaves_and_no_summary() -> None:
    async with sdk(*GOOD) as client:
        response = await client.responses.create(model=MODEL, input=QUESTION)
    reasoning: Any = response.output[0]
    assert [item.type for item in response.output] == ["reasoning", "message"]
    assert ([part.text for part in reasoning.content], reasoning.summary) == ([TRACE], [])


SUMMARY_EVENTS = [
    "reasoning_summary_part.added",
    "reasoning_summary_text.delta",
    "reasoning_summary_text.done",
    "reasoning_summary_part.done",
]
MESSAGE_EVENTS = [
    "output_item.added",
    "content_part.added",
    "output_text.delta",
    "output_text.delta",
    "output_text.done",
    "content_part.done",
    "output_item.done",
]


@pytest.mark.parametrize("helper", [True, False])
async def test_a_stream_of_responses_events(helper: bool) -> None:
    """`stream()` and `create(stream=True)` see the same events, every field in its place."""
    async with sdk(*GOOD) as client:
        events = await streamed(client, helper, reasoning={"summary": "auto"})
    prompt = [*SUMMARY_EVENTS[:1], *["reasoning_summary_text.delta"] * 2, *SUMMARY_EVENTS[2:]]
    assert [event.type.removeprefix("response.") for event in events] == [
        *("created", "in_progress"),
        *("output_item.added", *prompt, "output_item.done"),
        *("output_item.added", *SUMMARY_EVENTS, "output_item.done"),
        *MESSAGE_EVENTS,
        "completed",
    ]
    assert [event.sequence_number for event in events] == list(range(len(events)))
    last = events[-1].response
    assert last.output_text == RESPONSE
    texts = [event.delta for event in events if event.type == "response.output_text.delta"]
    assert "".join(texts) == RESPONSE
    for event in events[2:-1]:
        item = last.output[event.output_index]
        assert getattr(event, "item_id", item.id) == item.id


async def streamed(client: AsyncOpenAI, helper: bool, **fields: Any) -> list[Any]:
    if helper:
        async with client.responses.stream(model=MODEL, input=QUESTION, **fields) as stream:
            return [event async for event in stream]
    return [event async for event in await client.responses.create(model=MODEL, input=QUESTION, stream=True, **fields)]


@pytest.mark.parametrize("helper", [True, False])
async def test_the_trace_as_responses_events(helper: bool) -> None:
    async with sdk(*GOOD) as client:
        events = await streamed(client, helper)
    trace = ["content_part.added", *["reasoning_text.delta"] * 2, "reasoning_text.done", "content_part.done"]
    assert [event.type.removeprefix("response.") for event in events] == [
        *("created", "in_progress"),
        *("output_item.added", *trace, "output_item.done"),
        *MESSAGE_EVENTS,
        "completed",
    ]


@pytest.mark.parametrize("helper", [True, False])
async def test_function_calls_in_a_stream_of_responses_events(helper: bool) -> None:
    async with sdk(*CALLS) as client:
        events = await streamed(client, helper, tools=TOOLS)
        whole: Any = await client.responses.create(model=MODEL, input=QUESTION, tools=TOOLS)
    final = events[-1].response
    for response in (final, whole):
        assert [item.type for item in response.output] == ["reasoning", "message", "function_call", "function_call"]
        calls = response.output[2:]
        assert [(call.name, call.arguments, call.status) for call in calls] == [
            ("weather", '{"city": "Oslo"}', "completed"),
            ("time", "{}", "completed"),
        ]
        assert calls[1].call_id == "call_own"
    pieces = [event for event in events if event.type == "response.function_call_arguments.delta"]
    assert [(event.output_index, event.delta) for event in pieces] == [(2, '{"city": '), (2, '"Oslo"}'), (3, "{}")]


async def test_an_answer_cut_at_its_limit_is_incomplete() -> None:
    cut = [*CALLS[:-3], Finished(finish_reason="length", usage=USAGE)]
    async with sdk(*cut) as client:
        response: Any = await client.responses.create(model=MODEL, input=QUESTION, tools=TOOLS)
        completion = await client.chat.completions.create(**asked(tools=CHAT_TOOLS))
    assert (response.status, response.incomplete_details.reason) == ("incomplete", "max_output_tokens")
    assert [item.status for item in response.output] == ["completed", "completed", "incomplete"]
    assert completion.choices[0].finish_reason == "length"


FAILING = [*GOOD[:5], UpstreamCut("it was cut off")]


async def test_a_failure_in_mid_stream_reaches_the_sdk() -> None:
    async with sdk(*FAILING) as client:
        chunks: list[Any] = []
        with pytest.raises(openai.APIError, match="it was cut off") as raised:
            async for chunk in await client.chat.completions.create(**asked(), stream=True):
                chunks.append(chunk)
        events = await streamed(client, helper=False)
    assert raised.value.code == "upstream_cut"
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "It is 42."
    assert events[-1].type == "response.failed"
    assert (events[-1].response.status, events[-1].response.error.code) == ("failed", "upstream_cut")
    assert events[-2].item.status == "incomplete"


@pytest.mark.parametrize(
    ("script", "error"),
    [
        ([ContextTooLong("too long", param="messages")], openai.BadRequestError),
        ([Accepted(), UpstreamRateLimited("later")], openai.InternalServerError),
        (FAILING, openai.InternalServerError),
    ],
)
async def test_a_failure_of_a_whole_answer_is_an_error_of_the_sdk(
    script: Sequence[Any], error: type[openai.APIStatusError]
) -> None:
    async with sdk(*script) as client:
        with pytest.raises(error) as chat:
            await client.chat.completions.create(**asked())
        with pytest.raises(error) as responses:
            await client.responses.create(model=MODEL, input=QUESTION)
    for raised in (chat.value, responses.value):
        assert isinstance(raised.body, dict)
        assert sorted(raised.body) == ["code", "message", "param", "type"]


async def test_a_refusal_before_the_stream_has_its_status() -> None:
    async with sdk(ContextTooLong("too long", param="messages")) as client:
        with pytest.raises(openai.BadRequestError) as raised:
            await client.responses.create(model=MODEL, input=QUESTION, stream=True)
        with pytest.raises(openai.NotFoundError):
            await client.chat.completions.create(**asked(model="gpt-9"), stream=True)
        with pytest.raises(openai.BadRequestError, match="n: "):
            await client.chat.completions.create(**asked(n=2))
    assert raised.value.code == "context_length_exceeded"


async def test_reasoning_and_results_that_come_back_in_chat() -> None:
    parser = RecordingParser(*CALLS)
    async with sdk(parser=parser) as client:
        turns: list[Any] = [{"role": "user", "content": QUESTION}]
        first: Any = await client.chat.completions.create(model=MODEL, messages=turns, tools=CHAT_TOOLS)
        message = first.choices[0].message
        calls = message.tool_calls
        turns += [message, *({"role": "tool", "tool_call_id": call.id, "content": "sunny"} for call in calls)]
        second = await client.chat.completions.create(model=MODEL, messages=turns, tools=CHAT_TOOLS)
    assert parser.request.messages == conversation([call.id for call in calls])
    assert not hasattr(second.choices[0].message, "prompt")
    assert second.choices[0].message.reasoning_details == details(PART)  # type: ignore[attr-defined]


async def test_reasoning_and_results_that_come_back_in_responses() -> None:
    parser = RecordingParser(*CALLS)
    async with sdk(parser=parser) as client:
        items: list[Any] = [{"role": "user", "content": QUESTION}]
        first = await client.responses.create(
            model=MODEL, input=items, tools=TOOLS, reasoning={"summary": "detailed", "effort": "low"}
        )
        calls: list[Any] = [item for item in first.output if item.type == "function_call"]
        results: list[Any] = [
            {"type": "function_call_output", "call_id": call.call_id, "output": "sunny"} for call in calls
        ]
        items += [*first.output, *results]
        second = await client.responses.create(model=MODEL, input=items, tools=TOOLS, reasoning=SUMMARIES)
    assert parser.request.messages == conversation([call.call_id for call in calls])
    assert [item.type for item in second.output][:2] == ["reasoning", "message"]


def conversation(ids: Sequence[str]) -> tuple[Message, ...]:
    """What the model is shown of the second turn: the calls and their results, and no reasoning."""
    first, second = ids
    return (
        Message(role="user", content=QUESTION),
        Message(
            role="assistant",
            content="Let me look.",
            tool_calls=(
                ToolCall(id=first, name="weather", arguments='{"city": "Oslo"}'),
                ToolCall(id=second, name="time", arguments="{}"),
            ),
        ),
        Message(role="tool", content="sunny", tool_call_id=first),
        Message(role="tool", content="sunny", tool_call_id=second),
    )


class Slow(ScriptedParser):
    """Stays silent for some beats before it answers, and again in the middle."""

    def __init__(self, seconds: float, *script: Any) -> None:
        self._seconds = seconds
        super().__init__(*script or GOOD)

    async def stream(self, request: Any) -> Any:
        await asyncio.sleep(self._seconds)
        async for items in super().stream(request):
            yield items
            if items == [GOOD[1]]:
                await asyncio.sleep(self._seconds)


@pytest.mark.parametrize("route", ["chat/completions", "responses"])
async def test_a_silent_stream_stays_alive_and_the_sdk_takes_no_notice(route: str) -> None:
    body = asked(stream=True) if route.startswith("chat") else {"input": QUESTION, "stream": True}
    async with http(Slow(0.25), heartbeat=0.05) as client:
        answer = await client.post(f"/v1/{route}", json=body)
    async with sdk(parser=Slow(0.25), heartbeat=0.05) as openai_client:
        events = await streamed(openai_client, helper=True)
    text = answer.content
    assert b"\nid:" not in text
    before, *pings = text.split(b": ping\n")
    assert len(pings) >= 4
    # At the border of events: each ping is followed by another, or by a new event.
    assert all(ping == b"" or ping.startswith((b"data: ", b"event: ")) for ping in pings)
    assert before.endswith(b"\n\n")
    alive = b'"delta":{},"finish_reason":null' if route.startswith("chat") else b"event: response.in_progress"
    assert text.count(alive) >= 2
    assert events[-1].response.output_text == RESPONSE


async def test_a_failure_after_the_first_beat_ends_the_stream_in_its_own_way() -> None:
    async with sdk(parser=Slow(0.25, ContextTooLong("too long")), heartbeat=0.05) as client:
        events = await streamed(client, helper=False)
    assert [event.type for event in events][-1] == "response.failed"
    assert events[-1].response.error.code == "context_length_exceeded"


async def test_more_messages_than_the_limit_are_refused() -> None:
    messages = [{"role": "user", "content": QUESTION}] * 4
    async with http(ScriptedParser(*GOOD), limits={"messages": 3}) as client:
        chat = await client.post("/v1/chat/completions", json={"messages": messages})
        responses = await client.post("/v1/responses", json={"input": messages})
    assert [(answer.status_code, answer.json()["error"]["param"]) for answer in (chat, responses)] == [
        (400, "messages"),
        (400, "input"),
    ]


async def test_the_models_are_listed_for_the_sdk() -> None:
    async with sdk() as client:
        assert [model.id async for model in client.models.list()] == [MODEL]


def test_the_document_names_every_route() -> None:
    document = scripted_gateway(ScriptedParser()).openapi()
    assert "$ref" not in json.dumps(document["paths"]["/v1/responses"]["post"]["requestBody"])
    assert sorted(document["paths"]) == ["/v1/chat/completions", "/v1/models", "/v1/reasoning", "/v1/responses"]


@pytest.mark.parametrize("route", ["reasoning", "chat/completions", "responses"])
async def test_a_client_that_leaves_a_silent_stream_cancels_what_is_behind_it(route: str) -> None:
    parser = ScriptedParser(*GOOD[:2], asyncio.Event())
    body = {"stream": True, **(asked() if route != "responses" else {"model": MODEL, "input": QUESTION})}
    async with served(scripted_gateway(parser, heartbeat=0.05)) as url, httpx.AsyncClient(timeout=30) as client:
        async with client.stream("POST", f"{url}/v1/{route}", json=body) as answer:
            async for chunk in answer.aiter_bytes():
                if sse.PING in chunk:
                    break
            assert not parser.closed
        await parser.over.wait()


@pytest.mark.parametrize("route", ["reasoning", "chat/completions", "responses"])
@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("accepted", [True, False])
async def test_a_client_that_leaves_before_it_has_an_answer_cancels_what_is_behind_it(
    route: str, stream: bool, accepted: bool
) -> None:
    parser = ScriptedParser(*GOOD[: 2 * accepted], asyncio.Event())
    body = {"stream": stream, **(asked() if route != "responses" else {"model": MODEL, "input": QUESTION})}
    async with served(scripted_gateway(parser)) as url, httpx.AsyncClient(timeout=30) as client:
        asking = asyncio.create_task(client.post(f"{url}/v1/{route}", json=body))
        await parser.waiting.wait()
        asking.cancel()
        await parser.over.wait()
