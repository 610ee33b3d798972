"""The choice of an upstream by the model of a request, and the parsing of its answer as the model's route says.

Knows nothing of how an upstream is reached: deployments and HTTP APIs look alike here.
"""

import logging
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from functools import partial
from typing import Protocol

from gateway.config import LimitSettings
from gateway.reasoning import ReasoningParser
from gateway.reasoning.answer import AnswerParser, Stage, parse
from gateway.reasoning.beginning import BeginningWatch
from gateway.reasoning.bounds import AnswerBounds
from gateway.reasoning.promoter import Promoter
from gateway.reasoning.tool_calls import ToolCallParser
from gateway.upstream import ParsedItem, UpstreamItem, UpstreamRequest
from gateway.upstream_settings import ModelRoute

log = logging.getLogger(__name__)


class Upstream(Protocol):
    def stream(self, request: UpstreamRequest) -> AsyncGenerator[Sequence[UpstreamItem]]: ...

    async def running(self) -> int: ...


class Upstreams:
    """The upstreams of the models in `routes`, by the names that the routes give them.

    `annotate` receives attributes for the trace span of each request; `limits` bound each answer.
    """

    def __init__(
        self,
        routes: Mapping[str, ModelRoute],
        upstreams: Mapping[str, Upstream],
        annotate: Callable[[Mapping[str, str]], None] = lambda _: None,
        limits: LimitSettings | None = None,
    ) -> None:
        self._routes, self._annotate, self._limits = routes, annotate, limits
        self._upstreams = {name: upstreams[name] for name in {route.upstream for route in routes.values()}}
        self._beginnings = Beginnings()

    def ask(self, request: UpstreamRequest) -> AsyncGenerator[Sequence[ParsedItem]]:
        """Yield the parsed answer, batch by batch. Raises what the upstream and `parse` raise."""
        route = self._routes[request.model]
        self._annotate(
            {"gateway.call": request.id, "gateway.upstream": route.upstream, "gen_ai.request.model": request.model}
        )
        answer = self._upstreams[route.upstream].stream(request)
        return parse(answer, self._stages(route, request), route.silence_seconds, AnswerBounds(self._limits))

    async def running(self) -> int:
        """Return how many generations run. An answer also says that the way to each upstream is open."""
        return sum([await upstream.running() for upstream in self._upstreams.values()])

    def _stages(self, route: ModelRoute, request: UpstreamRequest) -> list[Stage]:
        inside = self._beginnings.inside(route, request)
        stages: list[Stage] = [AnswerParser(ReasoningParser(route.format, inside))]
        if route.starts_inside is None:
            note = partial(self._beginnings.note, request.model)
            stages.append(BeginningWatch(route.format, outside=not inside, on_seen=note))
        if route.upstream == "qwen" and request.tools:
            stages.append(ToolCallParser())
        stages.append(Promoter(route.promote_truncated))
        return stages


class Beginnings:
    """The models that begin their answers inside their reasoning, as far as answers to this process have shown it."""

    def __init__(self) -> None:
        self._inside: set[str] = set()
        self._logged: set[str] = set()

    def inside(self, route: ModelRoute, request: UpstreamRequest) -> bool:
        """Return whether the answer to `request` is expected to begin inside its reasoning."""
        if route.starts_inside is None:
            return request.wants_thinking and request.model in self._inside
        return route.starts_inside and (request.wants_thinking or not route.by_request)

    def note(self, model: str, inside: bool) -> None:
        """Note how an answer has begun. The last one counts: a single answer that spoke of tags misleads for short."""
        if not inside:
            self._inside.discard(model)
            return
        self._inside.add(model)
        if model not in self._logged:
            self._logged.add(model)
            log.warning(
                "an answer of %s began inside its reasoning, without a start marker; this process reads the next ones"
                " so. Set `starts_inside: true` for its API to have that from the first answer on",
                model,
            )
