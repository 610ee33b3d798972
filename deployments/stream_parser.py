"""Upstream text to segments: `gateway.reasoning` does the work.

What Ray adds here: a hop of its own, so that parsing scales apart from the ingress and the model.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

from deployments.calls import batches
from gateway.config import ParserSettings
from gateway.reasoning import ReasoningParser
from gateway.reasoning.stream import parse
from gateway.upstream import Parsed, UpstreamRequest, framed


class StreamParser:
    """Asks `upstream`, a handle, and parses its text as `settings` says it is marked."""

    def __init__(self, upstream: Any, settings: ParserSettings) -> None:
        self._upstream, self._settings = upstream, settings

    @framed
    async def stream(self, request: UpstreamRequest) -> AsyncGenerator[Sequence[Parsed]]:
        parser = ReasoningParser(self._settings.format, self._settings.starts_inside)
        async with aclosing(parse(batches(self._upstream.stream, request), parser)) as parsed:
            async for batch in parsed:
                yield batch

    @framed
    async def running(self) -> AsyncGenerator[Sequence[int]]:
        """How many generations the upstream has: asked through here, so that an answer says the way is open."""
        async with aclosing(batches(self._upstream.running)) as counts:
            async for count in counts:
                yield count
