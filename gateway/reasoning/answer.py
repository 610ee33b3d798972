"""The way of an upstream's answer to what a session reads: its text parsed, its tool calls found, its tokens counted.

    UpstreamItem -> AnswerParser -> (ToolCallParser) -> (Promoter) -> ParsedItem

Each stage takes a batch of items and returns one; `parse` runs an answer through them.
Knows nothing of where the answer comes from.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing
from dataclasses import replace
from itertools import groupby
from typing import Any, Protocol

from gateway.errors import GatewayError, UpstreamSilent
from gateway.events import Usage
from gateway.reasoning.parser import ReasoningParser, Segment
from gateway.upstream import Finished, ParsedItem, Text, ThinkingEnded, ToolPiece, UpstreamItem


class Stage(Protocol):
    """One step on the way of an answer. `close` returns what was held back; a Finished closes a stage by itself."""

    def feed(self, items: Sequence[Any]) -> list[ParsedItem]: ...

    def close(self) -> list[ParsedItem]: ...


async def parse(
    answer: AsyncGenerator[Sequence[UpstreamItem]],
    stages: Sequence[Stage],
    silence_seconds: float | None = None,
) -> AsyncGenerator[Sequence[ParsedItem]]:
    """Yield the batches of `answer` after all stages. What they hold back is yielded before the end or a failure.

    Raises UpstreamSilent if a batch takes longer than `silence_seconds`.
    """
    failure: GatewayError | None = None
    try:
        async with aclosing(answer):
            while (batch := await _next(answer, silence_seconds)) is not None:
                if parsed := _run(batch, stages):
                    yield parsed
    except GatewayError as error:
        failure = error
    if held := _close(stages):
        yield held
    if failure:
        raise failure


async def _next(answer: AsyncGenerator[Sequence[UpstreamItem]], seconds: float | None) -> Sequence[UpstreamItem] | None:
    deadline = asyncio.timeout(seconds)
    try:
        async with deadline:
            return await anext(answer, None)
    except TimeoutError as error:
        if not deadline.expired():
            raise
        raise UpstreamSilent(f"the upstream fell silent for {seconds:g} s; ask again") from error


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
    """Splits text into segments and counts tokens.

    Once a field of the API has carried reasoning, its text is response; a copy of the reasoning between tags at the
    head of the text (llama.cpp's `deepseek-legacy`) is dropped.
    """

    def __init__(self, parser: ReasoningParser) -> None:
        self._parser, self._by_field = parser, False
        self._chunks = self._reasoning_chunks = 0
        self._tokens_known = False

    def feed(self, items: Sequence[UpstreamItem]) -> list[ParsedItem]:
        return _joined(parsed for item in items for parsed in self._parse(item))

    def close(self) -> list[ParsedItem]:
        return list(self._response_only(self._parser.close()))

    def _parse(self, item: UpstreamItem) -> Sequence[ParsedItem]:
        match item:
            case Text(text=text):
                segments = self._parser.feed(text)
                self._count(self._parser.inside and not self._by_field)
                return self._response_only(segments)
            case Segment(kind="reasoning"):
                self._count(True)
                return [*self._trust_field(), item]
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

    def _trust_field(self) -> list[Segment]:
        if self._by_field:
            return []
        held = self._parser.close()
        self._parser, self._by_field = ReasoningParser("auto", starts_inside=False), True
        return held

    def _response_only(self, segments: list[Segment]) -> list[Segment]:
        return [segment for segment in segments if segment.kind == "response"] if self._by_field else segments

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
        return replace(usage, completion_tokens=completion, reasoning_tokens=reasoning)


class Promoter:
    """Repeats an answer that was all reasoning, and so never ended, as its response."""

    def __init__(self) -> None:
        self._trace: list[str] = []
        self._answered = False

    def feed(self, items: Sequence[ParsedItem]) -> list[ParsedItem]:
        return [promoted for item in items for promoted in self._promote(item)]

    def close(self) -> list[ParsedItem]:
        return []

    def _promote(self, item: ParsedItem) -> Sequence[ParsedItem]:
        match item:
            case Segment(kind="reasoning", text=text) if not self._answered:
                self._trace.append(text)
            case Segment() | ToolPiece():
                self._answered = True
            case Finished() if self._trace and not self._answered:
                truncated = ThinkingEnded(tokens=None, ended_by="truncated")
                return [truncated, Segment("response", "".join(self._trace)), item]
            case _:
                pass
        return [item]


def _joined(items: Iterable[ParsedItem]) -> list[ParsedItem]:
    """Join neighbouring segments of one kind: what came in one batch is one piece for everyone behind."""
    joined: list[ParsedItem] = []
    for kind, run in groupby(items, key=lambda item: item.kind if isinstance(item, Segment) else None):
        if kind is None:
            joined += run
        else:
            joined.append(Segment(kind, "".join(item.text for item in run if isinstance(item, Segment))))
    return joined
