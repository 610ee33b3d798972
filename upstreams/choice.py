"""The choice of an upstream by the model of a request, and the parsing of its answer as the model's route says.

Knows nothing of how an upstream is reached: deployments and HTTP APIs look alike here.
"""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from typing import Protocol

from gateway.config import ModelRoute
from gateway.reasoning import ReasoningParser
from gateway.reasoning.answer import AnswerParser, Stage, parse
from gateway.reasoning.promoter import Promoter
from gateway.reasoning.tool_calls import ToolCallParser
from gateway.upstream import ParsedItem, UpstreamItem, UpstreamRequest


class Upstream(Protocol):
    def stream(self, request: UpstreamRequest) -> AsyncGenerator[Sequence[UpstreamItem]]: ...

    async def running(self) -> int: ...


class Upstreams:
    """The upstreams of the models in `routes`, by the names that the routes give them.

    `annotate` receives attributes for the trace span of each request.
    """

    def __init__(
        self,
        routes: Mapping[str, ModelRoute],
        upstreams: Mapping[str, Upstream],
        annotate: Callable[[Mapping[str, str]], None] = lambda _: None,
    ) -> None:
        self._routes, self._annotate = routes, annotate
        self._upstreams = {name: upstreams[name] for name in {route.upstream for route in routes.values()}}

    def ask(self, request: UpstreamRequest) -> AsyncGenerator[Sequence[ParsedItem]]:
        """Yield the parsed answer, batch by batch. Raises what the upstream raises, and UpstreamSilent."""
        route = self._routes[request.model]
        self._annotate(
            {"gateway.call": request.id, "gateway.upstream": route.upstream, "gen_ai.request.model": request.model}
        )
        answer = self._upstreams[route.upstream].stream(request)
        return parse(answer, _stages(route, request), route.silence_seconds)

    async def running(self) -> int:
        """Return how many generations run. An answer also says that the way to each upstream is open."""
        return sum([await upstream.running() for upstream in self._upstreams.values()])


def _stages(route: ModelRoute, request: UpstreamRequest) -> list[Stage]:
    stages: list[Stage] = [AnswerParser(ReasoningParser(route.format, route.starts_inside))]
    if route.upstream == "qwen" and request.tools:
        stages.append(ToolCallParser())
    stages.append(Promoter(route.promote_truncated))
    return stages
