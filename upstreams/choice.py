"""The upstreams: a request's model picks the one, and its format parses what comes back."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any, Protocol

from deployments.rpc.client import RpcClient, only
from deployments.telemetry import tracing
from gateway.config import HttpUpstreamSettings, ModelRoute
from gateway.reasoning import ReasoningParser
from gateway.reasoning.stream import parse, promote
from gateway.reasoning.tool_calls import tool_calls
from gateway.upstream import ParsedItem, UpstreamItem, UpstreamRequest
from upstreams.http import HttpUpstream


class Upstream(Protocol):
    def stream(self, request: UpstreamRequest) -> AsyncGenerator[Sequence[UpstreamItem]]: ...

    async def running(self) -> int: ...


class UpstreamHandle:
    """One that is a deployment."""

    def __init__(self, handle: Any) -> None:
        self._peer = RpcClient(handle)

    def stream(self, request: UpstreamRequest) -> AsyncGenerator[Sequence[UpstreamItem]]:
        return self._peer.call("stream", request)

    async def running(self) -> int:
        count: int = await only(self._peer.call("running"))
        return count


class Upstreams:
    """Those that serve `models`: `handles` are by the names that they give, `apis` are asked from this process."""

    def __init__(
        self, handles: Mapping[str, Any], models: Mapping[str, ModelRoute], apis: Sequence[HttpUpstreamSettings]
    ) -> None:
        self._models = models
        names = {served.upstream for served in models.values()}
        self._upstreams: dict[str, Upstream] = {
            name: HttpUpstream(apis) if name == "http" else UpstreamHandle(handles[name]) for name in names
        }

    def ask(self, request: UpstreamRequest) -> AsyncGenerator[Sequence[ParsedItem]]:
        served = self._models[request.model]
        tracing.note(
            {"gateway.call": request.id, "gateway.upstream": served.upstream, "gen_ai.request.model": request.model}
        )
        parser = ReasoningParser(served.format, served.starts_inside)
        parsed = parse(self._upstreams[served.upstream].stream(request), parser)
        if served.upstream == "qwen" and request.tools:
            parsed = tool_calls(parsed)
        return promote(parsed) if served.promote_truncated else parsed

    async def running(self) -> int:
        """How many generations there are; an answer says that the way to each upstream is open."""
        return sum([await upstream.running() for upstream in self._upstreams.values()])
