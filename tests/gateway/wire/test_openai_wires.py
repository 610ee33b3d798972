"""Events to bytes, exactly: server-sent events, the native stream, and the whole answer."""

from typing import Any

import orjson
import pytest

from gateway.errors import Failure
from gateway.events import (
    Event,
    PromptSummaryDelta,
    PromptSummaryDone,
    ReasoningDelta,
    ReasoningDone,
    ReasoningSummaryDelta,
    ReasoningSummaryDone,
    ReasoningSummaryPart,
    ResponseDelta,
    ResponseDone,
    Span,
    StreamCompleted,
    StreamFailed,
    StreamStarted,
    Timings,
    ToolCallDone,
    Usage,
)
from gateway.wire import native, sse

STARTED = StreamStarted(sequence_number=0, id="rsn-1", model="qwen", created=1700000000)
ASKED: list[Event] = [
    STARTED,
    PromptSummaryDelta(sequence_number=1, delta="You "),
    PromptSummaryDelta(sequence_number=2, delta="ask."),
    PromptSummaryDone(sequence_number=3, text="You ask.", written_by="model"),
]
THOUGHT: list[Event] = [
    ReasoningDelta(sequence_number=4, delta="Six times "),
    ReasoningDelta(sequence_number=5, delta="seven."),
    ReasoningDone(sequence_number=6, characters=16, tokens=4, seconds=0.5, ended_by="budget"),
    ReasoningSummaryDelta(sequence_number=7, index=0, delta="It is 42."),
    ReasoningSummaryPart(
        sequence_number=8, index=0, title="Six", text="It is 42.", span=Span(start=0, end=16), written_by="model"
    ),
    ReasoningSummaryDone(sequence_number=9, text="It is 42."),
]
ANSWERED: list[Event] = [
    ResponseDelta(sequence_number=10, delta="4"),
    ResponseDelta(sequence_number=11, delta="2."),
    ResponseDone(sequence_number=12, text="42."),
]
COMPLETED = StreamCompleted(
    sequence_number=13,
    finish_reason="stop",
    usage=Usage(prompt_tokens=5, completion_tokens=9, reasoning_tokens=4),
    timings=Timings(prompt_summary=0.1, first_reasoning=0.2, first_response=0.3, total=0.4),
    late_reasoning="Wait.",
)
FAILED = StreamFailed(
    sequence_number=7,
    error=Failure(
        type="upstream_error", message="It died.", stage="upstream", retryable=True, status=502, param="messages"
    ),
)


def whole(*events: Event) -> Any:
    """The whole answer as a client reads it."""
    return orjson.loads(native.NativeWriter().whole(events))


def test_a_server_sent_event_is_its_name_its_data_and_a_blank_line() -> None:
    assert sse.encode("reasoning.delta", b'{"a":1}') == b'event: reasoning.delta\ndata: {"a":1}\n\n'


def test_the_stream_has_its_media_type_and_headers() -> None:
    assert sse.MEDIA_TYPE == "text/event-stream; charset=utf-8"
    assert sse.HEADERS == {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}


def test_a_ping_is_a_comment_that_leaves_no_event() -> None:
    assert sse.PING == b": ping\n"


def test_a_native_stream_is_its_numbered_events() -> None:
    assert native.NativeWriter().stream([STARTED, ReasoningDelta(sequence_number=1, delta="x"), FAILED]) == (
        b"event: stream.started\n"
        b'data: {"type":"stream.started","sequence_number":0,"id":"rsn-1","model":"qwen","created":1700000000}\n'
        b"\n"
        b"event: reasoning.delta\n"
        b'data: {"type":"reasoning.delta","sequence_number":1,"delta":"x"}\n'
        b"\n"
        b"event: stream.failed\n"
        b'data: {"type":"stream.failed","sequence_number":2,'
        b'"error":{"type":"upstream_error","message":"It died.","stage":"upstream","retryable":true,'
        b'"code":"upstream_error"}}\n'
        b"\n"
    )


def test_a_stream_of_nothing_is_no_bytes() -> None:
    assert native.NativeWriter().stream([]) == b""


@pytest.mark.parametrize("text", ["a\nb", "a\r\nb", "\r", "a\n\nevent: stream.failed\ndata: {}\n\n", "data: x"])
def test_line_ends_in_the_text_never_end_a_line_of_the_stream(text: str) -> None:
    data = native.NativeWriter().stream([ReasoningDelta(sequence_number=0, delta=text)])
    assert b"\r" not in data
    name, line, *rest = data.split(b"\n")
    assert (name, rest) == (b"event: reasoning.delta", [b"", b""])
    assert native.decode(line.removeprefix(b"data: ")) == ReasoningDelta(sequence_number=0, delta=text)


def test_events_are_numbered_from_zero_over_all_batches() -> None:
    writer, events = native.NativeWriter(), [ReasoningDelta(delta="a"), ReasoningDelta(delta="b")]
    data = writer.stream(events) + writer.keep_alive() + writer.stream(events)
    sent = sse.Decoder().feed(data)
    assert sent.pop(2) == sse.Received("ping", '{"type":"ping"}')
    assert [native.decode(event.data).sequence_number for event in sent] == [0, 1, 2, 3]


def test_other_line_separators_stay_as_they_are() -> None:
    data = native.NativeWriter().stream([ResponseDelta(sequence_number=0, delta="a\u2028b\u2029c\x85d")])
    assert (
        data
        == (
            'event: response.delta\ndata: {"type":"response.delta","sequence_number":0,'
            '"delta":"a\u2028b\u2029c\x85d"}\n\n'
        ).encode()
    )


def test_a_completed_stream_folds_into_one_answer() -> None:
    assert whole(*ASKED, *THOUGHT, *ANSWERED, COMPLETED) == {
        "id": "rsn-1",
        "model": "qwen",
        "created": 1700000000,
        "prompt_summary": {"text": "You ask.", "written_by": "model"},
        "reasoning": {
            "text": "Six times seven.",
            "characters": 16,
            "tokens": 4,
            "seconds": 0.5,
            "ended_by": "budget",
        },
        "reasoning_summary": {
            "text": "It is 42.",
            "parts": [
                {
                    "index": 0,
                    "title": "Six",
                    "text": "It is 42.",
                    "span": {"start": 0, "end": 16},
                    "written_by": "model",
                }
            ],
        },
        "response": "42.",
        "finish_reason": "stop",
        "usage": {
            "prompt_tokens": 5,
            "completion_tokens": 9,
            "reasoning_tokens": 4,
            "cached_tokens": 0,
            "estimated": False,
            "summary_tokens": 0,
            "summary_prompt_tokens": 0,
            "summary_cached_tokens": 0,
        },
        "timings": {"prompt_summary": 0.1, "first_reasoning": 0.2, "first_response": 0.3, "total": 0.4},
        "late_reasoning": "Wait.",
        "late_summary": "",
    }


def test_a_stream_without_reasoning_folds_into_one_answer() -> None:
    events: list[Event] = [
        STARTED,
        PromptSummaryDone(sequence_number=1, text="", written_by="none"),
        ReasoningDone(sequence_number=2, characters=0, tokens=None, seconds=0.0, ended_by="absent"),
        ReasoningSummaryDone(sequence_number=3, text=""),
        ResponseDelta(sequence_number=4, delta="42."),
        ResponseDone(sequence_number=5, text="42."),
        StreamCompleted(sequence_number=6, finish_reason="length", usage=Usage(completion_tokens=2)),
    ]
    assert whole(*events) == {
        "id": "rsn-1",
        "model": "qwen",
        "created": 1700000000,
        "prompt_summary": {"text": "", "written_by": "none"},
        "reasoning": {"text": "", "characters": 0, "tokens": None, "seconds": 0.0, "ended_by": "absent"},
        "reasoning_summary": {"text": "", "parts": []},
        "response": "42.",
        "finish_reason": "length",
        "usage": {
            "prompt_tokens": 0,
            "completion_tokens": 2,
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


def test_a_whole_answer_has_its_tool_calls() -> None:
    call = ToolCallDone(sequence_number=5, index=0, id="call_1", name="weather", arguments="{}")
    assert whole(STARTED, call)["tool_calls"] == [{"id": "call_1", "name": "weather", "arguments": "{}"}]
    assert "tool_calls" not in whole(STARTED)


def test_an_answer_without_trace_has_the_numbers_of_its_reasoning() -> None:
    done = ReasoningDone(sequence_number=2, characters=16, tokens=4, seconds=0.5, ended_by="marker")
    assert whole(STARTED, done)["reasoning"] == {
        "text": "",
        "characters": 16,
        "tokens": 4,
        "seconds": 0.5,
        "ended_by": "marker",
    }


def test_a_failed_stream_folds_into_what_came_and_its_error() -> None:
    assert whole(*ASKED, *THOUGHT[:3], FAILED) == {
        "id": "rsn-1",
        "model": "qwen",
        "created": 1700000000,
        "prompt_summary": {"text": "You ask.", "written_by": "model"},
        "reasoning": {
            "text": "Six times seven.",
            "characters": 16,
            "tokens": 4,
            "seconds": 0.5,
            "ended_by": "budget",
        },
        "reasoning_summary": {"text": "", "parts": []},
        "error": {
            "type": "upstream_error",
            "message": "It died.",
            "stage": "upstream",
            "retryable": True,
            "code": "upstream_error",
        },
    }


def test_summary_parts_keep_their_order() -> None:
    parts: list[Event] = [
        ReasoningSummaryPart(
            index=index, title=f"T{index}", text="x", span=Span(start=index, end=index + 1), written_by="model"
        )
        for index in range(3)
    ]
    assert [part["index"] for part in whole(*parts)["reasoning_summary"]["parts"]] == [0, 1, 2]


def test_two_answers_share_nothing() -> None:
    first = native.whole([STARTED, *THOUGHT])
    assert native.whole([STARTED])["reasoning_summary"] == {"text": "", "parts": []}
    assert len(first["reasoning_summary"]["parts"]) == 1
