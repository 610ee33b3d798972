"""An upstream's answer, its text parsed and its tokens counted. Knows nothing of where the answer comes from."""

from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing
from dataclasses import replace

from gateway.errors import GatewayError
from gateway.events import Usage
from gateway.reasoning import ReasoningParser, Segment
from gateway.upstream import Finished, ParsedItem, Text, ThinkingEnded, ToolPiece, UpstreamItem
from gateway.written import Written


async def parse(
    answer: AsyncGenerator[Sequence[UpstreamItem]], parser: ReasoningParser
) -> AsyncGenerator[Sequence[ParsedItem]]:
    """The answer with `Segment`s for `Text`. What the parser held back leaves before the end, however that comes."""
    reader = _Reader(parser)
    try:
        async with aclosing(answer):
            async for batch in answer:
                if parsed := _joined(item for taken in batch for item in reader.take(taken)):
                    yield parsed
    except GatewayError:
        if held := reader.close():
            yield held
        raise
    if held := reader.close():
        yield held


async def promote(parsed: AsyncGenerator[Sequence[ParsedItem]]) -> AsyncGenerator[Sequence[ParsedItem]]:
    """The same; the text of an answer that was all reasoning, and so never ended, is said again as its response."""
    trace, answered = Written(), False
    async with aclosing(parsed):
        async for batch in parsed:
            for item in batch:
                answered = answered or isinstance(item, ToolPiece)
                if isinstance(item, Segment):
                    answered = answered or item.kind == "response"
                    if not answered:
                        trace.write(item.text)
            match batch[-1]:
                case Finished() if trace and not answered:
                    truncated = ThinkingEnded(tokens=None, ended_by="truncated")
                    yield [*batch[:-1], truncated, Segment("response", str(trace)), batch[-1]]
                case _:
                    yield batch


def _joined(items: Iterable[ParsedItem]) -> list[ParsedItem]:
    """Segments of one kind that follow one another as one: what came together is one piece to all behind."""
    joined: list[ParsedItem] = []
    for item in items:
        last = joined[-1] if joined else None
        if isinstance(item, Segment) and isinstance(last, Segment) and item.kind == last.kind:
            joined[-1] = Segment(item.kind, last.text + item.text)
        else:
            joined.append(item)
    return joined


class _Reader:
    """Once a field has carried reasoning the text is response; a tagged copy of the reasoning at its head (llama.cpp's
    `deepseek-legacy`) is dropped."""

    def __init__(self, parser: ReasoningParser) -> None:
        self._parser, self._by_field = parser, False
        self._pieces = self._thoughts = 0
        self._counted = False

    def take(self, item: UpstreamItem) -> Sequence[ParsedItem]:
        match item:
            case Text(text=text):
                segments = self._parser.feed(text)
                self._count(self._parser.inside and not self._by_field)
                return self._kept(segments)
            case Segment(kind="reasoning"):
                self._count(True)
                return [*self._lock(), item]
            case ToolPiece():
                self._count(False)
                return [*self.close(), item]
            case ThinkingEnded():
                self._counted = True
                return [item]
            case Finished(usage=usage):
                return [*self.close(), replace(item, usage=self._usage(usage))]
            case _:
                return [item]

    def close(self) -> list[Segment]:
        return self._kept(self._parser.close())

    def _lock(self) -> list[Segment]:
        if self._by_field:
            return []
        held = self._parser.close()
        self._parser, self._by_field = ReasoningParser("auto", starts_inside=False), True
        return held

    def _kept(self, segments: list[Segment]) -> list[Segment]:
        return [segment for segment in segments if segment.kind == "response"] if self._by_field else segments

    def _count(self, thought: bool) -> None:
        self._pieces += 1
        self._thoughts += thought

    def _usage(self, usage: Usage) -> Usage:
        """The upstream's word; where it tells no number, a piece is taken for a token, as APIs send them."""
        if self._counted:
            return usage
        completion = usage.completion_tokens or self._pieces
        share = self._thoughts / self._pieces if self._pieces else 0.0
        reasoning = usage.reasoning_tokens or round(completion * share)
        return replace(usage, completion_tokens=completion, reasoning_tokens=reasoning)
