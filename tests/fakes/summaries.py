"""A model that writes summaries from scripts, for a `SummaryWriter`."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Any

from gateway.reasoning import Segment
from gateway.upstream import ParsedItem, UpstreamRequest


class ScriptedModel:
    """Answers each request with the script that `script` returns for it, and records the requests.

    Text in a script is a piece of the response, an exception is raised, an asyncio.Event is waited for, and all else is
    an item of the answer.
    """

    def __init__(self, script: Callable[[UpstreamRequest], Sequence[Any]]) -> None:
        self._script = script
        self.requests: list[UpstreamRequest] = []
        self.closed: list[str] = []  # the ids of the requests whose answers have ended or were closed

    async def __call__(self, request: UpstreamRequest) -> AsyncGenerator[Sequence[ParsedItem]]:
        self.requests.append(request)
        try:
            for step in self._script(request):
                match step:
                    case BaseException():
                        raise step
                    case asyncio.Event():
                        await step.wait()
                    case str():
                        yield [Segment("response", step)]
                    case _:
                        yield [step]
        finally:
            self.closed.append(request.id)
