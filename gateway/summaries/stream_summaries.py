"""The two summaries of a stream: of what is asked, and of the reasoning as it grows.

Knows nothing of when they may leave, nor of who writes them.
"""

from collections.abc import AsyncGenerator, Callable, Sequence
from functools import partial
from typing import Protocol

from gateway.config import DeadlineSettings
from gateway.events import Event, PromptSummaryDelta, PromptSummaryDone, ReasoningSummaryDone
from gateway.requests.base import ReasoningOptions
from gateway.summaries import extractive, prompts
from gateway.summaries.grounding import EvidenceIndex
from gateway.summaries.part_scheduler import Parts
from gateway.summaries.prompts import PartTask
from gateway.summaries.sentence_gate import SentenceGate
from gateway.summaries.timed_draft import Writing
from gateway.upstream import Message, UpstreamRequest


class Summarizer(Protocol):
    """Both yield text as it is written; both may raise GatewayError, and then an extract stands in."""

    def prompt(self, request_id: str, messages: Sequence[Message]) -> AsyncGenerator[Sequence[str]]: ...

    def part(self, request_id: str, task: PartTask) -> AsyncGenerator[Sequence[str]]: ...


class Summaries:
    """`write_prompt` and `write_reasoning` are tasks of the owner's; `feed` the reasoning as it comes, and `close` it.

    Events go to `put`. With `options.summary` none the reasoning's is empty, and `feed` costs nothing.
    """

    def __init__(
        self,
        asked: UpstreamRequest,
        options: ReasoningOptions,
        summarizer: Summarizer,
        put: Callable[[Event], None],
        deadlines: DeadlineSettings,
    ) -> None:
        self._id, self._messages = asked.id, asked.messages
        self._summarizer, self._put, self._deadlines = summarizer, put, deadlines
        self._prompt = Writing(lambda text: put(PromptSummaryDelta(delta=text)))
        self._known = _Known(asked.messages)
        self._parts = self._made_parts(options) if options.summary != "none" else None

    @property
    def ungrounded(self) -> int:
        """Summaries of which a sentence was not supported."""
        return self._prompt.ungrounded + (self._parts.failures if self._parts else 0)

    async def write_prompt(self) -> None:
        writing = self._prompt
        if not prompts.is_its_own_summary(self._messages):
            source = self._summarizer.prompt(f"{self._id}-prompt", self._messages)
            sentences = SentenceGate(lambda sentence: self._known().unsupported_claims(sentence))
            await writing.run(source, self._deadlines.prompt_summary, sentences.feed, sentences.close)
        written_by = writing.or_else(extractive.first_sentence(prompts.request_of(self._messages)))
        self._put(PromptSummaryDone(text=writing.text, written_by=written_by))

    async def write_reasoning(self) -> None:
        text = await self._parts.leave() if self._parts else ""
        self._put(ReasoningSummaryDone(text=text))

    def feed(self, text: str) -> None:
        if self._parts:
            self._parts.feed(text)

    def close(self) -> None:
        """The reasoning is over."""
        if self._parts:
            self._parts.close()

    def hurry(self) -> None:
        """Let all deadlines be now."""
        self._prompt.hurry()
        if self._parts:
            self._parts.hurry()

    def _made_parts(self, options: ReasoningOptions) -> Parts:
        return Parts(
            partial(_ask_part, self._summarizer, self._id),  # a method of ours would hold all this in a cycle
            self._put,
            self._deadlines.reasoning_summary,
            request=prompts.request_of(self._messages),
            known=self._known,
            live=options.summary == "live",
            awaited=options.order == "strict",
        )


class _Known:
    """What is asked, to hold summaries against: made once, and only where one has to be.

    `functools.cache` would do it for 1 KB of each stream.
    """

    def __init__(self, messages: Sequence[Message]) -> None:
        self._messages = messages
        self._ground: EvidenceIndex | None = None

    def __call__(self) -> EvidenceIndex:
        self._ground = self._ground or EvidenceIndex([prompts.source(self._messages)])
        return self._ground


def _ask_part(summarizer: Summarizer, id: str, index: int, task: PartTask) -> AsyncGenerator[Sequence[str]]:
    return summarizer.part(f"{id}-part-{index}{'-again' if task.again else ''}", task)
