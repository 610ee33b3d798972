"""A prompt, or a step of reasoning, to a summary: `gateway.summaries.prompts` says what is asked of the model.

What Ray adds here: replicas of its own, and calls that are cancelled when their client goes.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from deployments.rpc.handles import connect_upstreams
from deployments.rpc.server import RpcServer
from gateway.config import GatewaySettings
from gateway.reasoning import Segment
from gateway.summaries.prompts import PartTask, part_request, prompt_request
from gateway.upstream import Message, UpstreamRequest


class Summarizer(RpcServer):
    """Asks the cluster's engine, whose batch the summaries join, an API, or a model of its own; `upstreams` are handles
    of deployments by name."""

    def __init__(self, upstreams: Mapping[str, Any], settings: GatewaySettings) -> None:
        super().__init__(settings.limits.calls)
        self._model, route = settings.summary_model
        self._upstreams = connect_upstreams(upstreams, {self._model: route}, settings)

    def prompt(self, request_id: str, messages: Sequence[Message]) -> AsyncGenerator[Sequence[str]]:
        return self._text(prompt_request(request_id, messages))

    def part(self, request_id: str, task: PartTask) -> AsyncGenerator[Sequence[str]]:
        return self._text(part_request(request_id, task))

    async def running(self) -> AsyncGenerator[Sequence[int]]:
        yield [await self._upstreams.running()]

    async def _text(self, request: UpstreamRequest) -> AsyncGenerator[Sequence[str]]:
        async with aclosing(self._upstreams.ask(replace(request, model=self._model))) as answer:
            async for items in answer:
                if texts := [item.text for item in items if isinstance(item, Segment) and item.kind == "response"]:
                    yield texts
