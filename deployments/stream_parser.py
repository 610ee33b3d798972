"""Upstream text to segments: `gateway.reasoning` does the work.

What Ray adds here: a hop of its own, so that parsing scales apart from the ingress and the model.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any

from deployments.upstreams import Upstreams
from gateway.config import GatewaySettings
from gateway.frames import framed
from gateway.upstream import Parsed, UpstreamRequest


class StreamParser:
    """Asks the upstream that serves the request's model; `upstreams` are handles of deployments by name."""

    def __init__(self, upstreams: Mapping[str, Any], settings: GatewaySettings) -> None:
        self._upstreams = Upstreams(upstreams, settings.models, settings.http_upstreams)

    @framed
    async def stream(self, request: UpstreamRequest) -> AsyncGenerator[Sequence[Parsed]]:
        async with aclosing(self._upstreams.ask(request)) as parsed:
            async for batch in parsed:
                yield batch

    @framed
    async def running(self) -> AsyncGenerator[Sequence[int]]:
        yield [await self._upstreams.running()]
