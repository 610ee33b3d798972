"""An upstream's answer, parsed: segments for text, all else in its place."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

import pytest

from gateway.errors import UpstreamError, UpstreamSilent
from gateway.events import Usage
from gateway.reasoning import ReasoningParser, Segment
from gateway.reasoning.answer import AnswerParser, Stage, parse
from gateway.upstream import Accepted, Finished, ParsedItem, Text, ThinkingEnded, ToolPiece, UpstreamItem
from tests.fakes.garbage import is_freed_at_once

ACCEPTED = Accepted(prompt_tokens=5)
THOUGHT = ThinkingEnded(tokens=4, ended_by="marker")
FINISHED = Finished(finish_reason="stop", usage=Usage(prompt_tokens=5, completion_tokens=9, reasoning_tokens=4))


class ScriptedAnswer:
    """Plays its batches; an exception among them is raised, an asyncio.Event is waited for."""

    def __init__(self, *script: Any) -> None:
        self.script, self.closed = script, False

    async def play(self) -> AsyncGenerator[Sequence[UpstreamItem]]:
        try:
            for step in self.script:
                match step:
                    case Exception():
                        raise step
                    case asyncio.Event():
                        await step.wait()
                    case _:
                        yield step
        finally:
            self.closed = True


def parsing(format: str = "qwen3") -> list[Stage]:
    return [AnswerParser(ReasoningParser(format, starts_inside=False))]


async def parsed(*script: Any, format: str = "qwen3") -> list[list[ParsedItem]]:
    """Every batch that leaves, as a list."""
    answer = ScriptedAnswer(*script)
    async with aclosing(parse(answer.play(), parsing(format))) as batches:
        collected = [list(batch) async for batch in batches]
    assert answer.closed
    return collected


async def test_an_answer_is_split_into_segments() -> None:
    assert await parsed(
        [ACCEPTED],
        [Text("<think>\nSix times ")],
        [Text("seven."), Text("\n</think>\n\n")],
        [THOUGHT],
        [Text("It is "), Text("42.")],
        [FINISHED],
    ) == [
        [ACCEPTED],
        [Segment("reasoning", "Six times ")],
        [Segment("reasoning", "seven.")],
        [THOUGHT],
        [Segment("response", "It is 42.")],
        [FINISHED],
    ]


async def test_an_answer_in_one_batch_is_split_alike() -> None:
    batch = [ACCEPTED, Text("<think>Six.</think>"), THOUGHT, Text("42."), FINISHED]
    assert await parsed(batch) == [
        [ACCEPTED, Segment("reasoning", "Six."), THOUGHT, Segment("response", "42."), FINISHED]
    ]


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        ("42 <thi", [Segment("response", "42 <thi")]),
        ("42.\n\n", [Segment("response", "42.\n\n")]),
        ("<think>Six </thi", [Segment("reasoning", "Six </thi")]),
        ("<think>Six.\n", [Segment("reasoning", "Six.\n")]),
        ("<thi", [Segment("response", "<thi")]),
        ("<think>Six.</think>42 <tool_c", [Segment("reasoning", "Six."), Segment("response", "42 <tool_c")]),
    ],
)
async def test_held_back_text_is_returned_before_finished(text: str, segments: list[Segment]) -> None:
    for batches in ([[Text(text)], [FINISHED]], [[Text(text), FINISHED]], [*([Text(c)] for c in text), [FINISHED]]):
        got = [item for batch in await parsed(*batches) for item in batch]
        assert got[-1] == FINISHED
        assert joined(got[:-1]) == segments


def joined(items: Sequence[ParsedItem]) -> list[Segment]:
    """Neighbours of one kind as one segment."""
    merged: list[Segment] = []
    for item in items:
        assert isinstance(item, Segment)
        if merged and merged[-1].kind == item.kind:
            merged[-1] = Segment(item.kind, merged[-1].text + item.text)
        else:
            merged.append(item)
    return merged


async def test_held_back_text_is_returned_right_before_finished() -> None:
    assert await parsed([ACCEPTED], [Text("<think>42 </thi")], [FINISHED]) == [
        [ACCEPTED],
        [Segment("reasoning", "42 ")],
        [Segment("reasoning", "</thi"), FINISHED],
    ]


async def test_the_end_of_thinking_keeps_its_place() -> None:
    assert await parsed([Text("<think>Six."), Text("</think>"), THOUGHT, Text("42.")], [FINISHED]) == [
        [Segment("reasoning", "Six."), THOUGHT, Segment("response", "42.")],
        [FINISHED],
    ]


async def test_the_end_of_thinking_does_not_flush_a_possible_marker() -> None:
    assert await parsed([Text("<think>Six </thi"), THOUGHT, Text("nk>42.")], [FINISHED]) == [
        [Segment("reasoning", "Six "), THOUGHT, Segment("response", "42.")],
        [FINISHED],
    ]


async def test_a_batch_that_is_held_back_whole_is_not_yielded() -> None:
    assert await parsed([Text("<thi")], [], [Text("nk>")], [Text("\n")], [Text("Six.")], [FINISHED]) == [
        [Segment("reasoning", "Six.")],
        [FINISHED],
    ]


async def test_a_format_without_markers_is_all_response() -> None:
    assert await parsed([Text("<b>42</b>")], [FINISHED], format="none") == [
        [Segment("response", "<b>42</b>")],
        [FINISHED],
    ]


def finished(prompt: int, completion: int, reasoning: int, estimated: bool = False) -> Finished:
    usage = Usage(prompt_tokens=prompt, completion_tokens=completion, reasoning_tokens=reasoning, estimated=estimated)
    return Finished(finish_reason="stop", usage=usage)


async def test_once_a_field_has_carried_reasoning_the_text_is_response() -> None:
    got = await parsed(
        [ACCEPTED], [Segment("reasoning", "Six.")], [Text("42 "), Text("</think> <think>x")], [FINISHED], format="qwen3"
    )
    assert got == [
        [ACCEPTED],
        [Segment("reasoning", "Six.")],
        [Segment("response", "42 </think> <think>x")],
        [FINISHED],
    ]


async def test_a_tagged_copy_of_what_a_field_has_carried_is_dropped() -> None:
    answer = [
        [Segment("reasoning", "Six "), Text("<think>Six ")],
        [Segment("reasoning", "times."), Text("times.</thi")],
        [Text("nk>\n\n42.")],
        [FINISHED],
    ]
    assert await parsed(*answer) == [
        [Segment("reasoning", "Six ")],
        [Segment("reasoning", "times.")],
        [Segment("response", "42.")],
        [FINISHED],
    ]


async def test_unreported_tokens_are_estimated_by_chunks() -> None:
    pieces = [Text("<think>"), Text("a"), Text("b"), Text("</think>"), Text("c")]
    assert (await parsed(pieces, [finished(7, 0, 0)]))[-1] == [finished(7, 5, 3, True)]
    assert (await parsed(pieces, [finished(7, 10, 0)]))[-1] == [finished(7, 10, 6)]
    assert (await parsed(pieces, [finished(7, 10, 2)]))[-1] == [finished(7, 10, 2)]
    assert (await parsed([Segment("reasoning", "a"), Text("b")], [finished(0, 0, 0)]))[-1] == [finished(0, 2, 1, True)]
    assert (await parsed([finished(7, 0, 0)]))[-1] == [finished(7, 0, 0)]


async def test_a_failure_is_raised_behind_what_came_before() -> None:
    answer = ScriptedAnswer([ACCEPTED], [Text("<think>Six.</thi")], UpstreamError("it died"))
    seen: list[ParsedItem] = []
    with pytest.raises(UpstreamError, match="it died"):
        async for batch in parse(answer.play(), parsing()):
            seen += batch
    assert seen == [ACCEPTED, Segment("reasoning", "Six."), Segment("reasoning", "</thi")]
    assert answer.closed


async def test_silence_is_raised_behind_what_came_before() -> None:
    answer = ScriptedAnswer([ACCEPTED], [Text("<think>Six.</thi")], asyncio.Event())
    seen: list[ParsedItem] = []
    with pytest.raises(UpstreamSilent, match=r"silent for 0\.05 s"):
        async for batch in parse(answer.play(), parsing(), silence_seconds=0.05):
            seen += batch
    assert seen == [ACCEPTED, Segment("reasoning", "Six."), Segment("reasoning", "</thi")]
    assert answer.closed


async def test_an_upstream_that_never_answers_fails() -> None:
    answer = ScriptedAnswer(asyncio.Event())
    with pytest.raises(UpstreamSilent):
        await anext(parse(answer.play(), parsing(), silence_seconds=0.05))
    assert answer.closed


async def test_a_timeout_of_the_upstream_itself_is_not_taken_for_silence() -> None:
    answer = ScriptedAnswer([ACCEPTED], TimeoutError("its own"))
    with pytest.raises(TimeoutError, match="its own"):
        [batch async for batch in parse(answer.play(), parsing(), silence_seconds=30)]


async def test_an_answer_that_is_cut_off_loses_nothing() -> None:
    assert await parsed([Text("<think>Six.</thi")]) == [[Segment("reasoning", "Six.")], [Segment("reasoning", "</thi")]]


async def test_closing_the_stream_closes_the_answer() -> None:
    answer = ScriptedAnswer([ACCEPTED], asyncio.Event())
    async with aclosing(parse(answer.play(), parsing())) as batches:
        assert await anext(batches) == [ACCEPTED]
        assert not answer.closed
    assert answer.closed


async def test_held_back_text_is_returned_before_a_tool_call() -> None:
    call = ToolPiece(index=0, name="f", arguments="{}")
    answer = ScriptedAnswer([Text("<think>Look.</thi")], [call], [FINISHED])
    batches = parse(answer.play(), parsing())
    items = [item async for batch in batches for item in batch]
    assert items == [Segment("reasoning", "Look."), Segment("reasoning", "</thi"), call, FINISHED]


BLANKS = ["\n", " ", " \r\n\n "]


@pytest.mark.parametrize("blank", BLANKS)
@pytest.mark.parametrize("format", ["qwen3", "auto", "none", "gpt_oss", "kimi_k3", "ernie45"])
async def test_blank_text_before_a_field_is_nothing(blank: str, format: str) -> None:
    got = await parsed([Text(blank)], [Segment("reasoning", "Six.")], [Text("42.")], [FINISHED], format=format)
    assert got == [[Segment("reasoning", "Six.")], [Segment("response", "42.")], [FINISHED]]


@pytest.mark.parametrize("blank", BLANKS)
async def test_blank_text_between_two_deltas_of_a_field_does_not_begin_the_response(blank: str) -> None:
    six, seven = Segment("reasoning", "Six "), Segment("reasoning", "seven.")
    assert await parsed([six, Text(blank)], [Text(blank)], [seven], [Text(f"{blank}42.")], [FINISHED]) == [
        [six],
        [seven],
        [Segment("response", f"{blank}42.")],
        [FINISHED],
    ]


@pytest.mark.parametrize("blank", BLANKS)
@pytest.mark.parametrize("format", ["qwen3", "auto", "none", "gpt_oss"])
async def test_blank_text_before_a_word_a_call_or_the_end_is_kept(blank: str, format: str) -> None:
    call, kept = ToolPiece(index=0, name="f", arguments="{}"), Segment("response", blank)
    assert await parsed([Text(blank)], [Text("42.")], [FINISHED], format=format) == [
        [Segment("response", f"{blank}42.")],
        [FINISHED],
    ]
    assert await parsed([Text(blank)], [call], [FINISHED], format=format) == [[kept, call], [FINISHED]]
    assert await parsed([Text(blank)], [FINISHED], format=format) == [[kept, FINISHED]]


async def test_a_start_marker_alone_before_a_field_and_an_end_marker_behind_it_are_dropped() -> None:
    assert await parsed(
        [Text("<think>\n")], [Segment("reasoning", "Six.")], [Text("\n</think>\n\n42.")], [FINISHED]
    ) == [
        [Segment("reasoning", "Six.")],
        [Segment("response", "42.")],
        [FINISHED],
    ]


async def test_text_in_tags_that_is_no_copy_of_the_field_is_response() -> None:
    got = await parsed([Segment("reasoning", "Six.")], [Text("<think> begins "), Text("a thought.")], [FINISHED])
    assert got == [[Segment("reasoning", "Six.")], [Segment("response", "<think> begins a thought.")], [FINISHED]]


async def test_a_failure_keeps_nothing_of_the_answer() -> None:
    async def cut() -> AsyncGenerator[Sequence[UpstreamItem]]:
        yield [Text("It is")]
        raise UpstreamError("gone")

    async def read() -> None:
        async for _ in parse(cut(), parsing()):
            pass

    assert await is_freed_at_once(read(), UpstreamError)
