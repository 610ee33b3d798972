"""The request of `POST /upstream/v1/chat/completions`: a subset of OpenAI's, for the cluster's Qwen as a plain API."""

from dataclasses import replace
from typing import Literal

from gateway.requests.base import Generation, StreamOptions, TokenCount
from gateway.upstream import UpstreamRequest


class PlainRequest(Generation):
    """The whole request."""

    max_completion_tokens: TokenCount | None = None
    n: Literal[1] = 1
    stream: bool = False
    stream_options: StreamOptions = StreamOptions()

    def to_upstream(self, request_id: str, model: str) -> UpstreamRequest:
        asked = super().to_upstream(request_id, model)
        return replace(asked, max_tokens=self.max_completion_tokens or asked.max_tokens)
