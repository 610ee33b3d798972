"""Text of upstreams in, reasoning and response out: `upstreams.choice` does the work.

What Ray adds here: replicas of its own, so that parsing scales apart from the ingress and the model.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any

from deployments.heap import return_freed_memory
from deployments.rpc.handles import connect_upstreams
from deployments.rpc.server import RpcServer
from deployments.telemetry import metrics
from deployments.telemetry.loop_lag import watch_loop
from gateway.config import GatewaySettings
from gateway.upstream import ParsedItem, UpstreamRequest


class StreamParser(RpcServer):
    """Asks the upstream that serves the model of a request. `upstreams` are the handles of deployments by name."""

    def __init__(self, upstreams: Mapping[str, Any], settings: GatewaySettings) -> None:
        super().__init__(settings.limits.calls)
        watch_loop(metrics.loop_lag())
        return_freed_memory()
        self._upstreams = connect_upstreams(upstreams, settings.models, settings)

    def stream(self, request: UpstreamRequest) -> AsyncGenerator[Sequence[ParsedItem]]:
        return self._upstreams.ask(request)

    async def running(self) -> AsyncGenerator[Sequence[int]]:
        yield [await self._upstreams.running()]
