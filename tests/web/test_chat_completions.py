"""The chat completions route, read by openai-python: what it puts together is what the native route answers."""

from typing import Any

import pytest

from gateway.upstream_settings import Show
from tests.fakes.scripted_gateway import (
    CALLS,
    CHAT,
    CHAT_TOOLS,
    GOOD,
    LATE,
    MODEL,
    PART,
    PROMPT_SUMMARY,
    QUESTION,
    RESPONSE,
    TRACE,
    RecordingParser,
    native_answer,
    sdk,
    second_turn,
)


def details(*texts: str) -> list[dict[str, Any]]:
    return [{"type": "reasoning.summary", "summary": text} for text in texts]


async def test_a_whole_chat_completion_is_the_native_answer() -> None:
    native = await native_answer(*GOOD)
    async with sdk(*GOOD) as client:
        completion = await client.chat.completions.create(**CHAT)
    choice: Any = completion.choices[0]
    assert (completion.object, completion.model, choice.finish_reason) == ("chat.completion", MODEL, "stop")
    assert choice.message.content == native["response"] == RESPONSE
    assert choice.message.reasoning_content == native["reasoning"]["text"] == TRACE
    assert choice.message.reasoning_details == details(PROMPT_SUMMARY, PART)
    usage: Any = completion.usage.to_dict() if completion.usage else {}
    cost = [usage["completion_tokens_details"].pop(name) for name in ("summary_tokens", "summary_prompt_tokens")]
    assert min(cost) > 0
    assert usage == {
        "prompt_tokens": 5,
        "completion_tokens": 9,
        "total_tokens": 14,
        "prompt_tokens_details": {"cached_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 4},
    }


async def test_a_chat_stream_adds_up_to_the_native_answer() -> None:
    native = await native_answer(*GOOD)
    async with sdk(*GOOD) as client:
        stream: Any = await client.chat.completions.create(**CHAT, stream=True, stream_options={"include_usage": True})
        chunks = [chunk async for chunk in stream]
    deltas = [chunk.choices[0].delta for chunk in chunks if chunk.choices]
    assert "".join(delta.content or "" for delta in deltas) == native["response"]
    assert "".join(getattr(delta, "reasoning_content", "") for delta in deltas) == native["reasoning"]["text"]
    assert not any(hasattr(delta, "reasoning") for delta in deltas)
    assert [chunk.usage.total_tokens for chunk in chunks if chunk.usage] == [14]
    assert chunks[-1].choices == []
    assert len({chunk.id for chunk in chunks}) == 1


async def test_the_sdk_puts_a_chat_stream_together() -> None:
    async with sdk(*GOOD) as client, client.chat.completions.stream(**CHAT) as stream:
        completion: Any = await stream.get_final_completion()
    message = completion.choices[0].message
    assert (message.content, message.reasoning_content) == (RESPONSE, TRACE)
    assert [item["summary"] for item in message.reasoning_details] == [PROMPT_SUMMARY, PART]


async def test_the_sdk_puts_tool_calls_together() -> None:
    async with sdk(*CALLS) as client:
        async with client.chat.completions.stream(**CHAT, tools=CHAT_TOOLS) as stream:
            streamed: Any = await stream.get_final_completion()
        whole: Any = await client.chat.completions.create(**CHAT, tools=CHAT_TOOLS)
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


async def test_reasoning_and_results_that_come_back_in_chat() -> None:
    parser = RecordingParser(*CALLS)
    async with sdk(parser=parser) as client:
        turns: list[Any] = [{"role": "user", "content": QUESTION}]
        first: Any = await client.chat.completions.create(model=MODEL, messages=turns, tools=CHAT_TOOLS)
        message = first.choices[0].message
        calls = message.tool_calls
        turns += [message, *({"role": "tool", "tool_call_id": call.id, "content": "sunny"} for call in calls)]
        second = await client.chat.completions.create(model=MODEL, messages=turns, tools=CHAT_TOOLS)
    assert parser.request.messages == second_turn(tuple(call.id for call in calls), TRACE)
    assert not hasattr(second.choices[0].message, "prompt")
    shown = [detail for detail in second.choices[0].message.reasoning_details if "summary" in detail]  # type: ignore[attr-defined]
    assert shown == details(PART)


async def test_late_reasoning_joins_the_reasoning_of_a_whole_completion() -> None:
    async with sdk(*LATE) as client:
        completion: Any = await client.chat.completions.create(**CHAT)
    message = completion.choices[0].message
    assert (message.content, message.reasoning_content) == (RESPONSE, f"{TRACE}\n\nWait.")
    assert message.reasoning_details == details(PROMPT_SUMMARY, PART, PART)


async def test_late_reasoning_follows_the_response_of_a_chat_stream() -> None:
    async with sdk(*LATE) as client:
        stream: Any = await client.chat.completions.create(**CHAT, stream=True)
        deltas = [chunk.choices[0].delta async for chunk in stream if chunk.choices]
    behind = deltas[max(place for place, delta in enumerate(deltas) if delta.content) + 1 :]
    # In eager order the summary of the first reasoning may come behind the response, too.
    assert [getattr(delta, "reasoning_content", None) for delta in behind[-3:]] == ["Wait.", None, None]
    assert behind[-2].reasoning_details == [{"index": 2, "type": "reasoning.summary", "summary": PART}]


SUMMARY = f"{PROMPT_SUMMARY}{PART}"
SHOWN: dict[Show, str] = {"trace": TRACE, "summary": SUMMARY, "both": f"{SUMMARY}{TRACE}\n\n"}


def api(**settings: Any) -> dict[str, Any]:
    return {"url": "http://localhost:9", "models": [MODEL], **settings}


@pytest.mark.parametrize("show", SHOWN)
@pytest.mark.parametrize(
    "asked",
    [
        lambda show: ({}, {"show": show}),
        lambda show: ({}, {"show": "trace", "upstream": {"show": show}}),
        lambda show: ({}, {"show": "trace", "upstream": None, "http_upstreams": [api(show=show)]}),
        lambda show: ({}, {"show": show, "upstream": None, "http_upstreams": [api()]}),
        lambda show: ({"extra_body": {"reasoning": {"show": show}}}, {"show": "trace", "upstream": {"show": "both"}}),
    ],
    ids=["default", "Qwen", "API", "default for an API", "request"],
)
async def test_the_reasoning_is_shown_as_the_request_the_model_or_the_default_says(show: Show, asked: Any) -> None:
    fields, settings = asked(show)
    async with sdk(*GOOD, **settings) as client:
        whole: Any = await client.chat.completions.create(**CHAT, **fields)
        stream: Any = await client.chat.completions.create(**CHAT, **fields, stream=True)
        deltas = [chunk.choices[0].delta async for chunk in stream if chunk.choices]
    assert whole.choices[0].message.reasoning_content == SHOWN[show]
    assert "".join(getattr(delta, "reasoning_content", "") for delta in deltas) == SHOWN[show]
    shown = max(place for place, delta in enumerate(deltas) if getattr(delta, "reasoning_content", ""))
    assert shown < min(place for place, delta in enumerate(deltas) if delta.content)


@pytest.mark.parametrize("show", SHOWN)
@pytest.mark.parametrize("keeps_details", [True, False], ids=["whole turns", "without details"])
async def test_the_trace_comes_back_from_clients_that_keep_its_seal(show: Show, keeps_details: bool) -> None:
    parser = RecordingParser(*CALLS)
    async with sdk(parser=parser, show=show) as client:
        turns: list[Any] = [{"role": "user", "content": QUESTION}]
        first: Any = await client.chat.completions.create(model=MODEL, messages=turns, tools=CHAT_TOOLS)
        message = first.choices[0].message.to_dict()
        calls = message["tool_calls"]
        if not keeps_details:
            del message["reasoning_details"]
        turns += [message, *({"role": "tool", "tool_call_id": call["id"], "content": "sunny"} for call in calls)]
        await client.chat.completions.create(model=MODEL, messages=turns, tools=CHAT_TOOLS)
    back = TRACE if keeps_details else SHOWN[show].removeprefix(PROMPT_SUMMARY)
    assert parser.request.messages == second_turn((calls[0]["id"], calls[1]["id"]), back)
