"""The two summaries of a stream: of the prompt, and of the reasoning while it grows.

The order of their events among the others is `gateway.order`'s; the Summarizer writes them.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Protocol

from gateway.config import DeadlineSettings
from gateway.events import Event, PromptSummaryDelta, PromptSummaryDone, ReasoningSummaryDone, Usage
from gateway.requests.base import ReasoningOptions
from gateway.summaries.excerpts import (
    EXCERPT_CHARACTERS,
    both_ends,
    earlier_requests,
    evidence_of,
    is_its_own_summary,
    request_of,
    shown_turns,
)
from gateway.summaries.extracts.question import question_of
from gateway.summaries.headlines import Headlines
from gateway.summaries.masking import mask_of
from gateway.summaries.part_scheduler import PartScheduler
from gateway.summaries.protocol import PartTask, SummaryItem, SummaryUsage
from gateway.summaries.timed_draft import TimedDraft
from gateway.summaries.writing_time import WritingTime
from gateway.upstream import Message, UpstreamRequest


class Summarizer(Protocol):
    """Both methods yield batches of checked text, and a SummaryEnd as the last item.

    `language` is a tag, or `auto` for the language that the gateway is set to, or else that of the request.
    They may raise GatewayError, or end without a SummaryEnd: then the text so far is the summary, or an extract.
    """

    def prompt(
        self, request_id: str, messages: Sequence[Message], language: str
    ) -> AsyncGenerator[Sequence[SummaryItem]]: ...

    def part(self, request_id: str, task: PartTask) -> AsyncGenerator[Sequence[SummaryItem]]: ...


class StreamSummaries:
    """Run `write_prompt` and `write_reasoning` as tasks; `feed` the reasoning as it arrives, and `close` it.

    Events are passed to `put`. The summarizer's texts are masked by itself, extracts here if `mask_secrets`. If
    `options.summary` is "none", the summary of the reasoning is empty. With `parts_come_first` the trace waits for its
    parts, so each has a deadline. `writing` is what all streams know of the summarizer.
    """

    def __init__(
        self,
        request: UpstreamRequest,
        options: ReasoningOptions,
        summarizer: Summarizer,
        put: Callable[[Event], None],
        deadlines: DeadlineSettings,
        *,
        parts_come_first: bool = False,
        mask_secrets: bool = True,
        writing: WritingTime | None = None,
    ) -> None:
        self._id, self._messages = request.id, request.messages
        self._mask, self._writing = mask_of(mask_secrets=mask_secrets), writing
        self._summarizer, self._put, self._deadlines = summarizer, put, deadlines
        self._language, self._parts_come_first = options.summary_language, parts_come_first
        self._prompt = TimedDraft(lambda text: put(PromptSummaryDelta(delta=text)))
        self._parts = self._part_scheduler(options) if options.summary != "none" else None
        self._headlines = Headlines(self._parts, put) if self._parts and options.headline else None

    @property
    def rejected(self) -> int:
        """The number of the model's drafts that the grounding check has ended."""
        return self._prompt.rejected + (self._parts.rejected if self._parts else 0)

    @property
    def usage(self) -> SummaryUsage:
        """The tokens of both summaries, those of drafts that were thrown away among them."""
        return self._prompt.usage + (self._parts.usage if self._parts else SummaryUsage())

    def charged(self, usage: Usage) -> Usage:
        """Return the usage of the answer with that of its summaries."""
        cost = self.usage
        return replace(
            usage,
            summary_tokens=cost.tokens,
            summary_prompt_tokens=cost.prompt_tokens,
            summary_cached_tokens=cost.cached_tokens,
        )

    async def write_prompt(self) -> None:
        """Emit the summary of the prompt. A short prompt is its own summary; no model is asked."""
        if not is_its_own_summary(self._messages):
            source = self._summarizer.prompt(f"{self._id}-prompt", shown_turns(self._messages), self._language)
            await self._prompt.run(source, self._deadlines.prompt_summary)
        written_by = self._prompt.fall_back_to(lambda: self._mask(question_of(request_of(self._messages))))
        self._put(PromptSummaryDone(text=self._prompt.text, written_by=written_by))

    async def write_reasoning(self) -> None:
        """Emit the parts of the reasoning's summary until all have been sent, and its end."""
        text = await self._parts.run() if self._parts else ""
        self._put(ReasoningSummaryDone(text=text))

    async def write_late(self, text: str, seconds: float | None) -> str:
        """Return the summary of reasoning that came late, as one part; "" if no summary is asked for.

        It takes at most `seconds`, or its deadline.
        """
        if not self._parts:
            return ""
        title, summary = await self._parts.write_late(text, seconds)
        return f"**{title}**\n\n{summary}" if title else summary

    def feed(self, text: str) -> None:
        """Add text to the reasoning."""
        if self._parts:
            self._parts.feed(text)
        if self._headlines:
            self._headlines.feed(text)

    def close(self) -> None:
        """End the reasoning."""
        if self._parts:
            self._parts.close()

    def expire_prompt(self) -> None:
        """Let the deadline of the prompt's summary pass now."""
        self._prompt.expire()

    def expire(self) -> None:
        """Let all deadlines pass now."""
        self.expire_prompt()
        if self._parts:
            self._parts.expire()

    @contextmanager
    def expiring_in(self, seconds: float | None) -> Iterator[None]:
        """Let all deadlines pass after so many seconds of the context, or leave them as they are."""
        timer = None if seconds is None else asyncio.get_running_loop().call_later(seconds, self.expire)
        try:
            yield
        finally:
            if timer:
                timer.cancel()

    def _part_scheduler(self, options: ReasoningOptions) -> PartScheduler:
        return PartScheduler(
            partial(_request_part, self._summarizer, self._id),
            self._put,
            self._deadlines.reasoning_summary,
            share=self._deadlines.reasoning_summary_share,
            request=both_ends(request_of(self._messages), EXCERPT_CHARACTERS),
            earlier=earlier_requests(self._messages),
            language=self._language,
            evidence=evidence_of(self._messages),
            live=options.summary == "live",
            awaited=options.order == "strict",
            part_seconds=self._deadlines.heading if self._parts_come_first else None,
            mask=self._mask,
            writing=self._writing,
        )


def _request_part(summarizer: Summarizer, id: str, index: int, task: PartTask) -> AsyncGenerator[Sequence[SummaryItem]]:
    return summarizer.part(f"{id}-part-{index}", replace(task, trace=id))
