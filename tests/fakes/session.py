"""The two parts that a session is made of, scripted: a parser and a summarizer that play what a test gives them."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from typing import Any

from gateway.summaries.protocol import PartTask, SummaryItem
from gateway.summaries.writer import SummaryWriter
from gateway.upstream import Message, ParsedItem, UpstreamRequest
from tests.fakes.summaries import ScriptedModel


class ScriptedParser:
    """A parser that plays its script: an exception in it is raised, an asyncio.Event is awaited, all else is an item.

    `waiting` is set when an Event is reached, `over` when the stream has been closed.
    """

    def __init__(self, *script: Any) -> None:
        self.script, self.closed = script, False
        self.waiting, self.over = asyncio.Event(), asyncio.Event()

    async def stream(self, request: UpstreamRequest) -> AsyncGenerator[Sequence[ParsedItem]]:
        try:
            for step in self.script:
                match step:
                    case BaseException():
                        raise step
                    case asyncio.Event():
                        self.waiting.set()
                        await step.wait()
                    case _:
                        yield [step]
        finally:
            self.closed = True
            self.over.set()


class ScriptedSummarizer:
    """A `SummaryWriter` whose model plays one script for the prompt and one for every draft of a part.

    `tasks` are the parts asked for, `model.requests` the requests of the model.
    """

    def __init__(
        self, prompt: Sequence[Any] = ("You ask", " this."), part: Sequence[Any] = ("Title\n", "Text.")
    ) -> None:
        self.model = ScriptedModel(lambda request: prompt if request.id.endswith("-prompt") else part)
        self.tasks: list[PartTask] = []
        self._writer = SummaryWriter(self.model)

    def prompt(
        self, request_id: str, messages: Sequence[Message], language: str
    ) -> AsyncGenerator[Sequence[SummaryItem]]:
        return self._writer.prompt(request_id, messages, language)

    def part(self, request_id: str, task: PartTask) -> AsyncGenerator[Sequence[SummaryItem]]:
        self.tasks.append(task)
        return self._writer.part(request_id, task)
