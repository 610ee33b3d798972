"""The way of an upstream's answer to what a session reads: its text parsed, its tool calls found, its tokens counted.

    UpstreamItem -> AnswerParser -> (BeginningWatch) -> (ToolCallParser) -> Promoter -> ParsedItem

Each stage takes a batch of items and returns one; `parse` runs an answer through them.
Knows nothing of where the answer comes from.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import replace
from itertools import groupby
from typing import Any, Protocol

from gateway.errors import GatewayError, UpstreamSilent
from gateway.events import Usage
from gateway.reasoning.bounds import AnswerBounds
from gateway.reasoning.parser import ReasoningParser, Segment
from gateway.reasoning.tagged_copy import TaggedCopyFilter
from gateway.slices import slices, turn
from gateway.upstream import Finished, ParsedItem, Text, ThinkingEnded, ToolPiece, UpstreamItem


class Stage(Protocol):
    """One step on the way of an answer. `close` returns what was held back; a Finished closes a stage by itself."""

    def feed(self, items: Sequence[Any]) -> Sequence[ParsedItem]: ...

    def close(self) -> list[ParsedItem]: ...


async def parse(
    answer: AsyncGenerator[Sequence[UpstreamItem]],
    stages: Sequence[Stage],
    silence_seconds: float | None = None,
    bounds: AnswerBounds | None = None,
) -> AsyncGenerator[Sequence[ParsedItem]]:
    """Yield the batches of `answer` after all stages, in slices. What they hold back is yielded before the end or a
    failure.

    Raises UpstreamSilent if a batch takes longer than `silence_seconds`, and UpstreamEndless as the `bounds` say.
    """
    bounds = bounds or AnswerBounds()
    failure: GatewayError | None = None
    try:
        async with aclosing(answer):
            while (batch := await _next(answer, silence_seconds, bounds)) is not None:
                for number, parsed in enumerate(_parsed(batch, stages)):
                    if number:
                        await turn()
                    bounds.count(parsed)
                    if parsed:
                        yield parsed
                    if bounds.reached:
                        break
                if bounds.reached:
                    break
        if bounds.reached:
            for parsed in _parsed([bounds.end()], stages):
                yield parsed
    except GatewayError as error:
        failure = error
    for held in slices(_close(stages)):
        if held:
            yield held
    if failure:
        try:
            raise failure
        finally:
            failure = None  # its traceback has this frame: it would be a cycle


async def _next(
    answer: AsyncGenerator[Sequence[UpstreamItem]], seconds: float | None, bounds: AnswerBounds
) -> Sequence[UpstreamItem] | None:
    """Return the next batch; None at the end, or once the time of the whole answer is over."""
    now = asyncio.get_running_loop().time()
    silent_at = None if seconds is None else now + seconds
    deadline = asyncio.timeout_at(bounds.deadline(now) if silent_at is None else min(silent_at, bounds.deadline(now)))
    try:
        async with deadline:
            return await anext(answer, None)
    except TimeoutError as error:
        if not deadline.expired():
            raise
        if deadline.when() != silent_at:
            bounds.expire()
            return None
        raise UpstreamSilent(f"the upstream fell silent for {seconds:g} s; ask again") from error


def _parsed(batch: Sequence[Any], stages: Iterable[Stage]) -> Iterator[Sequence[ParsedItem]]:
    """Yield what a batch becomes, slice by slice, empty ones too."""
    for piece in slices(batch):
        yield from slices(_run(piece, stages))


def _run(items: Sequence[Any], stages: Iterable[Stage]) -> Sequence[ParsedItem]:
    for stage in stages:
        items = stage.feed(items)
    return items


def _close(stages: Sequence[Stage]) -> list[ParsedItem]:
    held: list[ParsedItem] = []
    for stage in stages:
        held = [*stage.feed(held), *stage.close()]
    return held


class AnswerParser:
    """Splits text into segments and counts tokens. Once a field of the API has carried reasoning, text is response.

    Blank text before the first word is part of an answer only if no reasoning follows it.
    """

    def __init__(self, parser: ReasoningParser) -> None:
        self._parser, self._outside = parser, not parser.inside
        self._beside_field: TaggedCopyFilter | None = None
        self._chunks = self._reasoning_chunks = 0
        self._tokens_known = False

    def feed(self, items: Sequence[UpstreamItem]) -> list[ParsedItem]:
        parsed = [parsed for item in items for parsed in self._parse(item)]
        return _joined(parsed) if len(parsed) > 1 else parsed

    def close(self) -> list[ParsedItem]:
        return list((self._beside_field or self._parser).close())

    def _parse(self, item: UpstreamItem) -> Sequence[ParsedItem]:
        match item:
            case Text(text=text):
                if self._beside_field:
                    self._count(False)
                    return self._beside_field.feed(text)
                segments = self._parser.feed(text)
                self._count(self._parser.inside)
                return segments
            case Segment(kind="reasoning"):
                self._count(True)
                return [*self._trust_field(item.text), item]
            case ToolPiece():
                self._count(False)
                return [*self.close(), item]
            case ThinkingEnded():
                self._tokens_known = True
                return [item]
            case Finished(usage=usage):
                return [*self.close(), replace(item, usage=self._usage(usage))]
            case _:
                return [item]

    def _trust_field(self, text: str) -> list[Segment]:
        held: list[Segment] = []
        if not self._beside_field:
            self._parser.forget_blank()
            held = self._parser.close()
            self._beside_field = TaggedCopyFilter(inside=self._outside and self._parser.inside)
        self._beside_field.add_reasoning(text)
        return held

    def _count(self, reasoning: bool) -> None:
        self._chunks += 1
        self._reasoning_chunks += reasoning

    def _usage(self, usage: Usage) -> Usage:
        """Return the upstream's usage or, if it reported none, an estimate that counts each chunk as one token."""
        if self._tokens_known:
            return usage
        completion = usage.completion_tokens or self._chunks
        share = self._reasoning_chunks / self._chunks if self._chunks else 0.0
        reasoning = usage.reasoning_tokens or round(completion * share)
        estimated = completion != usage.completion_tokens
        return replace(usage, completion_tokens=completion, reasoning_tokens=reasoning, estimated=estimated)


def _joined(items: Iterable[ParsedItem]) -> list[ParsedItem]:
    """Join neighbouring segments of one kind: what came in one batch is one piece for everyone behind."""
    joined: list[ParsedItem] = []
    for kind, run in groupby(items, key=lambda item: item.kind if isinstance(item, Segment) else None):
        if kind is None:
            joined += run
        else:
            joined.append(Segment(kind, "".join(item.text for item in run if isinstance(item, Segment))))
    return joined
