"""The session's side of one part of the reasoning summary: its turn, and an extract if no text arrives in time."""

from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

from gateway.events import Event, ReasoningSummaryDelta, ReasoningSummaryPart, Span
from gateway.summaries.excerpts import EXCERPT_CHARACTERS, both_ends
from gateway.summaries.extracts.extractor import Extractor
from gateway.summaries.protocol import PartTask, SummaryItem
from gateway.summaries.steps import Step
from gateway.summaries.timed_draft import TimedDraft

PartSource = Callable[[int, PartTask], AsyncGenerator[Sequence[SummaryItem]]]
"""Asks the Summarizer for the part with this index."""


class SentPart(NamedTuple):
    """The remains of a part that has been sent: a long trace has hundreds of them."""

    title: str
    text: str
    end: int


class _HeadOfLineBuffer:
    """Emits a part's text as deltas, but keeps it back until all parts before it have been sent."""

    def __init__(self, index: int, put: Callable[[Event], None]) -> None:
        self._index, self._put = index, put
        self._kept: list[str] = []
        self._released = False

    def add(self, text: str) -> None:
        if self._released:
            self._put(ReasoningSummaryDelta(index=self._index, delta=text))
        else:
            self._kept.append(text)

    def release(self) -> None:
        """Emit what has been kept back, and all further text at once."""
        self._released = True
        for text in self._kept:
            self.add(text)


class PartWriter:
    """One part being written: `write` in a task of its own, `release` when it is its turn, then `finish`.

    `extractor` is that of all parts of the trace. `extract` replaces the text of the extract made from the step. Until
    it is finished, `step` may be replaced by a longer one that says no more. A title that the model has finished is
    kept, though its text was late.
    """

    def __init__(
        self, index: int, step: Step, put: Callable[[Event], None], extractor: Extractor, extract: str = ""
    ) -> None:
        self.index, self.step, self._put, self._extractor, self._extract = index, step, put, extractor, extract
        self._buffer = _HeadOfLineBuffer(index, put)
        self.draft = TimedDraft(self._buffer.add)
        self._heading = ""
        self.began = 0.0  # on the loop's clock
        self.is_finished = False

    @property
    def text(self) -> str:
        return self.draft.text

    @property
    def title(self) -> str:
        return self._heading or self.draft.title or self._extractor.title(self.text)

    async def write(self, source: PartSource, task: PartTask, seconds: float | None = None) -> None:
        """Receive the part from the Summarizer, unless the deadline has passed. `task` is given the part's step.

        `seconds` is a deadline of this part's own.
        """
        if self.draft.expired:
            return
        task = replace(task, step=both_ends(self.step.text, EXCERPT_CHARACTERS))
        await self.draft.run(source(self.index, task), seconds)

    def release(self) -> None:
        """Emit the text from now on as it arrives, since all parts before this one have been sent."""
        self._buffer.release()

    def finish(self) -> None:
        """Emit an extract if no text has arrived, and the whole part."""
        self.is_finished = True
        written_by = self.draft.fall_back_to(self._make_extract)
        self._heading = self.title
        if written_by == "model":
            self._extractor.note(self.title, self.text)
        self._put(
            ReasoningSummaryPart(
                index=self.index,
                title=self.title,
                text=self.text,
                span=Span(start=self.step.start, end=self.step.end),
                written_by=written_by,
            )
        )

    def _make_extract(self) -> str:
        title, text = self._extractor.extract(self.step.text)
        self._heading = self.draft.title or title
        return self._extract or text
