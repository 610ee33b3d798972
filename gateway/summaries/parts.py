"""The reasoning summary: the steps of a trace summarized side by side as it grows, leaving in order.

Bounded however fast the trace is: `SIDE_BY_SIDE` parts are written at once, and the steps that wait are merged.
Knows nothing of models or of how a step is put to one.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence

from gateway.events import Event, ReasoningSummaryDelta, ReasoningSummaryPart, Span
from gateway.summaries import extractive
from gateway.summaries.prompts import PartReader
from gateway.summaries.steps import Step, Steps
from gateway.summaries.writing import Writing

SIDE_BY_SIDE = 4


Ask = Callable[[int, str], AsyncGenerator[Sequence[str]]]
"""The index of a part and its step to what a model writes of it: a title line, then text."""


class _Part:
    """One part being written; its text is kept back until all before it have left."""

    def __init__(self, index: int, step: Step, put: Callable[[Event], None]) -> None:
        self.index, self.step, self._put = index, step, put
        self.reader, self.writing = PartReader(), Writing(self._say)
        self._kept: list[str] = []
        self._heads = False

    def head(self) -> None:
        """All before it have left: what it says may leave as it comes."""
        self._heads = True
        for text in self._kept:
            self._say(text)

    def finish(self) -> None:
        """Say an extract where nothing was written, and that the part is finished."""
        written_by = self.writing.or_else(extractive.last_sentence(self.step.text))
        self._put(
            ReasoningSummaryPart(
                index=self.index,
                title=self.reader.title or extractive.title(self.writing.text),
                text=self.writing.text,
                span=Span(start=self.step.start, end=self.step.end),
                written_by=written_by,
            )
        )

    def _say(self, text: str) -> None:
        if self._heads:
            self._put(ReasoningSummaryDelta(index=self.index, delta=text))
        else:
            self._kept.append(text)


class Parts:
    """`feed` the trace as it comes, `close` it; `leave` is a task of the owner's that runs all along.

    With `live` false the parts stay inside, and one that is made from all of them leaves in the end.
    """

    def __init__(self, ask: Ask, put: Callable[[Event], None], seconds: float, live: bool = True) -> None:
        self._ask, self._put, self._seconds, self._live = ask, put, seconds, live
        self._inside: list[Event] = []
        self._steps = Steps()
        self._waiting: Step | None = None
        self._begun: list[tuple[_Part, asyncio.Task[None]]] = []
        self._changed = asyncio.Event()
        self._closed = self._hurried = False
        self._timer: asyncio.TimerHandle | None = None

    def feed(self, text: str) -> None:
        self._add(self._steps.feed(text))

    def close(self) -> None:
        """The trace is over: what is not written within `seconds` from now becomes an extract."""
        self._add(self._steps.close())
        self._closed = True
        self._changed.set()
        self._timer = asyncio.get_running_loop().call_later(self._seconds, self.hurry)

    def hurry(self) -> None:
        """Let the deadline be now."""
        self._hurried = True
        for part, _ in self._begun:
            part.writing.hurry()

    async def leave(self) -> str:
        """Let the parts leave in order; gives their text. Cancelling it cancels what is being written."""
        left: list[_Part] = []
        try:
            while len(left) < len(self._begun) or self._waiting or not self._closed:
                if len(left) == len(self._begun):
                    self._changed.clear()
                    await self._changed.wait()
                    continue
                left.append(await _left(*self._begun[len(left)]))
            if not self._live and left:
                left = [await self._whole(left)]
            return "\n\n".join(part.writing.text for part in left)
        finally:
            await self._stop()

    async def _whole(self, parts: Sequence[_Part]) -> _Part:
        """The only part there is, or one for the whole trace, made from the texts of all."""
        if len(parts) == 1:
            for event in self._inside:
                self._put(event)
            return parts[0]
        step = Step(0, parts[-1].step.end, "\n".join(part.writing.text for part in parts))
        return await _left(*self._start(_Part(0, step, self._put)))

    def _add(self, steps: Sequence[Step]) -> None:
        for step in steps:
            first = self._waiting
            self._waiting = Step(first.start, step.end, first.text + step.text) if first else step
            self._begin()

    def _begin(self, _: object = None) -> None:
        """Begin to write what waits, if there is room; asked again whenever a part is done."""
        running = sum(not task.done() for _, task in self._begun)
        if self._waiting is None or running >= SIDE_BY_SIDE:
            return
        put = self._put if self._live else self._inside.append
        part, self._waiting = _Part(len(self._begun), self._waiting, put), None
        self._start(part)
        self._changed.set()

    def _start(self, part: _Part) -> tuple[_Part, asyncio.Task[None]]:
        if self._hurried:
            part.writing.hurry()
        task = asyncio.create_task(self._write(part))
        task.add_done_callback(self._begin)
        self._begun.append((part, task))
        return part, task

    async def _write(self, part: _Part) -> None:
        source = self._ask(part.index, part.step.text)
        await part.writing.run(source, None, part.reader.feed, part.reader.close)

    async def _stop(self) -> None:
        self._waiting = None
        if self._timer:
            self._timer.cancel()
        tasks = [task for _, task in self._begun]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _left(part: _Part, written: asyncio.Task[None]) -> _Part:
    part.head()
    await written
    part.finish()
    return part
