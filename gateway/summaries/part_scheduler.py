"""The reasoning summary: the steps of a trace are summarized side by side while it grows, and the parts sent in order.

The work is bounded however fast the trace is: `SIDE_BY_SIDE` parts are written at a time, and steps that wait for one
of them to end are merged.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import count
from typing import NamedTuple

from gateway.events import Event
from gateway.summaries.excerpts import EXCERPT_CHARACTERS, both_ends
from gateway.summaries.extracts.extractor import Extractor
from gateway.summaries.languages import AUTO
from gateway.summaries.part_writer import PartSource, PartWriter
from gateway.summaries.protocol import PartTask, SummaryUsage
from gateway.summaries.steps import LARGEST, Step, Steps

SIDE_BY_SIDE = 4
"""Maximum number of parts that are written at a time."""
LEAVING_SECONDS = 0.05
"""Seconds before the deadline at which unfinished parts are abandoned, so that their extracts are sent in time even on
a busy machine."""


class _SentPart(NamedTuple):
    """The remains of a part that has been sent: a long trace has hundreds of them."""

    title: str
    text: str
    end: int


class PartScheduler:
    """`feed` the trace as it grows, then `close`; `run` sends the parts meanwhile, in a task of the owner's.

    `request`, `earlier`, `language` and `evidence` go into each `PartTask`. `seconds` after the end of the trace all
    parts have been sent, as extracts if they are not written. If the response waits for the summary (`awaited`), a
    short rest of the trace is an extract at once. `part_seconds` is how long each part may take, from the end of its
    (first) step; None for as long as the trace does. If `live` is false, nothing is sent before the end, and then one
    part made from all parts.
    """

    def __init__(
        self,
        source: PartSource,
        put: Callable[[Event], None],
        seconds: float,
        *,
        request: str,
        earlier: tuple[str, ...] = (),
        language: str = AUTO,
        evidence: tuple[str, ...] = (),
        live: bool = True,
        awaited: bool = True,
        part_seconds: float | None = None,
    ) -> None:
        self._source, self._put, self._seconds = source, put, seconds
        self._task = PartTask(step="", request=request, earlier=earlier, language=language, evidence=evidence)
        self._extractor = Extractor(request, language)
        self._live, self._awaited, self._part_seconds = live, awaited, part_seconds
        self._due: float | None = None  # of the step that waits, on the loop's clock
        self._unsent: list[Event] = []  # the events of the parts, if they are not live
        self._steps = Steps()
        self._waiting: Step | None = None
        self._numbers = count()
        self._started = deque[tuple[PartWriter, asyncio.Task[None]]]()  # and not sent yet
        self._last: PartWriter | None = None
        self._sent_rejected, self._sent_usage = 0, SummaryUsage()
        self._changed = asyncio.Event()
        self._closed = self._expired = False
        self._timer: asyncio.TimerHandle | None = None

    @property
    def rejected(self) -> int:
        """The number of the model's drafts that the grounding check has ended."""
        return self._sent_rejected + sum(part.draft.rejected for part, _ in self._started)

    @property
    def usage(self) -> SummaryUsage:
        """The tokens of all drafts, those that were thrown away among them."""
        return sum((part.draft.usage for part, _ in self._started), self._sent_usage)

    def feed(self, text: str) -> None:
        """Add text to the trace, and start parts for the steps that it completes."""
        self._add(self._steps.feed(text))

    def close(self) -> None:
        """End the trace, and start the deadline."""
        self._add_last(self._steps.close())
        self._closed = True
        self._changed.set()
        self._timer = asyncio.get_running_loop().call_later(self._seconds - LEAVING_SECONDS, self.expire)

    def expire(self) -> None:
        """Let the deadline pass now."""
        self._expired = True
        for part, _ in self._started:
            part.draft.expire()

    async def run(self) -> str:
        """Send the parts in order, and return their text. If it is cancelled, so are the parts being written."""
        sent: list[_SentPart] = []
        try:
            while self._started or self._waiting or not self._closed:
                if self._started:
                    sent.append(await self._send_next())
                else:
                    self._changed.clear()
                    await self._changed.wait()
            if not self._live and sent:
                sent = [await self._send_whole(sent)]
            return "\n\n".join(part.text for part in sent)
        finally:
            await self._stop()

    async def write_late(self, text: str, seconds: float | None) -> tuple[str, str]:
        """Return the title and the text of a part for reasoning behind the trace, in at most so many seconds."""
        part = PartWriter(next(self._numbers), Step(0, len(text), text), lambda _: None, self._extractor)
        try:
            await part.write(self._source, self._task, self._seconds if seconds is None else seconds)
        finally:
            self._count(part)
        part.finish()
        return part.title, part.text

    async def _send_next(self) -> _SentPart:
        """Send the first part that has not been sent."""
        part, written = self._started[0]
        part.release()
        await written
        part.finish()
        self._started.popleft()
        self._count(part)
        return _SentPart(part.title, part.text, part.step.end)

    async def _send_whole(self, parts: Sequence[_SentPart]) -> _SentPart:
        """Send the only part that there is, or one for the whole trace, made from the texts of all."""
        if len(parts) == 1:
            for event in self._unsent:
                self._put(event)
            return parts[0]
        step = Step(0, parts[-1].end, "\n".join(part.text for part in parts))
        self._start(PartWriter(0, step, self._put, self._extractor, extract=" → ".join(part.title for part in parts)))
        return await self._send_next()

    def _count(self, part: PartWriter) -> None:
        self._sent_rejected += part.draft.rejected
        self._sent_usage += part.draft.usage

    def _add(self, steps: Sequence[Step]) -> None:
        for step in steps:
            self._enqueue(step)
            self._start_next()

    def _add_last(self, steps: Sequence[Step]) -> None:
        if not (self._awaited and self._last):
            self._add(steps)
            return
        for step in steps:
            self._enqueue(step)
        self._start_next(as_extract=self._waiting is not None and len(self._waiting.text) <= LARGEST)

    def _enqueue(self, step: Step) -> None:
        first = self._waiting
        if first is None and self._part_seconds is not None:
            self._due = asyncio.get_running_loop().time() + self._part_seconds
        # Only its ends are shown to anybody, and a step that waits may grow for as long as the trace does.
        text = both_ends(first.text + step.text, EXCERPT_CHARACTERS) if first else step.text
        self._waiting = Step(first.start if first else step.start, step.end, text)

    def _start_next(self, _: object = None, *, as_extract: bool = False) -> None:
        """Start the part that waits, if there is room. Called again whenever a part is done."""
        running = sum(not task.done() for _, task in self._started)
        if self._waiting is None or (running >= SIDE_BY_SIDE and not as_extract):
            return
        put = self._put if self._live else self._unsent.append
        part, self._waiting = PartWriter(next(self._numbers), self._waiting, put, self._extractor), None
        if as_extract:
            part.draft.expire()
        self._start(part)
        self._changed.set()

    def _start(self, part: PartWriter) -> None:
        if self._expired:
            part.draft.expire()
        last = self._last if part.index else None
        before = f"{last.title}\n{last.text}" if last and last.text else ""
        seconds = None if self._due is None else self._due - asyncio.get_running_loop().time()
        task = asyncio.create_task(part.write(self._source, replace(self._task, before=before), seconds))
        task.add_done_callback(self._start_next)
        self._started.append((part, task))
        self._last = part

    async def _stop(self) -> None:
        self._waiting = None  # so that a task that is done starts no other one
        if self._timer:
            self._timer.cancel()
        tasks = [task for _, task in self._started]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
