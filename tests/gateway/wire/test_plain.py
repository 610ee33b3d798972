"""The Qwen as plain chunks: strict JSON, in OpenAI's shapes."""

import json
from typing import Any

from gateway.errors import UpstreamError
from gateway.events import Usage
from gateway.upstream import Accepted, Finished, Text, ThinkingEnded, UpstreamItem
from gateway.wire.openai import error_body
from gateway.wire.plain import PlainWriter

ITEMS: list[UpstreamItem] = [
    Accepted(prompt_tokens=7),
    Text("<think>\nSo."),
    Text("</think>\n"),
    ThinkingEnded(tokens=2, ended_by="marker"),
    Text("42"),
    Finished(finish_reason="length", usage=Usage(prompt_tokens=7, completion_tokens=5, reasoning_tokens=2)),
]
COMMON = {"id": "chatcmpl-1", "created": 9, "model": "qwen"}
USAGE = {
    "prompt_tokens": 7,
    "completion_tokens": 5,
    "total_tokens": 12,
    "prompt_tokens_details": {"cached_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 2},
}


def chunk(delta: dict[str, str], finish_reason: str | None = None) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    return {"object": "chat.completion.chunk", **COMMON, "choices": [choice]}


def data(stream: bytes) -> list[Any]:
    events = stream.decode().removesuffix("\n\n").split("\n\n")
    return [event if event == "data: [DONE]" else json.loads(event.removeprefix("data: ")) for event in events]


def test_items_become_chunks() -> None:
    writer = PlainWriter("chatcmpl-1", "qwen", 9)
    assert data(b"".join(writer.stream([item]) for item in ITEMS)) == [
        chunk({"role": "assistant", "content": "<think>\nSo."}),
        chunk({"content": "</think>\n"}),
        chunk({"content": "42"}),
        chunk({}, "length"),
        "data: [DONE]",
    ]


def test_an_answer_without_text_has_a_role() -> None:
    ended = Finished(finish_reason="stop", usage=Usage())
    assert data(PlainWriter("chatcmpl-1", "qwen", 9).stream([Accepted(), ended])) == [
        chunk({"role": "assistant"}, "stop"),
        "data: [DONE]",
    ]


def test_wanted_usage_is_a_chunk_of_its_own() -> None:
    chunks = data(PlainWriter("chatcmpl-1", "qwen", 9, include_usage=True).stream(ITEMS))
    assert chunks[-2:] == [
        {"object": "chat.completion.chunk", **COMMON, "choices": [], "usage": USAGE},
        "data: [DONE]",
    ]


def test_items_become_a_whole_completion() -> None:
    message = {"role": "assistant", "content": "<think>\nSo.</think>\n42"}
    assert json.loads(PlainWriter("chatcmpl-1", "qwen", 9).whole(ITEMS)) == {
        "object": "chat.completion",
        **COMMON,
        "choices": [{"index": 0, "message": message, "finish_reason": "length"}],
        "usage": USAGE,
    }


def test_a_failure_in_mid_stream_is_an_error_event() -> None:
    failure = UpstreamError("it broke").failure()
    assert data(PlainWriter("chatcmpl-1", "qwen", 9).failure(failure)) == [error_body(failure)]
    assert error_body(failure) == {
        "error": {"message": "it broke", "type": "upstream_error", "param": None, "code": "upstream_error"}
    }
