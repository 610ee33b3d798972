"""The upstreams behind their handles: a request's model picks the one, and its format parses what comes back."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any

from deployments import tracing
from deployments.calls import batches, only
from gateway.config import Served
from gateway.reasoning import ReasoningParser
from gateway.reasoning.stream import parse, promote
from gateway.tools import tool_calls
from gateway.upstream import Parsed, UpstreamRequest


class Upstreams:
    """`handles` are by the names that `models`, which are by name too, give their upstreams."""

    def __init__(self, handles: Mapping[str, Any], models: Mapping[str, Served]) -> None:
        self._handles, self._models = handles, models

    def ask(self, request: UpstreamRequest) -> AsyncGenerator[Sequence[Parsed]]:
        served = self._models[request.model]
        tracing.note(
            {"gateway.call": request.id, "gateway.upstream": served.upstream, "gen_ai.request.model": request.model}
        )
        parser = ReasoningParser(served.format, served.starts_inside)
        parsed = parse(batches(self._handles[served.upstream].stream, request), parser)
        if served.upstream == "qwen" and request.tools:
            parsed = tool_calls(parsed)
        return promote(parsed) if served.promote_truncated else parsed

    async def running(self) -> int:
        """How many generations there are; an answer says that the way to each upstream is open."""
        return sum([await only(batches(handle.running)) for handle in self._handles.values()])
