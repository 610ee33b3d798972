"""One part of the reasoning summary: a step written down, each sentence checked, and where that fails an extract.

    step -> written -> each sentence checked against the step and the prompt
               `-> one that fails first: written once more, colder -> fails again: an extract

Its text is kept back until all parts before it have left. Knows nothing of models or of how a step is put to one.
"""

from collections.abc import AsyncGenerator, Callable, Sequence
from functools import cached_property

from gateway.events import Event, ReasoningSummaryDelta, ReasoningSummaryPart, Span
from gateway.summaries import extractive
from gateway.summaries.grounding import EvidenceIndex
from gateway.summaries.prompts import NARRATED, PartTask, shown
from gateway.summaries.sentence_gate import PartReader, SentenceGate
from gateway.summaries.steps import Step
from gateway.summaries.timed_draft import Writing

SHORTEST, SHORTEST_SHARE = 40, 16
"""Characters that a model must at least write of a step; of a short step, one for each sixteen of its own."""

Ask = Callable[[int, PartTask], AsyncGenerator[Sequence[str]]]
"""The index of a part and what it is about, to what a model writes of it: a title line, then text."""


class _Reading:
    """What a model writes of a part, its title apart and its sentences checked."""

    def __init__(self, check: Callable[[str], Sequence[str]], least: int) -> None:
        self._reader, self._sentences = PartReader(), SentenceGate(check, least)

    @property
    def title(self) -> str:
        return self._reader.title

    def feed(self, text: str) -> str:
        return self._sentences.feed(self._reader.feed(text))

    def close(self) -> str:
        return self._sentences.feed(self._reader.close()) + self._sentences.close()


class _Voice:
    """What a part says, kept back until all before it have left."""

    def __init__(self, index: int, put: Callable[[Event], None]) -> None:
        self._index, self._put = index, put
        self._kept: list[str] = []
        self._heads = False

    def say(self, text: str) -> None:
        if self._heads:
            self._put(ReasoningSummaryDelta(index=self._index, delta=text))
        else:
            self._kept.append(text)

    def head(self) -> None:
        self._heads = True
        for text in self._kept:
            self.say(text)


class Part:
    """One part being written. It is in no cycle of references: what a long trace leaves behind is freed at once."""

    def __init__(
        self, index: int, step: Step, put: Callable[[Event], None], known: Callable[[], EvidenceIndex]
    ) -> None:
        self.index, self.step, self._put, self._known = index, step, put, known
        self._voice = _Voice(index, put)
        self.writing = Writing(self._voice.say)
        self.source = shown(step.text)
        self.title, self.extract = "", extractive.first_and_last(self.source)
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
        self._voice.head()

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
        claims = self._ground.unsupported_claims(text)
        known = set(self._known().unsupported_claims(text)) if claims else ()
        return [claim for claim in claims if claim in known]

    def _wrong(self, sentence: str, before: str) -> list[str]:
        if sentence.strip() in before or NARRATED.match(sentence):
            return [sentence]
        return self.missing(sentence)

    @property
    def _least(self) -> int:
        return min(SHORTEST, len(self.source) // SHORTEST_SHARE)

    @cached_property
    def _ground(self) -> EvidenceIndex:
        return EvidenceIndex([self.source])
