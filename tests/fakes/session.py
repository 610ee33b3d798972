"""The two parts that a session is made of, scripted: a parser and a summarizer that play what a test gives them."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from typing import Any

from gateway.summaries.prompts import PartTask
from gateway.upstream import Message, ParsedItem, UpstreamRequest


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
    """A summarizer that plays one script for the prompt and one for every part; `tasks` are the parts asked for."""

    def __init__(
        self, prompt: Sequence[Any] = ("You ask", " this."), part: Sequence[Any] = ("Title\n", "Text.")
    ) -> None:
        self.scripts = {"prompt": prompt, "part": part}
        self.tasks: list[PartTask] = []

    async def prompt(self, request_id: str, messages: Sequence[Message]) -> AsyncGenerator[Sequence[str]]:
        async for text in self._play("prompt"):
            yield text

    async def part(self, request_id: str, task: PartTask) -> AsyncGenerator[Sequence[str]]:
        self.tasks.append(task)
        async for text in self._play("part"):
            yield text

    async def _play(self, name: str) -> AsyncGenerator[Sequence[str]]:
        for step in self.scripts[name]:
            match step:
                case BaseException():
                    raise step
                case asyncio.Event():
                    await step.wait()
                case _:
                    yield [step]
