"""Answers that never end: where they end, and how."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from itertools import cycle
from typing import Any

import pytest

from gateway.config import LimitSettings
from gateway.errors import GatewayError
from gateway.events import Usage
from gateway.reasoning import ReasoningParser, Segment
from gateway.reasoning.answer import AnswerParser, Stage, parse
from gateway.reasoning.bounds import AnswerBounds
from gateway.reasoning.promoter import Promoter
from gateway.upstream import Accepted, Finished, Text, ToolPiece, UpstreamItem

ACCEPTED = Accepted()
FINISHED = Finished(finish_reason="stop", usage=Usage())
CUT = ("length", True)


class Answer:
    """Plays its first items, then the others for ever; an Event is waited for."""

    def __init__(self, *first: UpstreamItem, then: Sequence[Any]) -> None:
        self._first, self._then = first, then
        self.sent, self.closed = 0, False

    async def play(self) -> AsyncGenerator[Sequence[UpstreamItem]]:
        try:
            yield [ACCEPTED, *self._first]
            for item in cycle(self._then):
                if isinstance(item, asyncio.Event):
                    await item.wait()
                self.sent += 1
                yield [item]
        finally:
            self.closed = True


async def read(answer: Answer, **limits: Any) -> list[Any]:
    """Read it to its end; return joined text by kind, the name of a call, the end, or the type of the failure."""
    stages: list[Stage] = [AnswerParser(ReasoningParser("qwen3", starts_inside=False)), Promoter()]
    read: list[Any] = []
    try:
        async with aclosing(parse(answer.play(), stages, None, AnswerBounds(LimitSettings(**limits)))) as batches:
            async for item in (item async for batch in batches for item in batch):
                match item, read[-1:]:
                    case Segment(kind, text), [(before, joined)] if before == kind:
                        read[-1] = (kind, joined + text)
                    case Segment(kind, text), _:
                        read.append((kind, text))
                    case ToolPiece(name=name), _ if name:
                        read.append(name)
                    case Finished(finish_reason=reason, usage=usage), _:
                        read.append((reason, usage.estimated))
                    case _:
                        pass
    except GatewayError as error:
        read.append((error.type, error.message))
    assert answer.closed
    return read


async def test_an_answer_with_a_response_ends_as_at_its_token_limit() -> None:
    answer = Answer(Text("<think>So.</think>"), then=[Text("ab")])
    assert await read(answer, answer_characters=10) == [("reasoning", "So."), ("response", "ab" * 4), CUT]
    assert answer.sent == 4


async def test_a_call_is_a_response() -> None:
    answer = Answer(ToolPiece(index=0, id="c", name="f"), then=[ToolPiece(index=0, arguments="1,")])
    assert await read(answer, answer_characters=10) == ["f", CUT]


async def test_an_answer_without_a_response_fails_with_what_came_before() -> None:
    answer = Answer(Text("<think>"), then=[Text("Hm. ")])
    assert await read(answer, answer_characters=10) == [
        ("reasoning", "Hm. " * 3),
        ("upstream_endless", "the upstream went on for more than 10 characters without a response; ask for less"),
    ]


async def test_blank_text_is_no_response() -> None:
    *_, (kind, _) = await read(Answer(then=[Text(" \n" * 8192)]), answer_characters=100_000)
    assert kind == "upstream_endless"


async def test_names_of_calls_without_arguments_are_counted() -> None:
    answer = Answer(then=[ToolPiece(index=0, name="f" * 100)])
    assert (await read(answer, answer_characters=1000))[-1] == CUT
    assert answer.sent == 11


async def test_one_huge_piece_is_cut_within_a_slice_of_the_limit() -> None:
    answer = Answer(Text("Yes. "), then=[Text("x" * 5_000_000)])
    (kind, text), end = await read(answer, answer_characters=100_000)
    assert (kind, end) == ("response", CUT)
    assert 100_000 <= len(text) <= 120_000


@pytest.mark.parametrize(
    ("first", "end"),
    [
        ("It is", [("response", "It is"), CUT]),
        (
            "<think>Hm.",
            [
                ("reasoning", "Hm."),
                ("upstream_endless", "the upstream went on for more than 0.01 s without a response; ask for less"),
            ],
        ),
    ],
)
async def test_an_answer_that_takes_too_long_ends_alike(first: str, end: list[Any]) -> None:
    assert await read(Answer(Text(first), then=[asyncio.Event()]), answer_seconds=0.01) == end


async def test_an_answer_within_its_bounds_is_untouched() -> None:
    async def answer() -> AsyncGenerator[Sequence[UpstreamItem]]:
        yield [ACCEPTED, Text("It is 42."), FINISHED]

    limits = LimitSettings(answer_characters=9)
    stages = [AnswerParser(ReasoningParser("qwen3", starts_inside=False))]
    batches = [list(batch) async for batch in parse(answer(), stages, None, AnswerBounds(limits))]
    assert batches[0][:2] == [ACCEPTED, Segment("response", "It is 42.")]
    assert isinstance(last := batches[0][-1], Finished)
    assert last.finish_reason == "stop"
