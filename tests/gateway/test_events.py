"""The vocabulary's snapshot: names, fields in order, and JSON. These are for ever: a change here breaks clients."""

from dataclasses import FrozenInstanceError, fields
from typing import Any

import orjson
import pytest

from gateway.errors import ClientTooSlow, Failure, InvalidRequest, UpstreamError
from gateway.events import (
    EVENT_TYPES,
    LAST_EVENTS,
    BaseEvent,
    Event,
    PromptSummaryDelta,
    PromptSummaryDone,
    ReasoningDelta,
    ReasoningDone,
    ReasoningSummaryDelta,
    ReasoningSummaryDone,
    ReasoningSummaryHeadline,
    ReasoningSummaryPart,
    ResponseDelta,
    ResponseDone,
    Span,
    StreamCompleted,
    StreamFailed,
    StreamStarted,
    Timings,
    ToolCallDelta,
    ToolCallDone,
    Usage,
)
from gateway.wire import native

FIELDS = {
    "stream.started": ["sequence_number", "id", "model", "created"],
    "prompt_summary.delta": ["sequence_number", "delta"],
    "prompt_summary.done": ["sequence_number", "text", "written_by"],
    "reasoning.delta": ["sequence_number", "delta"],
    "reasoning_summary.delta": ["sequence_number", "index", "delta"],
    "reasoning_summary.part": ["sequence_number", "index", "title", "text", "span", "written_by"],
    "reasoning_summary.headline": ["sequence_number", "index", "text", "characters", "seconds"],
    "reasoning.done": ["sequence_number", "characters", "tokens", "seconds", "ended_by"],
    "reasoning_summary.done": ["sequence_number", "text"],
    "response.delta": ["sequence_number", "delta"],
    "tool_call.delta": ["sequence_number", "index", "id", "name", "arguments"],
    "tool_call.done": ["sequence_number", "index", "id", "name", "arguments"],
    "response.done": ["sequence_number", "text"],
    "stream.completed": ["sequence_number", "finish_reason", "usage", "timings", "late_reasoning", "late_summary"],
    "stream.failed": ["sequence_number", "error"],
}

EXAMPLES: list[tuple[Event, bytes]] = [
    (
        StreamStarted(sequence_number=0, id="rsn-1", model="qwen", created=1700000000),
        b'{"type":"stream.started","sequence_number":0,"id":"rsn-1","model":"qwen","created":1700000000}',
    ),
    (
        PromptSummaryDelta(sequence_number=1, delta="You ask"),
        b'{"type":"prompt_summary.delta","sequence_number":1,"delta":"You ask"}',
    ),
    (
        PromptSummaryDone(sequence_number=2, text="You ask.", written_by="model"),
        b'{"type":"prompt_summary.done","sequence_number":2,"text":"You ask.","written_by":"model"}',
    ),
    (
        ReasoningDelta(sequence_number=3, delta='So "7"\n'),
        b'{"type":"reasoning.delta","sequence_number":3,"delta":"So \\"7\\"\\n"}',
    ),
    (
        ReasoningSummaryDelta(sequence_number=4, index=0, delta="Six."),
        b'{"type":"reasoning_summary.delta","sequence_number":4,"index":0,"delta":"Six."}',
    ),
    (
        ReasoningSummaryPart(
            sequence_number=5, index=0, title="T", text="Six.", span=Span(start=0, end=9), written_by="extract"
        ),
        b'{"type":"reasoning_summary.part","sequence_number":5,"index":0,"title":"T","text":"Six.",'
        b'"span":{"start":0,"end":9},"written_by":"extract"}',
    ),
    (
        ReasoningSummaryHeadline(sequence_number=5, index=1, text="Trying seven", characters=600, seconds=3.5),
        b'{"type":"reasoning_summary.headline","sequence_number":5,"index":1,"text":"Trying seven","characters":600,'
        b'"seconds":3.5}',
    ),
    (
        ReasoningDone(sequence_number=6, characters=9, tokens=None, seconds=1.25, ended_by="marker"),
        b'{"type":"reasoning.done","sequence_number":6,"characters":9,"tokens":null,"seconds":1.25,"ended_by":"marker"}',
    ),
    (
        ReasoningSummaryDone(sequence_number=7, text="Six."),
        b'{"type":"reasoning_summary.done","sequence_number":7,"text":"Six."}',
    ),
    (
        ResponseDelta(sequence_number=8, delta="四十二 \U0001f9e0\u2028"),
        '{"type":"response.delta","sequence_number":8,"delta":"四十二 \U0001f9e0\u2028"}'.encode(),
    ),
    (
        ToolCallDelta(sequence_number=9, index=0, id="call-1", name="f", arguments='{"x"'),
        b'{"type":"tool_call.delta","sequence_number":9,"index":0,"id":"call-1","name":"f","arguments":"{\\"x\\""}',
    ),
    (
        ToolCallDone(sequence_number=10, index=0, id="call-1", name="f", arguments="{}"),
        b'{"type":"tool_call.done","sequence_number":10,"index":0,"id":"call-1","name":"f","arguments":"{}"}',
    ),
    (
        ResponseDone(sequence_number=11, text="42."),
        b'{"type":"response.done","sequence_number":11,"text":"42."}',
    ),
    (
        StreamCompleted(
            sequence_number=12,
            finish_reason="stop",
            usage=Usage(
                prompt_tokens=5,
                completion_tokens=9,
                reasoning_tokens=4,
                cached_tokens=2,
                estimated=True,
                summary_tokens=6,
                summary_prompt_tokens=14,
                summary_cached_tokens=3,
            ),
            timings=Timings(prompt_summary=0.5, first_reasoning=None, first_response=1.0, total=2.5),
            late_reasoning="Wait.",
            late_summary="**Doubt**\n\nIt waits.",
        ),
        b'{"type":"stream.completed","sequence_number":12,"finish_reason":"stop",'
        b'"usage":{"prompt_tokens":5,"completion_tokens":9,"reasoning_tokens":4,"cached_tokens":2,"estimated":true,'
        b'"summary_tokens":6,"summary_prompt_tokens":14,"summary_cached_tokens":3},'
        b'"timings":{"prompt_summary":0.5,"first_reasoning":null,"first_response":1.0,"total":2.5},'
        b'"late_reasoning":"Wait.","late_summary":"**Doubt**\\n\\nIt waits."}',
    ),
    (
        StreamFailed(
            sequence_number=13,
            error=Failure(type="upstream_error", message="It died.", stage="upstream", retryable=True, code="fire"),
        ),
        b'{"type":"stream.failed","sequence_number":13,'
        b'"error":{"type":"upstream_error","message":"It died.","stage":"upstream","retryable":true,"code":"fire"}}',
    ),
]


def test_every_event_has_its_name_and_fields_in_this_order() -> None:
    assert {name: [field.name for field in fields(event)] for name, event in EVENT_TYPES.items()} == FIELDS


def test_event_types_keep_the_order_of_the_design() -> None:
    assert list(EVENT_TYPES) == list(FIELDS)


def test_every_event_has_an_example() -> None:
    assert [event.type for event, _ in EXAMPLES] == list(FIELDS)


def test_the_last_events_are_these_two() -> None:
    assert {event.type for event in LAST_EVENTS} == {"stream.completed", "stream.failed"}


@pytest.mark.parametrize(("event", "json"), EXAMPLES, ids=[event.type for event, _ in EXAMPLES])
def test_an_event_is_encoded_with_its_type_and_number_first(event: Event, json: bytes) -> None:
    assert native.encode(event) == json


@pytest.mark.parametrize("event", [event for event, _ in EXAMPLES], ids=[event.type for event, _ in EXAMPLES])
def test_decoding_an_encoded_event_returns_an_equal_one(event: Event) -> None:
    assert native.decode(native.encode(event)) == event
    assert native.decode(native.encode(event).decode()) == event


@pytest.mark.parametrize("event", [event for event, _ in EXAMPLES], ids=[event.type for event, _ in EXAMPLES])
def test_an_event_is_a_frozen_value_without_other_attributes(event: Event) -> None:
    assert isinstance(event, BaseEvent)
    assert not hasattr(event, "__dict__")
    with pytest.raises(FrozenInstanceError):
        event.sequence_number = 5  # type: ignore[misc]


def test_fields_are_given_by_name_only() -> None:
    make: Any = ReasoningDelta
    with pytest.raises(TypeError):
        make("text")


def test_a_new_event_has_no_number() -> None:
    assert ReasoningDelta(delta="x").sequence_number == -1


@pytest.mark.parametrize(
    "failure",
    [
        InvalidRequest("no", param="messages.0").failure(),
        UpstreamError("died", code="fire").failure(),
        ClientTooSlow("slow").failure(),
    ],
    ids=["a field at fault", "the upstream", "the client"],
)
def test_the_error_of_a_failed_stream_has_exactly_five_fields(failure: Failure) -> None:
    body = orjson.loads(native.encode(StreamFailed(error=failure)))
    assert list(body) == ["type", "sequence_number", "error"]
    assert body["error"] == {
        "type": failure.type,
        "message": failure.message,
        "stage": failure.stage,
        "retryable": failure.retryable,
        "code": failure.code,
    }
    assert list(body["error"]) == ["type", "message", "stage", "retryable", "code"]


def test_the_code_of_a_failure_is_its_type_unless_it_has_one_of_its_own() -> None:
    assert UpstreamError("died").failure().code == "upstream_error"
    assert UpstreamError("died", code="fire").failure().code == "fire"
    sent = b'{"type":"stream.failed","error":{"type":"x","message":"","stage":"session"}}'
    assert native.decode(sent) == StreamFailed(error=Failure(type="x", message="", stage="session", code="x"))


def test_defaults_of_stream_completed_are_encoded() -> None:
    event = StreamCompleted(sequence_number=0, finish_reason="length", usage=Usage())
    body: dict[str, Any] = orjson.loads(native.encode(event))
    assert body == {
        "type": "stream.completed",
        "sequence_number": 0,
        "finish_reason": "length",
        "usage": {
            "prompt_tokens": 0,
            "completion_tokens": 0,
            "reasoning_tokens": 0,
            "cached_tokens": 0,
            "estimated": False,
            "summary_tokens": 0,
            "summary_prompt_tokens": 0,
            "summary_cached_tokens": 0,
        },
        "timings": {"prompt_summary": None, "first_reasoning": None, "first_response": None, "total": 0.0},
        "late_reasoning": "",
        "late_summary": "",
    }


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"stream.started"',
        b"{}",
        b'{"type":null}',
        b'{"type": []}',
        b"\xff",
        b'{"type":"\xff"}',
        b'{"type":"reasoning_summary.part","sequence_number":0,"index":0,"title":"","text":"","written_by":"model"}',
        b'{"type":{}}',
        b'{"type":["stream.started"]}',
        b'{"type":{"stream.started":1}}',
        b'{"type":"stream.paused","sequence_number":0}',
        b'{"type":"reasoning.delta","sequence_number":0}',
        b'{"type":"reasoning.delta","sequence_number":0,"delta":"x","extra":1}',
        b'{"type":"stream.failed","sequence_number":0,"error":null}',
        b'{"type":"stream.failed","sequence_number":0,"error":{"type":"x"}}',
        b'{"type":"stream.failed","sequence_number":0,"error":[1]}',
    ],
    ids=repr,
)
def test_decoding_anything_else_raises_value_error(data: bytes) -> None:
    with pytest.raises(ValueError):
        native.decode(data)
