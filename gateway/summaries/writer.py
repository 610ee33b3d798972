"""Summaries written by a model and checked while it writes: all that the Summarizer deployment does, without Ray.

    draft of the whole step -> its sentences are checked one by one -> rejected, or borne weakly
        -> draft of its key sentences -> checked likewise -> the one that is borne better, or no text

A summary without text ends all the same: the session makes an extract, and knows what has been said. Deadlines and the
order of the parts are the session's (`part_scheduler.py`).
"""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from functools import partial

from gateway.errors import BeforeFirstByte
from gateway.summaries.breaker import Breaker
from gateway.summaries.draft import Draft
from gateway.summaries.earlier_steps import EarlierSteps
from gateway.summaries.excerpts import evidence_of, request_of
from gateway.summaries.languages import AUTO
from gateway.summaries.masking import Mask, masked
from gateway.summaries.part_check import PartCheck, conversation_index
from gateway.summaries.part_draft import DRAFTS, PartDraft
from gateway.summaries.prompt_check import PromptCheck
from gateway.summaries.prompts import prompt_request
from gateway.summaries.protocol import PartTask, SummaryCandidate, SummaryEnd, SummaryItem, SummaryTitle, SummaryUsage
from gateway.summaries.sentence_gate import SentenceGate
from gateway.summaries.token_meter import TokenMeter
from gateway.summaries.usability import Usability
from gateway.upstream import Message, ParsedItem, UpstreamRequest

Model = Callable[[UpstreamRequest], AsyncGenerator[Sequence[ParsedItem]]]

ENOUGH = 0.8
"""Support of a draft by its step (`PartCheck.support`) from which no other one is written."""


class SummaryWriter:
    """Writes summaries with `ask`, which sends a request to a model and yields its answer in batches.

    A failure of the model, as a GatewayError, ends the draft: the text so far is kept. A failure before the first byte
    is asked again once, unless it is not the first in a row; the `breaker` says so. `language` is that of summaries for
    which none is asked. `count` is called with the tokens of each draft that has ended. `mask` is what each text goes
    through at last. `in_order` is that of a `PartCheck`.
    """

    def __init__(
        self,
        ask: Model,
        language: str = AUTO,
        breaker: Breaker | None = None,
        usability: Usability | None = None,
        count: Callable[[SummaryUsage], None] = lambda _: None,
        mask: Mask = masked,
        in_order: bool = False,
    ) -> None:
        self._model, self._language, self._breaker, self._count, self._mask = ask, language, breaker, count, mask
        self._in_order = in_order
        self._usability = usability or Usability()
        self._earlier = EarlierSteps()

    async def prompt(
        self, request_id: str, messages: Sequence[Message], language: str = AUTO
    ) -> AsyncGenerator[Sequence[SummaryItem]]:
        """Yield one sentence or two on what the conversation's last turn asks, in batches, and a SummaryEnd."""
        meter, evidence = TokenMeter(self._count), evidence_of(messages)
        check = PromptCheck(request_of(messages), partial(conversation_index, evidence))
        draft = Draft(SentenceGate(check.problems), self._usability.note)
        request = prompt_request(request_id, messages, self._chosen(language))
        async with aclosing(draft.sentences(self._ask(request, meter))) as sentences:
            async for sentence in sentences:
                items: list[SummaryItem] = [*self._shown(sentence), *meter.report()]
                if items:
                    yield items
        yield [meter.usage, SummaryEnd(title="", rejected=draft.rejected)]

    async def part(self, request_id: str, task: PartTask) -> AsyncGenerator[Sequence[SummaryItem]]:
        """Yield the part's title and checked sentences in batches, and a SummaryEnd.

        The title is yielded before the first sentence is whole, and may be replaced; an empty one takes it back. A
        draft that the step bears well is yielded as it is written, another one only if no better one follows: until
        then it is a SummaryCandidate.
        """
        task = replace(task, language=self._chosen(task.language))
        check = PartCheck(task, self._earlier, in_order=self._in_order)
        rejected, meter, title = 0, TokenMeter(self._count), ""
        weak: PartDraft | None = None
        for number in range(DRAFTS):
            draft, sent = PartDraft(check, number, self._usability.note), 0
            async with aclosing(draft.sentences(self._ask(draft.request(request_id, task), meter))) as sentences:
                async for sentence in sentences:
                    items: list[SummaryItem] = [*meter.report()]
                    is_sent = sent or (sentence and draft.support >= ENOUGH)
                    if is_sent and sentence:
                        items.insert(0, self._mask(draft.text[sent:]))
                        sent = len(draft.text)
                    if (not title or is_sent) and (shown := self._mask(draft.title)) != title:
                        items.insert(0, SummaryTitle(title := shown))
                    if items:
                        yield items
            rejected += draft.rejected
            if sent:
                weak = None
                break
            if draft.text and (weak is None or draft.support > weak.support):
                weak, title = draft, self._mask(draft.title)
                yield [SummaryTitle(title), SummaryCandidate(self._mask(draft.text))]
            elif not (draft.rejected or draft.text):
                break
            elif title and weak is None:
                yield [SummaryTitle(title := "")]
        if weak:
            title = self._mask(weak.title)
            yield [SummaryTitle(title), self._mask(weak.text)]
        yield [meter.usage, SummaryEnd(title=title, rejected=rejected)]

    def _shown(self, sentence: str) -> list[str]:
        return [self._mask(sentence)] if sentence else []

    def _chosen(self, language: str) -> str:
        return self._language if language == AUTO else language

    async def _ask(self, request: UpstreamRequest, meter: TokenMeter) -> AsyncGenerator[Sequence[ParsedItem]]:
        """Yield the model's answer, of a second call if the first one in a row fails before its first byte."""
        asks_again = self._breaker is not None and self._breaker.failures == 0
        try:
            async with aclosing(self._call(request, meter)) as answer:
                async for items in answer:
                    yield items
        except BeforeFirstByte as error:
            if not asks_again or error.retry_after is not None:
                raise
        else:
            return
        async with aclosing(self._call(request, meter)) as answer:
            async for items in answer:
                yield items

    def _call(self, request: UpstreamRequest, meter: TokenMeter) -> AsyncGenerator[Sequence[ParsedItem]]:
        answer = meter.metered(request, self._model(request))
        return self._breaker.guard(answer) if self._breaker else answer
