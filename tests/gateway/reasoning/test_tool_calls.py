"""Qwen's tool calls: the same calls however the text is cut, and nothing lost that is no call."""

import json
from collections.abc import AsyncGenerator, Sequence
from itertools import accumulate, groupby, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import UpstreamError
from gateway.events import FinishReason, Usage
from gateway.reasoning import Segment
from gateway.reasoning.answer import parse
from gateway.reasoning.tool_calls import ToolCallParser, ToolCallReader
from gateway.upstream import Finished, ParsedItem, ToolPiece

WEATHER = '<tool_call>\n{"name": "weather", "arguments": {"city": "Oslo", "days": [1, {"a": "}"}]}}\n</tool_call>'
TIME = '<tool_call>\n{"name": "time", "arguments": {}}\n</tool_call>'
ARGUMENTS = '{"city": "Oslo", "days": [1, {"a": "}"}]}'


def read(*pieces: str) -> list[tuple[str, str]]:
    """Text, and calls as name and arguments, joined."""
    reader = ToolCallReader()
    items = [item for piece in pieces for item in reader.feed(piece)] + reader.close()
    return joined(items)


def joined(items: Sequence[Segment | ToolPiece]) -> list[tuple[str, str]]:
    keyed = groupby(items, key=lambda item: item.index if isinstance(item, ToolPiece) else "text")
    runs = [list(run) for _, run in keyed]
    return [("".join(getattr(item, "name", "") for item in run) or "text", "".join(map(_said, run))) for run in runs]


def _said(item: Segment | ToolPiece) -> str:
    return item.arguments if isinstance(item, ToolPiece) else item.text


CASES = [
    ("Just text.", [("text", "Just text.")]),
    ("a < b, <tool and\n\n", [("text", "a < b, <tool and\n\n")]),
    (WEATHER, [("weather", ARGUMENTS)]),
    (f"Let me look.\n\n{WEATHER}", [("text", "Let me look."), ("weather", ARGUMENTS)]),
    (f"{WEATHER}\n{TIME}", [("weather", ARGUMENTS), ("time", "{}")]),
    (f"{TIME}\nDone.", [("time", "{}"), ("text", "Done.")]),
    # What models forget or turn around.
    ('<tool_call>{"name":"f","arguments":{"a":"\\\\\\"}"}}', [("f", '{"a":"\\\\\\"}"}')]),
    ('<tool_call>{"name":"f","arguments":{}</tool_call>!', [("f", "{}"), ("text", "!")]),
    ('<tool_call>{"name":"f","arguments":{}} and on', [("f", "{}"), ("text", "and on")]),
    ('<tool_call>{"arguments": {"a": 1}, "name": "f"}</tool_call>', [("f", '{"a": 1}')]),
    ('<tool_call>{"name": "f", "arguments": "{\\"a\\": 1}"}</tool_call>', [("f", '{"a": 1}')]),
    ('<tool_call>{"name": "f"}</tool_call>', [("f", "{}")]),
    ('<tool_call>{"name": "f", "parameters": {"a": "ä"}}</tool_call>', [("f", '{"a": "ä"}')]),
    # What is no call stays.
    ("<tool_call>f(1)</tool_call>", [("text", "<tool_call>f(1)</tool_call>")]),
    ("<tool_call>[1]</tool_call>", [("text", "<tool_call>[1]</tool_call>")]),
    ('<tool_call>{"name": "f", "arg', [("text", '<tool_call>{"name": "f", "arg')]),
    # Cut off in its arguments: what came is passed on.
    ('<tool_call>{"name": "f", "arguments": {"a": "b', [("f", '{"a": "b')]),
]


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_calls_are_found_in_text_however_it_is_cut(text: str, expected: list[tuple[str, str]]) -> None:
    assert read(text) == expected
    assert read(*text) == expected
    for size in (2, 3, 7):
        assert read(*(text[n : n + size] for n in range(0, len(text), size))) == expected


@given(
    st.dictionaries(st.text(max_size=5), st.text(max_size=12) | st.lists(st.integers() | st.text(max_size=5))),
    st.lists(st.integers(1, 9), min_size=1),
)
def test_any_arguments_survive_any_cut(arguments: dict[str, object], sizes: list[int]) -> None:
    written = json.dumps(arguments)
    text = f'<tool_call>\n{{"name": "f", "arguments": {written}}}\n</tool_call>'
    ends = accumulate(sizes * len(text), initial=0)
    pieces = [text[start:end] for start, end in pairwise(ends)]
    assert read(*pieces) == [("f", written)]


def test_arguments_are_returned_as_they_come() -> None:
    reader = ToolCallReader()
    pieces = ['<tool_call>\n{"name": "f", ', '"arguments": {"a', '": 1', "}}\n</tool_call>"]
    assert [reader.feed(piece) for piece in pieces] == [
        [],
        [ToolPiece(index=0, name="f"), ToolPiece(index=0, arguments='{"a')],
        [ToolPiece(index=0, arguments='": 1')],
        [ToolPiece(index=0, arguments="}")],
    ]


async def answer(*items: ParsedItem | Exception) -> AsyncGenerator[Sequence[ParsedItem]]:
    for item in items:
        if isinstance(item, Exception):
            raise item
        yield [item]


def finished(reason: FinishReason) -> Finished:
    return Finished(finish_reason=reason, usage=Usage())


@pytest.mark.parametrize(
    ("text", "reason", "expected"),
    [
        (TIME, "stop", "tool_calls"),
        ("None needed.", "stop", "stop"),
        (TIME, "length", "length"),
    ],
)
async def test_an_answer_with_calls_finishes_with_tool_calls(
    text: str, reason: FinishReason, expected: FinishReason
) -> None:
    parsed = parse(
        answer(Segment("reasoning", "<tool_call>"), Segment("response", text), finished(reason)), [ToolCallParser()]
    )
    items = [item async for batch in parsed for item in batch]
    assert (items[0], items[-1]) == (Segment("reasoning", "<tool_call>"), finished(expected))


async def test_held_back_text_is_returned_before_a_failure() -> None:
    items: list[ParsedItem] = []
    with pytest.raises(UpstreamError):
        async for batch in parse(answer(Segment("response", "So <tool"), UpstreamError("died")), [ToolCallParser()]):
            items += batch
    assert items == [Segment("response", "So "), Segment("response", "<tool")]
