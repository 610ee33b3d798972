"""A prompt, or a step of reasoning, to a summary: `gateway.summaries.prompts` says what is asked of the model.

What Ray adds here: replicas of its own, and calls that are cancelled when their client goes.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

from deployments.calls import batches
from gateway.summaries.prompts import part_request, prompt_request
from gateway.upstream import Message, Text, UpstreamRequest, framed


class Summarizer:
    """Asks `upstream`, a handle: by default the engine that also answers, so summaries join its batch."""

    def __init__(self, upstream: Any) -> None:
        self._upstream = upstream

    @framed
    async def prompt(self, request_id: str, messages: Sequence[Message]) -> AsyncGenerator[Sequence[str]]:
        async with aclosing(self._text(prompt_request(request_id, messages))) as texts:
            async for text in texts:
                yield text

    @framed
    async def part(self, request_id: str, step: str) -> AsyncGenerator[Sequence[str]]:
        async with aclosing(self._text(part_request(request_id, step))) as texts:
            async for text in texts:
                yield text

    @framed
    async def running(self) -> AsyncGenerator[Sequence[int]]:
        """As `StreamParser.running`."""
        async with aclosing(batches(self._upstream.running)) as counts:
            async for count in counts:
                yield count

    async def _text(self, request: UpstreamRequest) -> AsyncGenerator[Sequence[str]]:
        async with aclosing(batches(self._upstream.stream, request)) as answer:
            async for items in answer:
                if texts := [item.text for item in items if isinstance(item, Text)]:
                    yield texts
