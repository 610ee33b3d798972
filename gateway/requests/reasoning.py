"""The request of `POST /v1/reasoning`, the native route."""

from dataclasses import replace

from gateway.requests.base import Generation, ReasoningOptions
from gateway.upstream import UpstreamRequest


class ReasoningRequest(Generation):
    """The whole request."""

    stream: bool = True
    reasoning: ReasoningOptions = ReasoningOptions()
    prompt_summary: bool = True

    def to_upstream(self, request_id: str, model: str) -> UpstreamRequest:
        return replace(super().to_upstream(request_id, model), budget=self.reasoning.budget)
