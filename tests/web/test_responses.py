"""The Responses route, read by openai-python: what it puts together is what the native route answers."""

from typing import Any

import pytest

from gateway.reasoning import Segment
from tests.fakes.scripted_gateway import (
    CALLS,
    GOOD,
    LATE,
    MODEL,
    PART,
    PROMPT_SUMMARY,
    QUESTION,
    RESPONSE,
    TOOLS,
    TRACE,
    RecordingParser,
    native_answer,
    responses_events,
    sdk,
    second_turn,
)


async def test_a_whole_response_is_the_native_answer() -> None:
    native = await native_answer(*GOOD)
    async with sdk(*GOOD) as client:
        response = await client.responses.create(model=MODEL, input=QUESTION, reasoning={"summary": "auto"})
    assert (response.status, response.output_text) == ("completed", native["response"])
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
        events = await responses_events(client, helper, reasoning={"summary": "auto"})
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


@pytest.mark.parametrize("helper", [True, False])
async def test_the_trace_as_responses_events(helper: bool) -> None:
    async with sdk(*GOOD) as client:
        events = await responses_events(client, helper)
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
        events = await responses_events(client, helper, tools=TOOLS)
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
        second = await client.responses.create(model=MODEL, input=items, tools=TOOLS, reasoning={"summary": "detailed"})
    assert parser.request.messages == second_turn(tuple(call.call_id for call in calls), TRACE)
    assert [item.type for item in second.output][:2] == ["reasoning", "message"]


@pytest.mark.parametrize("helper", [True, False])
@pytest.mark.parametrize(
    ("asked", "kind", "text"),
    [({}, "content", "Wait."), ({"reasoning": {"summary": "auto"}}, "summary", PART)],
    ids=["trace", "summaries"],
)
async def test_late_reasoning_is_an_item_behind_the_message(
    helper: bool, asked: dict[str, Any], kind: str, text: str
) -> None:
    async with sdk(*LATE) as client:
        events = await responses_events(client, helper, **asked)
        whole: Any = await client.responses.create(model=MODEL, input=QUESTION, **asked)
    for response in (events[-1].response, whole):
        assert [item.type for item in response.output][-2:] == ["message", "reasoning"]
        late = response.output[-1]
        assert ([part.text for part in getattr(late, kind)], late.status) == ([text], "completed")
        assert response.output_text == RESPONSE
        assert response.status == "completed"
    assert [event.sequence_number for event in events] == list(range(len(events)))


async def test_late_reasoning_stands_behind_function_calls() -> None:
    script = [*CALLS[:-1], Segment("reasoning", "Wait."), CALLS[-1]]
    async with sdk(*script) as client:
        events = await responses_events(client, helper=True, tools=TOOLS)
    output = events[-1].response.output
    assert [item.type for item in output] == ["reasoning", "message", "function_call", "function_call", "reasoning"]
