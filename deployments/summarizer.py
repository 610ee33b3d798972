"""Prompts and steps of reasoning in, checked summaries out: `gateway.summaries.writer` does the work.

What Ray adds here: replicas of its own, so that checking summaries delays no stream of the ingress, and calls that are
cancelled with their caller.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from deployments.heap import return_freed_memory
from deployments.rpc.handles import connect_upstreams
from deployments.rpc.server import RpcServer
from deployments.telemetry import metrics
from deployments.telemetry.loop_lag import watch_loop
from gateway.config import GatewaySettings
from gateway.summaries import language
from gateway.summaries.breaker import Breaker
from gateway.summaries.languages import AUTO
from gateway.summaries.masking import mask_of
from gateway.summaries.protocol import PartTask, SummaryItem
from gateway.summaries.usability import Usability
from gateway.upstream import Message, ParsedItem, UpstreamRequest


class Summarizer(RpcServer):
    """Summarizes with the configured model: the cluster's Qwen, an API, or a model for summaries alone.

    `upstreams` are the handles of deployments by name. An API is asked once for each draft, behind a breaker: a dead
    one would cost each stream the retries of its answer.
    """

    def __init__(self, upstreams: Mapping[str, Any], settings: GatewaySettings) -> None:
        super().__init__(settings.limits.calls)
        # Imported here because its patterns take half a second, and the graph is built without them.
        from gateway.summaries.writer import SummaryWriter

        watch_loop(metrics.loop_lag())
        return_freed_memory()
        self._model, route = settings.summary_model
        self._upstreams = connect_upstreams(upstreams, {self._model: route}, _asked_once(settings))
        breaker = Breaker(self._model) if route.upstream == "http" else None
        usability = Usability(self._model, metrics.summary_failures(self._model, route.upstream))
        chosen = settings.summarizer.language
        self._writer = SummaryWriter(
            self._ask,
            chosen,
            breaker,
            usability,
            metrics.summary_tokens(self._model, route.upstream),
            mask_of(mask_secrets=settings.summarizer.mask_secrets),
            in_order=route.upstream != "http",
        )
        if chosen == AUTO:
            language.load()  # now, since it takes a second

    def prompt(
        self, request_id: str, messages: Sequence[Message], language: str
    ) -> AsyncGenerator[Sequence[SummaryItem]]:
        return self._writer.prompt(request_id, messages, language)

    def part(self, request_id: str, task: PartTask) -> AsyncGenerator[Sequence[SummaryItem]]:
        return self._writer.part(request_id, task)

    async def running(self) -> AsyncGenerator[Sequence[int]]:
        yield [await self._upstreams.running()]

    def _ask(self, request: UpstreamRequest) -> AsyncGenerator[Sequence[ParsedItem]]:
        return self._upstreams.ask(replace(request, model=self._model))


def _asked_once(settings: GatewaySettings) -> GatewaySettings:
    """Return the settings with APIs that are not asked again."""
    apis = tuple(api.model_copy(update={"attempts": 1}) for api in settings.http_upstreams)
    return settings.model_copy(update={"http_upstreams": apis})
