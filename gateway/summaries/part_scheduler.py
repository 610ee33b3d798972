"""The reasoning summary: the steps of a trace summarized side by side as it grows, leaving in order.

Bounded however fast the trace is: `SIDE_BY_SIDE` parts are written at once, and the steps that wait are merged. What
becomes of a step is `part.py`'s to say.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from itertools import count
from typing import NamedTuple

from gateway.events import Event
from gateway.summaries.grounding import EvidenceIndex
from gateway.summaries.part_writer import Ask, Part
from gateway.summaries.steps import LARGEST, Step, Steps
from gateway.wakeup import Wakeup

SIDE_BY_SIDE = 4
LEAVING_SECONDS = 0.05
"""Before the deadline what is being written stops, so that all has left by then though all cores are busy."""


class _Left(NamedTuple):
    """What is kept of a part that has left: a long trace has hundreds of them."""

    title: str
    text: str
    end: int


class Parts:
    """`feed` the trace as it comes, `close` it; `leave` is a task of the owner's that runs all along.

    `request` is what the trace is about, `known` makes what a part may take from the conversation. At the end of the
    trace a short rest is an extract at once where the response waits for it (`awaited`); `seconds` later all parts have
    left, as extracts where nothing is written. With `live` false the parts stay inside, and one that is made from all
    of them leaves in the end.
    `failures` counts the writings that the check has ended.
    """

    def __init__(
        self,
        ask: Ask,
        put: Callable[[Event], None],
        seconds: float,
        *,
        request: str,
        known: Callable[[], EvidenceIndex],
        live: bool = True,
        awaited: bool = True,
    ) -> None:
        self._ask, self._put, self._seconds = ask, put, seconds
        self._request, self._known = request, known
        self._live, self._awaited = live, awaited
        self._inside: list[Event] = []
        self._steps = Steps()
        self._waiting: Step | None = None
        self._numbers = count()
        self._begun = deque[tuple[Part, asyncio.Task[None]]]()  # and not yet left
        self._last: Part | None = None
        self._failed = 0
        self._changed = Wakeup()
        self._closed = self._hurried = False
        self._timer: asyncio.TimerHandle | None = None

    @property
    def failures(self) -> int:
        return self._failed + sum(part.failures for part, _ in self._begun)

    def feed(self, text: str) -> None:
        self._add(self._steps.feed(text))

    def close(self) -> None:
        """The trace is over."""
        self._add_last(self._steps.close())
        self._closed = True
        self._changed.set()
        self._timer = asyncio.get_running_loop().call_later(self._seconds - LEAVING_SECONDS, self.hurry)

    def hurry(self) -> None:
        """Let the deadline be now."""
        self._hurried = True
        for part, _ in self._begun:
            part.writing.hurry()

    async def leave(self) -> str:
        """Let the parts leave in order; gives their text. Cancelling it cancels what is being written."""
        left: list[_Left] = []
        try:
            while self._begun or self._waiting or not self._closed:
                if not self._begun:
                    self._changed.clear()
                    await self._changed.wait()
                    continue
                left.append(await self._next())
            if not self._live and left:
                left = [await self._whole(left)]
            return "\n\n".join(part.text for part in left)
        finally:
            await self._stop()

    async def _next(self) -> _Left:
        """Let the first part that has not left do so."""
        part, written = self._begun[0]
        part.head()
        await written
        part.finish()
        self._begun.popleft()
        self._failed += part.failures
        return _Left(part.title, part.text, part.step.end)

    async def _whole(self, parts: Sequence[_Left]) -> _Left:
        """The only part there is, or one for the whole trace, made from the texts of all."""
        if len(parts) == 1:
            for event in self._inside:
                self._put(event)
            return parts[0]
        step = Step(0, parts[-1].end, "\n".join(part.text for part in parts))
        whole = Part(0, step, self._put, self._known)
        whole.extract = " → ".join(part.title for part in parts)
        self._start(whole)
        return await self._next()

    def _add(self, steps: Sequence[Step]) -> None:
        for step in steps:
            self._wait(step)
            self._begin()

    def _add_last(self, steps: Sequence[Step]) -> None:
        if not (self._awaited and self._last):
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
        part, self._waiting = Part(next(self._numbers), self._waiting, put, self._known), None
        if extract:
            part.writing.hurry()
        self._start(part)
        self._changed.set()

    def _start(self, part: Part) -> None:
        if self._hurried:
            part.writing.hurry()
        last = self._last if part.index else None
        before = f"{last.title}\n{last.text}" if last and last.text else ""
        task = asyncio.create_task(part.write(self._ask, self._request, before))
        task.add_done_callback(self._begin)
        self._begun.append((part, task))
        self._last = part

    async def _stop(self) -> None:
        self._waiting = None
        if self._timer:
            self._timer.cancel()
        tasks = [task for _, task in self._begun]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
