"""Reasoning sealed into `encrypted_content` on the Responses route: where it stands, and what comes back of it."""

from typing import Any

import pytest

from gateway.reasoning import Segment
from gateway.upstream import Accepted, Finished
from tests.fakes.scripted_gateway import (
    CALLS,
    CHAT,
    CHAT_TOOLS,
    GOOD,
    MODEL,
    QUESTION,
    SEALER,
    TOOLS,
    TRACE,
    USAGE,
    RecordingParser,
    responses_events,
    sdk,
)

SUMMARY: dict[str, Any] = {"reasoning": {"summary": "auto"}}
INCLUDE: dict[str, Any] = {"include": ["reasoning.encrypted_content"]}
NO_THOUGHT = [Accepted(prompt_tokens=5), Segment("response", "42."), Finished(finish_reason="stop", usage=USAGE)]
FOREIGN = "gAAAAABpJv3mZ1hXn7l2v0sJ4m8Qk5yq0ZbCzJxgQ4u1d2rT9wE6fPq3aYt7H0oLkVnS5iB8cDxRjUeWmGzKpA=="


def opened(item: Any) -> str | None:
    sealed = item.encrypted_content
    return None if sealed is None else SEALER.open(sealed, len(TRACE))


@pytest.mark.parametrize(
    ("fields", "traces"),
    [
        ({}, [None]),
        ({"include": []}, [None]),
        (INCLUDE, [TRACE]),
        ({"store": False}, [TRACE]),
        ({"tools": TOOLS}, [TRACE]),
        (SUMMARY, [None, TRACE]),
        ({"reasoning": {"summary": "concise"}}, [None, TRACE]),
        ({**SUMMARY, **INCLUDE, "store": False}, [None, TRACE]),
    ],
)
@pytest.mark.parametrize("stream", [True, False])
async def test_the_trace_is_sealed_for_clients_that_have_to_send_it_back(
    fields: dict[str, Any], traces: list[str | None], stream: bool
) -> None:
    async with sdk(*GOOD) as client:
        if stream:
            response = (await responses_events(client, helper=False, **fields))[-1].response
        else:
            response = await client.responses.create(model=MODEL, input=QUESTION, **fields)
    items = [item for item in response.output if item.type == "reasoning"]
    assert [opened(item) for item in items] == traces
    hidden = "reasoning" in fields
    assert [part.text for item in items for part in item.content or ()] == ([] if hidden else [TRACE])


@pytest.mark.parametrize("fields", [SUMMARY, INCLUDE])
async def test_in_a_stream_it_stands_in_the_item_that_is_done_and_in_the_response(fields: dict[str, Any]) -> None:
    async with sdk(*GOOD) as client:
        events = await responses_events(client, helper=False, **fields)
    added = [event.item for event in events if event.type == "response.output_item.added"]
    assert [item.encrypted_content for item in added if item.type == "reasoning"] == [None] * (1 + (fields is SUMMARY))
    done = [event.item for event in events if event.type == "response.output_item.done"]
    sealed = [item.encrypted_content for item in done if item.type == "reasoning"]
    assert opened([item for item in done if item.type == "reasoning"][-1]) == TRACE
    assert [item.encrypted_content for item in events[-1].response.output if item.type == "reasoning"] == sealed
    assert TRACE not in "".join(str(event) for event in events) or fields is INCLUDE


async def test_an_answer_without_reasoning_has_nothing_sealed() -> None:
    async with sdk(*NO_THOUGHT) as client:
        response = await client.responses.create(model=MODEL, input=QUESTION, **SUMMARY, **INCLUDE)
    assert [(item.type, getattr(item, "encrypted_content", None)) for item in response.output] == [
        ("reasoning", None),  # the summary of the prompt
        ("message", None),
    ]


async def test_after_a_functions_output_the_summary_is_the_only_reasoning_item_and_has_it() -> None:
    items: list[Any] = [
        {"role": "user", "content": QUESTION},
        {"type": "function_call", "call_id": "call_1", "name": "weather", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "call_1", "output": "sunny"},
    ]
    async with sdk(*CALLS) as client:
        response = await client.responses.create(model=MODEL, input=items, tools=TOOLS, **SUMMARY)
    assert [opened(item) for item in response.output if item.type == "reasoning"] == [TRACE]


def reasoning_item(sealed: str | None, **fields: Any) -> dict[str, Any]:
    return {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": sealed, **fields}


SEALED_DETAIL = {"type": "reasoning.encrypted", "data": SEALER.seal(TRACE), "index": 0}


@pytest.mark.parametrize(
    ("item", "reasoning"),
    [
        (reasoning_item(SEALER.seal(TRACE)), TRACE),
        (reasoning_item(SEALER.seal(TRACE), summary=[{"type": "summary_text", "text": "It multiplies."}]), TRACE),
        (reasoning_item(FOREIGN, summary=[{"type": "summary_text", "text": "It multiplies."}]), "It multiplies."),
        (reasoning_item(FOREIGN), ""),
        (reasoning_item(SEALER.seal(TRACE)[:-1]), ""),
        (reasoning_item(None), ""),
    ],
)
async def test_sealed_reasoning_is_that_of_its_turn_again(item: dict[str, Any], reasoning: str) -> None:
    parser = RecordingParser(*GOOD)
    items: list[Any] = [
        {"role": "user", "content": QUESTION},
        item,
        {"role": "assistant", "content": "42."},
        {"role": "user", "content": "And seven?"},
    ]
    async with sdk(parser=parser) as client:
        await client.responses.create(model=MODEL, input=items)
    assert [message.reasoning for message in parser.request.messages] == ["", reasoning, ""]


async def test_a_chat_with_tools_has_the_trace_sealed_among_its_details() -> None:
    async with sdk(*CALLS) as client:
        chunks = [chunk async for chunk in await client.chat.completions.create(**CHAT, tools=CHAT_TOOLS, stream=True)]
        whole: Any = await client.chat.completions.create(**CHAT, tools=CHAT_TOOLS)
    deltas: list[Any] = [chunk.choices[0].delta for chunk in chunks]
    details = [detail for delta in deltas for detail in getattr(delta, "reasoning_details", None) or ()]
    for found in (details, whole.choices[0].message.reasoning_details):
        (sealed,) = [detail for detail in found if detail["type"] == "reasoning.encrypted"]
        assert SEALER.open(sealed["data"], len(TRACE)) == TRACE
    called = next(index for index, delta in enumerate(deltas) if delta.tool_calls)
    assert "reasoning.encrypted" in str(deltas[:called])
    indices = [detail["index"] for detail in details]
    assert indices == sorted(indices)


async def test_a_chat_without_tools_has_nothing_sealed() -> None:
    async with sdk(*GOOD) as client:
        whole = await client.chat.completions.create(**CHAT)
    assert "reasoning.encrypted" not in str(whole)


@pytest.mark.parametrize(
    ("details", "reasoning"),
    [
        ([SEALED_DETAIL], TRACE),
        ([{"type": "reasoning.summary", "summary": "It multiplies.", "index": 0}, SEALED_DETAIL], TRACE),
        ([{**SEALED_DETAIL, "data": "rg1.of-another-key"}], ""),
    ],
)
async def test_a_sealed_detail_is_the_reasoning_of_its_turn_again(details: list[Any], reasoning: str) -> None:
    parser = RecordingParser(*GOOD)
    turn: Any = {"role": "assistant", "content": "42.", "reasoning_details": details}
    messages = [{"role": "user", "content": QUESTION}, turn, {"role": "user", "content": "And seven?"}]
    async with sdk(parser=parser) as client:
        await client.chat.completions.create(model=MODEL, messages=messages)
    assert [message.reasoning for message in parser.request.messages] == ["", reasoning, ""]


async def test_what_cannot_be_opened_is_left_out_with_one_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    items: list[Any] = [
        {"role": "user", "content": QUESTION},
        reasoning_item(FOREIGN),
        reasoning_item(SEALER.seal(TRACE) + "x"),
        {"role": "assistant", "content": "42."},
        {"role": "user", "content": "And seven?"},
    ]
    async with sdk(*GOOD) as client:
        response = await client.responses.create(model=MODEL, input=items)
    assert response.status == "completed"
    assert [record.getMessage()[:28] for record in caplog.records if record.name == "gateway.sealing"] == [
        "2 encrypted_content of a req"
    ]
