"""The reasoning summary: the steps of a trace summarized side by side as it grows, leaving in order.

    step -> written -> each sentence checked against the step and the prompt -> leaves once all before it have left
               `-> one that fails first: written once more, colder -> fails again: an extract

Bounded however fast the trace is: `SIDE_BY_SIDE` parts are written at once, and the steps that wait are merged.
Knows nothing of models or of how a step is put to one.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from functools import cached_property

from gateway.events import Event, ReasoningSummaryDelta, ReasoningSummaryPart, Span
from gateway.summaries import extractive
from gateway.summaries.grounding import Ground
from gateway.summaries.prompts import NARRATED, PartTask, shown
from gateway.summaries.sentences import PartReader, Sentences
from gateway.summaries.steps import LARGEST, Step, Steps
from gateway.summaries.writing import Writing

SIDE_BY_SIDE = 4
SHORTEST, SHORTEST_SHARE = 40, 16
"""Characters that a model must at least write of a step; of a short step, one for each sixteen of its own."""

Ask = Callable[[int, PartTask], AsyncGenerator[Sequence[str]]]
"""The index of a part and what it is about, to what a model writes of it: a title line, then text."""


class _Reading:
    """What a model writes of a part, its title apart and its sentences checked."""

    def __init__(self, check: Callable[[str], Sequence[str]], least: int) -> None:
        self._reader, self._sentences = PartReader(), Sentences(check, least)

    @property
    def title(self) -> str:
        return self._reader.title

    def feed(self, text: str) -> str:
        return self._sentences.feed(self._reader.feed(text))

    def close(self) -> str:
        return self._sentences.feed(self._reader.close()) + self._sentences.close()


class _Part:
    """One part being written; its text is kept back until all before it have left."""

    def __init__(self, index: int, step: Step, put: Callable[[Event], None], known: Callable[[], Ground]) -> None:
        self.index, self.step, self._put, self._known = index, step, put, known
        self.writing = Writing(self._say)
        self.source = shown(step.text)
        self.title, self.extract = "", extractive.first_and_last(self.source)
        self._kept: list[str] = []
        self._heads = False
        self.failures = 0

    @property
    def text(self) -> str:
        return self.writing.text

    async def write(self, ask: Ask, request: str, before: str) -> None:
        """Let it be written, and once more where its first sentence fails."""
        for again in (False, True):
            if self.writing.hurried:
                return
            reading = _Reading(lambda sentence: self._wrong(sentence, before), self._least)
            source = ask(self.index, PartTask(step=self.step.text, request=request, before=before, again=again))
            await self.writing.run(source, None, reading.feed, reading.close)
            self.title = reading.title
            self.failures += self.writing.ungrounded
            if self.text or not self.writing.ungrounded:
                return

    def head(self) -> None:
        """All before it have left: what it says may leave as it comes."""
        self._heads = True
        for text in self._kept:
            self._say(text)

    def finish(self) -> None:
        """Say an extract where nothing was written, and that the part is finished."""
        written_by = self.writing.or_else(self.extract)
        if written_by == "extract":
            self.title = extractive.heading(self.source)
        elif not self.title or self.missing(self.title):
            self.title = extractive.title(extractive.last_sentence(self.text))
        self._put(
            ReasoningSummaryPart(
                index=self.index,
                title=self.title,
                text=self.text,
                span=Span(start=self.step.start, end=self.step.end),
                written_by=written_by,
            )
        )

    def missing(self, text: str) -> list[str]:
        """What of the text is in neither the step nor the prompt."""
        claims = self._ground.missing(text)
        known = set(self._known().missing(text)) if claims else ()
        return [claim for claim in claims if claim in known]

    def _wrong(self, sentence: str, before: str) -> list[str]:
        if sentence.strip() in before or NARRATED.match(sentence):
            return [sentence]
        return self.missing(sentence)

    @property
    def _least(self) -> int:
        return min(SHORTEST, len(self.source) // SHORTEST_SHARE)

    @cached_property
    def _ground(self) -> Ground:
        return Ground([self.source])

    def _say(self, text: str) -> None:
        if self._heads:
            self._put(ReasoningSummaryDelta(index=self.index, delta=text))
        else:
            self._kept.append(text)


class Parts:
    """`feed` the trace as it comes, `close` it; `leave` is a task of the owner's that runs all along.

    `request` is what the trace is about, `known` makes what a part may take from the conversation. At the end of the
    trace a short rest is an extract at once where the response waits for it (`awaited`), and what is not written
    `seconds` later. With `live` false the parts stay inside, and one that is made from all of them leaves in the end.
    `failures` counts the writings that the check has ended.
    """

    def __init__(
        self,
        ask: Ask,
        put: Callable[[Event], None],
        seconds: float,
        *,
        request: str,
        known: Callable[[], Ground],
        live: bool = True,
        awaited: bool = True,
    ) -> None:
        self._ask, self._put, self._seconds = ask, put, seconds
        self._request, self._known = request, known
        self._live, self._awaited = live, awaited
        self._inside: list[Event] = []
        self._steps = Steps()
        self._waiting: Step | None = None
        self._begun: list[tuple[_Part, asyncio.Task[None]]] = []
        self._changed = asyncio.Event()
        self._closed = self._hurried = False
        self._timer: asyncio.TimerHandle | None = None

    @property
    def failures(self) -> int:
        return sum(part.failures for part, _ in self._begun)

    def feed(self, text: str) -> None:
        self._add(self._steps.feed(text))

    def close(self) -> None:
        """The trace is over."""
        self._add_last(self._steps.close())
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
            return "\n\n".join(part.text for part in left)
        finally:
            await self._stop()

    async def _whole(self, parts: Sequence[_Part]) -> _Part:
        """The only part there is, or one for the whole trace, made from the texts of all."""
        if len(parts) == 1:
            for event in self._inside:
                self._put(event)
            return parts[0]
        step = Step(0, parts[-1].step.end, "\n".join(part.text for part in parts))
        whole = _Part(0, step, self._put, self._known)
        whole.extract = " → ".join(part.title for part in parts)
        return await _left(*self._start(whole))

    def _add(self, steps: Sequence[Step]) -> None:
        for step in steps:
            self._wait(step)
            self._begin()

    def _add_last(self, steps: Sequence[Step]) -> None:
        if not (self._awaited and self._begun):
            self._add(steps)
            return
        for step in steps:
            self._wait(step)
        self._begin(extract=self._waiting is not None and len(self._waiting.text) <= LARGEST)

    def _wait(self, step: Step) -> None:
        first = self._waiting
        self._waiting = Step(first.start, step.end, first.text + step.text) if first else step

    def _begin(self, _: object = None, *, extract: bool = False) -> None:
        """Begin to write what waits, if there is room; asked again whenever a part is done."""
        running = sum(not task.done() for _, task in self._begun)
        if self._waiting is None or (running >= SIDE_BY_SIDE and not extract):
            return
        put = self._put if self._live else self._inside.append
        part, self._waiting = _Part(len(self._begun), self._waiting, put, self._known), None
        if extract:
            part.writing.hurry()
        self._start(part)
        self._changed.set()

    def _start(self, part: _Part) -> tuple[_Part, asyncio.Task[None]]:
        if self._hurried:
            part.writing.hurry()
        last = self._begun[-1][0] if self._begun and part.index else None
        before = f"{last.title}\n{last.text}" if last and last.text else ""
        task = asyncio.create_task(part.write(self._ask, self._request, before))
        task.add_done_callback(self._begin)
        self._begun.append((part, task))
        return part, task

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
