"""Deployments that stream, as those who call them see them: the methods of a handle with their types.

What Ray adds here: nothing beyond the RPC of `deployments.rpc.client`.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any, Generic, TypeVar

from deployments.rpc.client import RpcClient, single_item
from deployments.telemetry import metrics, serve_internals, tracing
from gateway.config import GatewaySettings
from gateway.errors import GatewayError
from gateway.summaries.protocol import PartTask, SummaryItem
from gateway.upstream import Message, UpstreamItem, UpstreamRequest
from gateway.upstream_settings import ModelRoute
from upstreams.choice import Upstream, Upstreams
from upstreams.http import HttpUpstream

Item = TypeVar("Item", bound=UpstreamItem)


class Handle:
    """Any of the deployments behind the ingress."""

    def __init__(self, handle: Any) -> None:
        self._client = RpcClient(handle)

    async def running(self) -> int:
        """Return how many generations run behind one of the replicas. Raises GatewayError."""
        count: int = await single_item(self._client.call("running"))
        return count

    async def stop(self, error: GatewayError) -> None:
        """Fail with `error` all calls that are not over, and every later one."""
        await self._client.stop(error)


class StreamHandle(Handle, Generic[Item]):
    """A deployment that answers an `UpstreamRequest`: the parser (`StreamHandle[ParsedItem]`), or a Qwen."""

    def stream(self, request: UpstreamRequest) -> AsyncGenerator[Sequence[Item]]:
        """Yield batches of items. Raises GatewayError."""
        return self._client.call("stream", request)


class SummarizerHandle(Handle):
    """The Summarizer."""

    def prompt(
        self, request_id: str, messages: Sequence[Message], language: str
    ) -> AsyncGenerator[Sequence[SummaryItem]]:
        """Yield the checked summary of the prompt in batches, a SummaryEnd last. Raises GatewayError."""
        return self._client.call("prompt", request_id, messages, language)

    def part(self, request_id: str, task: PartTask) -> AsyncGenerator[Sequence[SummaryItem]]:
        """Yield the checked summary of a step in batches, a SummaryEnd last. Raises GatewayError."""
        return self._client.call("part", request_id, task)


def connect_upstreams(
    handles: Mapping[str, Any], routes: Mapping[str, ModelRoute], settings: GatewaySettings
) -> Upstreams:
    """Return the upstreams that serve the models of `routes`: deployments by their `handles`, and the HTTP APIs."""
    upstreams: dict[str, Upstream] = {name: StreamHandle(handle) for name, handle in handles.items()}
    if any(route.upstream == "http" for route in routes.values()):
        upstreams["http"] = HttpUpstream(
            settings.http_upstreams, serve_internals.request_id, on_retry=metrics.upstream_retries()
        )
    return Upstreams(routes, upstreams, tracing.annotate_current_span, settings.limits)
