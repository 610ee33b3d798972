"""The chunks of an API in all their dialects: text in any place, calls in any shape, emojis in two halves."""

import json
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import pytest

from gateway.errors import UpstreamCut, UpstreamError, UpstreamNotJson
from gateway.events import Usage
from gateway.reasoning import Segment
from gateway.upstream import Finished, Text, ToolPiece
from gateway.wire.chat_chunks import FIELDS, ChunkReader, Read
from gateway.wire.sse import Received

HIGH, LOW = "\ud83d", "\ude00"
LONE = "\ufffd"


def event(chunk: Any) -> Received:
    return Received("", chunk if isinstance(chunk, str) else json.dumps(chunk))


def items(*chunks: Any) -> list[Read]:
    reader = ChunkReader()
    return [*(item for chunk in chunks for item in reader.feed(event(chunk))), *reader.close()]


def choices(*choices: dict[str, Any]) -> list[Read]:
    return items(*({"choices": [choice]} for choice in choices))


def deltas(*deltas: dict[str, Any]) -> list[Read]:
    return choices(*({"index": 0, "delta": delta, "finish_reason": None} for delta in deltas))


def calls(*pieces: dict[str, Any] | list[dict[str, Any]]) -> list[Any]:
    """Return [id, name, arguments] of each call that is read from the pieces."""
    return called(deltas(*({"tool_calls": piece if isinstance(piece, list) else [piece]} for piece in pieces)))


def called(read: Sequence[Read]) -> list[Any]:
    whole: list[Any] = []
    for piece in read:
        assert isinstance(piece, ToolPiece)
        if piece.index == len(whole):
            whole.append([piece.id, piece.name, ""])
        whole[piece.index][2] += piece.arguments
    return whole


def piece(arguments: Any = None, name: str | None = None, **fields: Any) -> dict[str, Any]:
    given = {"name": name, "arguments": arguments}
    return {**fields, "function": {key: value for key, value in given.items() if value is not None}}


# Text in other places

WHOLE = {"role": "assistant", "content": "Whole."}
PLACES: dict[str, tuple[list[dict[str, Any]], list[Read]]] = {
    "refusal": ([{"delta": {"refusal": "I can"}}, {"delta": {"refusal": "not."}}], [Text("I can"), Text("not.")]),
    "content, then refusal": ([{"delta": {"content": "So", "refusal": "."}}], [Text("So"), Text(".")]),
    "null content and refusal": ([{"delta": {"content": None, "refusal": "No."}}], [Text("No.")]),
    "message": ([{"message": WHOLE}], [Text("Whole.")]),
    "message beside an empty delta": ([{"delta": {}, "message": WHOLE}], [Text("Whole.")]),
    "message beside a null delta": ([{"delta": None, "message": WHOLE, "finish_reason": "stop"}], [Text("Whole.")]),
    "message behind a role": (
        [{"delta": {"role": "assistant", "content": ""}}, {"message": WHOLE}],
        [Text("Whole.")],
    ),
    "message in pieces": ([{"message": {"content": "a"}}, {"message": {"content": "b"}}], [Text("a"), Text("b")]),
    "message that repeats the deltas": (
        [{"delta": {"content": "Who"}}, {"delta": {"content": "le."}}, {"delta": {}, "message": WHOLE}],
        [Text("Who"), Text("le.")],
    ),
    "message that repeats a delta beside it": ([{"delta": {"content": "Whole."}, "message": WHOLE}], [Text("Whole.")]),
    "message with reasoning": (
        [{"message": {"reasoning_content": "So.", "content": "Whole."}}],
        [Segment("reasoning", "So."), Text("Whole.")],
    ),
    "message with calls": (
        [{"message": {"content": None, "tool_calls": [piece({}, "f", id="c1"), piece("[]", "g", id="c2")]}}],
        [
            ToolPiece(index=0, id="c1", name="f"),
            ToolPiece(index=1, id="c2", name="g", arguments="[]"),
            ToolPiece(index=0, arguments="{}"),
        ],
    ),
    "message with a refusal": ([{"message": {"content": None, "refusal": "No."}}], [Text("No.")]),
    "text": ([{"text": "a"}, {"text": "b", "finish_reason": "stop"}], [Text("a"), Text("b")]),
    "text that repeats the delta": ([{"delta": {"content": "a"}, "text": "a"}, {"text": "a"}], [Text("a")]),
    "text beside a delta of reasoning": (
        [{"delta": {"reasoning": "a"}, "text": "a"}, {"delta": {"content": "b"}, "text": "b"}],
        [Segment("reasoning", "a"), Text("b")],
    ),
    "parts": (
        [{"delta": {"content": [{"type": "text", "text": "a"}, {"type": "output_text", "text": "b"}]}}],
        [Text("a"), Text("b")],
    ),
    "a part that refuses": ([{"delta": {"content": [{"type": "refusal", "refusal": "No."}]}}], [Text("No.")]),
    "a part alone": ([{"delta": {"content": {"type": "text", "text": "a"}}}], [Text("a")]),
    "strings for parts": ([{"delta": {"content": ["a", "b"]}}], [Text("a"), Text("b")]),
    "parts that think": (
        [
            {
                "delta": {
                    "content": [{"type": "reasoning", "summary": [{"text": "a"}]}, {"type": "thinking", "text": "b"}]
                }
            }
        ],
        [Segment("reasoning", "a"), Segment("reasoning", "b")],
    ),
    "function_call": (
        [
            {"delta": {"function_call": {"name": "f", "arguments": ""}}},
            {"delta": {"function_call": {"arguments": '{"a"'}}},
            {"delta": {"function_call": {"arguments": ": 1}"}}, "finish_reason": "function_call"},
        ],
        [
            ToolPiece(index=0, name="f"),
            ToolPiece(index=0, arguments='{"a"'),
            ToolPiece(index=0, arguments=": 1}"),
        ],
    ),
    "function_call beside tool_calls": (
        [{"delta": {"tool_calls": [piece("{}", "f", index=0, id="c")], "function_call": {"name": "f"}}}],
        [ToolPiece(index=0, id="c", name="f", arguments="{}")],
    ),
    "numbers and nulls for text": ([{"delta": {"content": 5, "refusal": 5}, "text": None, "message": "x"}], []),
}


@pytest.mark.parametrize(("given", "read"), PLACES.values(), ids=PLACES)
def test_text_in_other_places_is_text(given: list[dict[str, Any]], read: list[Read]) -> None:
    assert choices(*given) == read


BLOCK = {"type": "thinking", "thinking": "Let me see.", "signature": "c2lnbmF0dXJl"}
VALUES: dict[str, Any] = {
    "reasoning_details": [{"type": "reasoning.text", "text": "Let me see."}],
    "thinking_blocks": [BLOCK, {"type": "redacted_thinking", "data": "c2VjcmV0"}],
}


@pytest.mark.parametrize("field", FIELDS)
def test_each_field_of_reasoning_is_read(field: str) -> None:
    value = VALUES.get(field, "Let me see.")
    assert deltas({field: value}, {field: None, "content": "42"}) == [
        Segment("reasoning", "Let me see."),
        Text("42"),
    ]


@pytest.mark.parametrize("other", FIELDS[1:])
def test_the_first_field_that_carries_reasoning_is_the_only_one(other: str) -> None:
    both = {"reasoning_content": "Let me see.", other: VALUES.get(other, "Let me see.")}
    empty = both | {"reasoning_content": ""}
    assert deltas(both, both) == [Segment("reasoning", "Let me see.")] * 2
    assert deltas(empty, both) == [Segment("reasoning", "Let me see.")] * 2


def test_the_field_of_the_reasoning_is_known_once_it_has_carried_some() -> None:
    reader = ChunkReader()
    reader.feed(event({"choices": [{"delta": {"reasoning": "", "content": "a"}}]}))
    assert reader.reasoning_field is None
    reader.feed(event({"choices": [{"delta": {"reasoning": "So."}}]}))
    assert reader.reasoning_field == "reasoning"


# Tool calls

ROME, OSLO = '{"city": "Rome"}', '{"city": "Oslo"}'
TWO = [["c1", "weather", ROME], ["c2", "weather", OSLO]]
CALLS: dict[str, tuple[list[Any], list[Any]]] = {
    "all at index 0": (
        [piece(ROME, "weather", index=0, id="c1"), piece(OSLO, "weather", index=0, id="c2")],
        TWO,
    ),
    "all at index 0 in one delta": (
        [[piece(ROME, "weather", index=0, id="c1"), piece(OSLO, "weather", index=0, id="c2")]],
        TWO,
    ),
    "all at index 0 in pieces": (
        [
            piece("", "weather", index=0, id="c1"),
            piece(ROME[:5], index=0),
            piece(ROME[5:], index=0),
            piece("", "weather", index=0, id="c2"),
            piece(OSLO[:5], index=0),
            piece(OSLO[5:], index=0),
        ],
        TWO,
    ),
    "all at index 3": (
        [piece(ROME, "weather", index=3, id="c1"), piece(OSLO, "weather", index=3, id="c2")],
        TWO,
    ),
    "back to an id": (
        [
            piece(ROME[:5], "weather", index=0, id="c1"),
            piece(OSLO, "weather", index=0, id="c2"),
            piece(ROME[5:], index=0, id="c1"),
        ],
        TWO,
    ),
    "the same id and name again": (
        [piece(ROME[:5], "weather", index=0, id="c1"), piece(ROME[5:], "weather", index=0, id="c1")],
        TWO[:1],
    ),
    "new ids without a name": (
        [
            piece(ROME[:5], "weather", index=0, id="c1"),
            piece(ROME[5:], index=0, id="x"),
            piece("", "", index=0, id="y"),
        ],
        TWO[:1],
    ),
    "an id that comes with the second piece": (
        [piece("", index=0), piece(ROME, "weather", index=0, id="c1")],
        [["", "", ROME]],
    ),
    "names without ids at one index": (
        [piece(ROME, "weather", index=0, id=""), piece("{}", "time", index=0, id="")],
        [["", "weather", ROME], ["", "time", "{}"]],
    ),
    "a name repeated without ids": (
        [piece(ROME[:5], "weather", index=0), piece(ROME[5:], "weather", index=0)],
        [["", "weather", ROME]],
    ),
    "side by side": (
        [
            piece(ROME[:5], "weather", index=0, id="c1"),
            piece(OSLO[:5], "weather", index=1, id="c2"),
            piece(ROME[5:], index=0),
            piece(OSLO[5:], index=1),
        ],
        TWO,
    ),
    "one id at two indices": (
        [piece(ROME, "weather", index=0, id="c1"), piece(OSLO, "weather", index=1, id="c1")],
        [TWO[0], ["c1", "weather", OSLO]],
    ),
    "no index": ([piece(ROME, "weather", id="c1"), piece(OSLO, "weather", id="c2")], TWO),
    "null for an index": (
        [piece(ROME, "weather", index=None, id="c1"), piece(OSLO, "weather", index=None, id="c2")],
        TWO,
    ),
    "no index, in pieces": (
        [
            piece("", "weather", id="c1"),
            piece(ROME),
            piece("", "weather", id="c2"),
            piece(OSLO[:5], id="c2"),
            piece(OSLO[5:]),
        ],
        TWO,
    ),
    "neither index nor id": (
        [[piece(ROME, "weather"), piece("{}", "time")]],
        [["", "weather", ROME], ["", "time", "{}"]],
    ),
    "no index, empty ids": (
        [piece(ROME, "weather", id=""), piece(OSLO, "weather", id="")],
        [["", "weather", ROME], ["", "weather", OSLO]],
    ),
    "an object": ([piece({"city": "Rome"}, "weather", index=0, id="c1")], TWO[:1]),
    "objects": (
        [piece({"city": "Rome"}, "weather", index=0, id="c1"), piece({"city": "Oslo"}, "weather", index=0, id="c2")],
        TWO,
    ),
    "an object in another piece": (
        [piece(None, "weather", index=0, id="c1"), piece({"city": "Rome"}, index=0)],
        TWO[:1],
    ),
    "an object in pieces": (
        [piece({"city": "Rome"}, "weather", index=0, id="c1"), piece({"unit": "C"}, index=0)],
        [["c1", "weather", '{"city": "Rome", "unit": "C"}']],
    ),
    "an object that grows": (
        [piece({"city": "R"}, "weather", index=0, id="c1"), piece({"city": "Rome"}, index=0)],
        TWO[:1],
    ),
    "an empty object": ([piece({}, "time", index=0, id="c1")], [["c1", "time", "{}"]]),
    "an empty object before the text": (
        [piece({}, "weather", index=0, id="c1"), piece(ROME[:5], index=0), piece(ROME[5:], index=0)],
        TWO[:1],
    ),
    "a list": ([piece(["Rome", {"a": None}], "f", index=0, id="c1")], [["c1", "f", '["Rome", {"a": null}]']]),
    "other letters in an object": ([piece({"city": "Zürich 😀"}, "f", index=0)], [["", "f", '{"city": "Zürich 😀"}']]),
    "no function": ([{"index": 0, "id": "c1", "function": None}, piece("{}", index=0)], [["c1", "", "{}"]]),
}


@pytest.mark.parametrize(("pieces", "read"), CALLS.values(), ids=CALLS)
def test_tool_calls_are_told_apart_and_have_text_for_arguments(pieces: list[Any], read: list[Any]) -> None:
    assert calls(*pieces) == read


# Halves of surrogate pairs


def test_half_a_pair_waits_for_the_other_half() -> None:
    assert deltas({"content": f"cut {HIGH}"}, {"content": f"{LOW} ok"}) == [Text("cut "), Text("😀 ok")]


@pytest.mark.parametrize("escape", ["\\ud83d|\\ude00", "\\uD83D|\\uDE00", "\\uD83d|\\udE00"])
def test_halves_are_joined_however_they_are_escaped(escape: str) -> None:
    chunks = [f'{{"choices": [{{"delta": {{"content": "{half}"}}}}]}}' for half in escape.split("|")]
    assert items(*chunks) == [Text("😀")]


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_halves_in_reasoning_are_joined(field: str) -> None:
    assert deltas({field: f"a{HIGH}"}, {"role": "assistant"}, {field: f"{LOW}b"}, {"content": "c"}) == [
        Segment("reasoning", "a"),
        Segment("reasoning", "😀b"),
        Text("c"),
    ]


def test_halves_in_arguments_are_joined_call_by_call() -> None:
    assert calls(
        piece(f'"{HIGH}', "f", index=0, id="c1"),
        piece(f'"x{HIGH}', "g", index=1, id="c2"),
        piece(f'{LOW}"', index=0),
        piece(f'{LOW}y"', index=1),
    ) == [["c1", "f", '"😀"'], ["c2", "g", '"x😀y"']]


LONELY: dict[str, tuple[list[dict[str, Any]], list[Read]]] = {
    "at the end": ([{"content": f"a{HIGH}"}], [Text("a"), Text(LONE)]),
    "alone": ([{"content": HIGH}], [Text(LONE)]),
    "before text": ([{"content": HIGH}, {"content": "b"}], [Text(f"{LONE}b")]),
    "before another pair": ([{"content": HIGH}, {"content": f"{HIGH}{LOW}"}], [Text(f"{LONE}😀")]),
    "twice": ([{"content": HIGH}, {"content": HIGH}, {"content": LOW}], [Text(LONE), Text("😀")]),
    "the second half": ([{"content": f"a{LOW}b"}], [Text(f"a{LONE}b")]),
    "both, turned round": ([{"content": f"{LOW}{HIGH}"}], [Text(LONE), Text(LONE)]),
    "within the text": ([{"content": f"a{HIGH}b"}], [Text(f"a{LONE}b")]),
    "of reasoning": (
        [{"reasoning": f"a{HIGH}"}, {"content": "b"}],
        [Segment("reasoning", "a"), Segment("reasoning", LONE), Text("b")],
    ),
    "of arguments": (
        [{"tool_calls": [piece(f"a{HIGH}", f"f{HIGH}", index=0, id=f"c{LOW}")]}],
        [ToolPiece(index=0, id=f"c{LONE}", name=f"f{LONE}", arguments="a"), ToolPiece(index=0, arguments=LONE)],
    ),
    "of an object": (
        [{"tool_calls": [piece({"a": HIGH}, "f", index=0)]}],
        [ToolPiece(index=0, name="f"), ToolPiece(index=0, arguments=f'{{"a": "{LONE}"}}')],
    ),
}


@pytest.mark.parametrize(("given", "read"), LONELY.values(), ids=LONELY)
def test_a_half_whose_other_half_never_comes_is_replaced_alone(given: list[dict[str, Any]], read: list[Read]) -> None:
    assert deltas(*given) == read


# Usage


@pytest.mark.parametrize(
    ("usage", "read"),
    [
        (
            {"prompt_tokens": 9, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 7}},
            Usage(prompt_tokens=9, completion_tokens=5, cached_tokens=7),
        ),
        (
            {"prompt_tokens": 9, "prompt_cache_hit_tokens": 7, "prompt_cache_miss_tokens": 2},
            Usage(prompt_tokens=9, cached_tokens=7),
        ),
        ({"prompt_tokens": 9, "cached_tokens": 7}, Usage(prompt_tokens=9, cached_tokens=7)),
        (
            {
                "input_tokens": 9,
                "output_tokens": 5,
                "input_tokens_details": {"cached_tokens": 7},
                "output_tokens_details": {"reasoning_tokens": 3},
            },
            Usage(prompt_tokens=9, completion_tokens=5, reasoning_tokens=3, cached_tokens=7),
        ),
        ({"prompt_tokens": 9, "prompt_tokens_details": None, "completion_tokens": "5"}, Usage(prompt_tokens=9)),
        ({"prompt_tokens": 9, "prompt_tokens_details": {"cached_tokens": None}}, Usage(prompt_tokens=9)),
    ],
)
def test_usage_is_read_in_all_dialects(usage: dict[str, Any], read: Usage) -> None:
    for chunk in ({"choices": [], "usage": usage}, {"choices": [{"delta": {}, "usage": usage}]}):
        reader = ChunkReader()
        reader.feed(event(chunk))
        reader.feed(event("[DONE]"))
        assert reader.finish() == Finished(finish_reason="stop", usage=read)


# Ends


def test_an_empty_finish_reason_is_none() -> None:
    reader = ChunkReader()
    reader.feed(event({"choices": [{"delta": {"content": "a"}, "finish_reason": ""}]}))
    assert not reader.whole
    with pytest.raises(UpstreamCut):
        reader.finish()


@pytest.mark.parametrize("behind", ["[DONE]", "{", '{"error": "x"}', '{"choices": [{"delta": {"content": "a"}}]}'])
def test_what_follows_done_is_not_there(behind: str) -> None:
    assert items("[DONE]", behind) == []


@pytest.mark.parametrize("data", ["hello", "[1]", '"text"', "null", "[" * 100_000])
def test_a_chunk_that_is_no_object_is_not_json(data: str) -> None:
    with pytest.raises(UpstreamNotJson):
        items(data)


@pytest.mark.parametrize(
    "chunk",
    [
        {"choices": [{"delta": {"content": ""}, "finish_reason": "error"}], "error": {"message": "overheated"}},
        {"choices": [{"delta": {}, "finish_reason": "error", "error": {"message": "overheated", "code": "hot"}}]},
        {"object": "error", "message": "overheated"},
        {"type": "error", "error": {"type": "overloaded_error", "message": "overheated"}},
        {"type": "error", "message": "overheated"},
        {"code": 50505, "message": "overheated", "data": None},
        {"detail": "overheated"},
    ],
)
def test_an_error_in_a_chunk_keeps_its_words(chunk: dict[str, Any]) -> None:
    with pytest.raises(UpstreamError, match="overheated"):
        items(chunk)


@pytest.mark.parametrize("chunk", [{"type": "ping"}, {"message": "hello"}, {"code": 0}, {"id": "1", "choices": []}])
def test_news_that_do_not_matter_are_passed_over(chunk: dict[str, Any]) -> None:
    assert items(chunk) == []


@pytest.mark.parametrize("depth", [300, 700, 990, 1_100, 100_000])
@pytest.mark.parametrize(
    "place",
    [
        '{"choices": [{"delta": {"content": DEEP}}]}',
        '{"choices": [{"delta": {"reasoning": DEEP}}]}',
        '{"choices": [{"delta": {"tool_calls": [{"index": 0, "function": {"name": "f", "arguments": DEEP}}]}}]}',
        '{"error": DEEP}',
        '{"x": DEEP}',
    ],
)
def test_a_chunk_that_is_nested_too_deeply_is_text_or_a_failure(place: str, depth: int) -> None:
    reader = ChunkReader()
    with suppress(UpstreamError):
        reader.feed(Received("", place.replace("DEEP", "[" * depth + '"x"' + "]" * depth)))
        reader.close()
