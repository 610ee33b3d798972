"""The reasoning summary: the steps of a trace are summarized side by side while it grows, and the parts sent in order.

The work is bounded however fast the trace is: `SIDE_BY_SIDE` parts are written at a time, and steps that wait for one
of them to end are merged. A slow writer has one part at a time, so that it writes fewer and larger ones. An idle writer
begins a part before its step is over: what the step has behind that belongs to the part if it brings nothing new, else
to the next one, which an idle writer may begin before the step is over, too. Steps that say again what the last ones
said wait for one that does not: a model that goes round in circles has no parts by it.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import count

from gateway.events import Event
from gateway.summaries.excerpts import EXCERPT_CHARACTERS
from gateway.summaries.extracts.extractor import Extractor
from gateway.summaries.languages import AUTO
from gateway.summaries.masking import Mask, masked
from gateway.summaries.novelty import brings_something_new
from gateway.summaries.part_writer import PartSource, PartWriter, SentPart
from gateway.summaries.protocol import PartTask, SummaryUsage
from gateway.summaries.step_queue import StepQueue, joined
from gateway.summaries.steps import LARGEST, Step
from gateway.summaries.writing_time import WritingTime

SIDE_BY_SIDE = 4
"""Maximum number of parts that are written at a time."""
SLOW_SECONDS = 3.0
"""A writer that takes longer for a part has one part at a time, as long as what waits can be shown whole to the model:
as a rule it shares a machine's cores between all that it writes."""
SHORT_REST = 200
"""A rest of the trace of at most this many characters is an extract at once if the response waits for it."""
LAST_STEPS = 4
"""Stretches of the trace with parts of their own that a further one is compared with."""
LEAVING_SECONDS = 0.05
"""Seconds before the deadline at which unfinished parts are abandoned, so that their extracts are sent in time even on
a busy machine."""


class PartScheduler:
    """`feed` the trace as it grows, then `close`; `run` sends the parts meanwhile, in a task of the owner's.

    `request`, `earlier`, `language` and `evidence` go into each `PartTask`. `seconds` after the end of the trace, or a
    `share` of the time that it took if that is more, all parts have been sent, as extracts if they are not written. If
    the response waits for the summary (`awaited`), the rest of the trace is an extract at once if it is short or would
    be late. `part_seconds` is how long each part may take, from the end of its (first) step; None for as long as the
    trace does. If `live` is false, nothing is sent before the end, and then one part made from all parts. `mask` is for
    extracts. `writing` is what all streams know of the writer.
    """

    def __init__(
        self,
        source: PartSource,
        put: Callable[[Event], None],
        seconds: float,
        *,
        share: float = 0.0,
        request: str,
        earlier: tuple[str, ...] = (),
        language: str = AUTO,
        evidence: tuple[str, ...] = (),
        live: bool = True,
        awaited: bool = True,
        part_seconds: float | None = None,
        mask: Mask = masked,
        writing: WritingTime | None = None,
    ) -> None:
        self._source, self._put, self._seconds, self._share = source, put, seconds, share
        self._writing = writing or WritingTime()
        self._task = PartTask(step="", request=request, earlier=earlier, language=language, evidence=evidence)
        self.extractor = Extractor(request, language, mask)
        self._live, self._awaited, self._part_seconds = live, awaited, part_seconds
        self._due: float | None = None  # of the step that waits, on the loop's clock
        self._unsent: list[Event] = []  # the events of the parts, if they are not live
        self._queue = StepQueue()
        self._numbers = count()
        self._started = deque[tuple[PartWriter, asyncio.Task[None]]]()  # and not sent yet
        self.newest: PartWriter | None = None  # the one that was started last
        self._last_steps = deque[str](maxlen=LAST_STEPS)
        self._began: float | None = None  # on the loop's clock, the trace
        self._sent_rejected, self._sent_usage = 0, SummaryUsage()
        self._changed = asyncio.Event()
        self._closed = self._expired = self._stopped = False
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
        self._began = _now() if self._began is None else self._began
        for step in self._queue.feed(text):
            self._add(step)
            self._start_next()
        self._start_early()

    def close(self) -> None:
        """End the trace, and start the deadline."""
        thought = 0.0 if self._began is None else _now() - self._began
        seconds = max(self._seconds, self._share * thought)
        for step in self._queue.close():
            self._add(step)
            if not self._awaited:
                self._start_next()
        self._queue.drop_blank()
        self._closed = True
        self._start_next(as_extract=self._is_too_late(seconds))
        self._changed.set()
        self._timer = asyncio.get_running_loop().call_later(seconds - LEAVING_SECONDS, self.expire)

    def expire(self) -> None:
        """Let the deadline pass now."""
        self._expired = True
        for part, _ in self._started:
            part.draft.expire()

    async def run(self) -> str:
        """Send the parts in order, and return their text. If it is cancelled, so are the parts being written."""
        sent: list[SentPart] = []
        try:
            while self._started or self._queue.waiting or not self._closed:
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
        part = PartWriter(next(self._numbers), Step(0, len(text), text), lambda _: None, self.extractor)
        try:
            await part.write(self._source, self._task, self._seconds if seconds is None else seconds)
        finally:
            self._count(part)
        part.finish()
        return part.title, part.text

    async def _send_next(self) -> SentPart:
        """Send the first part that has not been sent."""
        part, written = self._started[0]
        part.release()
        await written
        part.finish()
        self._started.popleft()
        self._count(part)
        return SentPart(part.title, part.text, part.step.end)

    async def _send_whole(self, parts: Sequence[SentPart]) -> SentPart:
        """Send the only part that there is, or one for the whole trace, made from the texts of all."""
        if len(parts) == 1:
            for event in self._unsent:
                self._put(event)
            return parts[0]
        step = Step(0, parts[-1].end, "\n".join(part.text for part in parts))
        self._start(PartWriter(0, step, self._put, self.extractor, extract=" → ".join(part.title for part in parts)))
        return await self._send_next()

    def _count(self, part: PartWriter) -> None:
        self._sent_rejected += part.draft.rejected
        self._sent_usage += part.draft.usage

    def _add(self, step: Step) -> None:
        """Add a step to what waits, or its rest to the part that was started early if that can have it."""
        rest, last = self._queue.rest(step), self.newest
        is_early = rest.start > step.start and any(last is part for part, _ in self._started)
        if last and is_early and not brings_something_new(rest.text, last.step.text):
            last.step = joined(last.step, rest)
            self._queue.skip(rest)
            return
        self._set_due()
        self._queue.add(step)

    def _start_early(self) -> None:
        """Start a part for what there is if that is long enough, and no other one is being written."""
        if self._live and not self._running:
            self._set_due()
            if self._queue.grow():
                self._start_next()

    def _set_due(self) -> None:
        if self._part_seconds is not None and self._queue.waiting is None:
            self._due = _now() + self._part_seconds

    def _start_next(self, *, as_extract: bool = False) -> None:
        """Start the part that waits, if there is room. Called again whenever a part is done."""
        if not self._queue.is_ready or not (as_extract or (self._has_room() and self._says_something_new())):
            return
        put = self._put if self._live else self._unsent.append
        step = self._queue.take()
        self._last_steps.append(step.text)
        part = PartWriter(next(self._numbers), step, put, self.extractor)
        if as_extract:
            part.draft.expire()
        self._start(part)
        self._changed.set()

    @property
    def _running(self) -> list[float]:
        """The seconds for which each of the parts that are being written has been."""
        return [_now() - part.began for part, task in self._started if not task.done()]

    def _has_room(self) -> bool:
        """Return True if a part may be started beside those that are being written."""
        running = self._running
        if not running or len(running) >= SIDE_BY_SIDE:
            return not running
        is_slow = max(self._writing.seconds, *running) > SLOW_SECONDS
        return not is_slow or self._closed or self._queue.size >= EXCERPT_CHARACTERS

    def _says_something_new(self) -> bool:
        """Return True if what waits deserves a part: at the end, or if somebody waits for it, it does anyhow."""
        if self._closed or self._part_seconds is not None or not self._last_steps or self._queue.waiting is None:
            return True
        return brings_something_new(self._queue.waiting.text, "\n".join(self._last_steps))

    def _is_too_late(self, seconds: float) -> bool:
        """Return True if the rest of a trace is not worth waiting for: short, or not written within the seconds."""
        short = SHORT_REST if self._live else LARGEST  # which is summarized again, with all the others
        is_short = self.newest is not None and self._queue.size <= short
        return self._awaited and (is_short or self._writing.seconds >= seconds - LEAVING_SECONDS)

    def _start(self, part: PartWriter) -> None:
        if self._expired:
            part.draft.expire()
        last = self.newest if part.index else None
        before = f"{last.title}\n{last.text}" if last and last.text else ""
        part.began = _now()
        seconds = None if self._due is None else self._due - part.began
        task = asyncio.create_task(part.write(self._source, replace(self._task, before=before), seconds))
        task.add_done_callback(lambda _: self._note(part))
        self._started.append((part, task))
        self.newest = part

    def _note(self, part: PartWriter) -> None:
        """Note how long a part has taken, and start the next."""
        if part.text or part.draft.expired:
            self._writing.note(_now() - part.began, whole=bool(part.text))
        if not self._stopped:
            self._start_next()

    async def _stop(self) -> None:
        self._stopped = True  # so that a task that is done starts no other one
        if self._timer:
            self._timer.cancel()
        tasks = [task for _, task in self._started]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _now() -> float:
    return asyncio.get_running_loop().time()
