"""Summaries written by a model and checked while it writes: all that the Summarizer deployment does, without Ray.

    draft -> its sentences are checked one by one -> the first is rejected -> further drafts -> rejected too -> no text

A summary without text ends all the same: the session makes an extract, and knows what has been said. Deadlines and the
order of the parts are the session's (`part_scheduler.py`).
"""

import logging
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from functools import partial

from gateway.errors import BeforeFirstByte, GatewayError
from gateway.reasoning import Segment
from gateway.summaries.breaker import Breaker, Resting
from gateway.summaries.earlier_steps import EarlierSteps
from gateway.summaries.excerpts import evidence_of, request_of
from gateway.summaries.languages import AUTO
from gateway.summaries.masking import Mask, masked
from gateway.summaries.part_check import PartCheck, PartDecoder, conversation_index
from gateway.summaries.prompt_check import PromptCheck
from gateway.summaries.prompts import part_request, prompt_request
from gateway.summaries.protocol import PartTask, SummaryEnd, SummaryItem, SummaryTitle, SummaryUsage
from gateway.summaries.race import race
from gateway.summaries.sentence_gate import SentenceGate, SentenceLimit, Ungrounded
from gateway.summaries.token_meter import TokenMeter
from gateway.summaries.usability import Reason, Usability
from gateway.upstream import Finished, Message, ParsedItem, UpstreamRequest

log = logging.getLogger(__name__)

Model = Callable[[UpstreamRequest], AsyncGenerator[Sequence[ParsedItem]]]
FURTHER_DRAFTS = 3
"""Drafts that a model of the cluster writes side by side if its first one of a part is rejected. They share its prompt,
and a step of several takes little longer than one of one; by an API each of them is paid for."""
SLOW_SECONDS = 1.0
"""A draft that is closed without text after this many seconds was too slow; sooner, its client may have left."""


class SummaryWriter:
    """Writes summaries with `ask`, which sends a request to a model and yields its answer in batches.

    A failure of the model, as a GatewayError, ends the draft: the text so far is kept. A failure
    before the first byte is asked again once, unless it is not the first in a row; the `breaker` says so. `language` is
    that of summaries for which none is asked. `count` is called with the tokens of each draft that has ended. `mask` is
    what each text goes through at last. If a part's first draft is rejected, so many `further` ones are written side by
    side, and the first to have a sentence that stands is taken.
    """

    def __init__(
        self,
        ask: Model,
        language: str = AUTO,
        breaker: Breaker | None = None,
        usability: Usability | None = None,
        count: Callable[[SummaryUsage], None] = lambda _: None,
        mask: Mask = masked,
        further: int = 1,
    ) -> None:
        self._model, self._language, self._breaker, self._count, self._mask = ask, language, breaker, count, mask
        self._further = further
        self._usability = usability or Usability()
        self._earlier = EarlierSteps()

    async def prompt(
        self, request_id: str, messages: Sequence[Message], language: str = AUTO
    ) -> AsyncGenerator[Sequence[SummaryItem]]:
        """Yield one sentence or two on what the conversation's last turn asks, in batches, and a SummaryEnd."""
        meter, evidence = TokenMeter(self._count), evidence_of(messages)
        check = PromptCheck(request_of(messages), partial(conversation_index, evidence))
        draft = self._draft(SentenceGate(check.problems))
        request = prompt_request(request_id, messages, self._chosen(language))
        async with aclosing(draft.sentences(self._ask(request, meter))) as sentences:
            async for sentence in sentences:
                items: list[SummaryItem] = [*self._shown(sentence), *meter.report()]
                if items:
                    yield items
        yield [meter.usage, SummaryEnd(title="", rejected=draft.rejected)]

    async def part(self, request_id: str, task: PartTask) -> AsyncGenerator[Sequence[SummaryItem]]:
        """Yield the part's title and checked sentences in batches, and a SummaryEnd.

        The title is yielded before the first sentence is whole. An empty one takes it back if the draft is rejected.
        """
        task = replace(task, language=self._chosen(task.language))
        check = PartCheck(task, self._earlier)
        rejected, meter = 0, TokenMeter(self._count)
        title: str | None = None
        for numbers in range(1), range(1, 1 + self._further):
            decoders = [check.decoder(further=number > 0) for number in numbers]
            drafts = [self._draft(decoder) for decoder in decoders]
            answers = [self._ask(part_request(request_id, task, check.excerpt, number), meter) for number in numbers]
            texts = [draft.sentences(answer) for draft, answer in zip(drafts, answers, strict=True)]
            async with aclosing(race(texts)) as pieces:
                async for place, sentence in pieces:
                    items: list[SummaryItem] = [*self._shown(sentence), *meter.report()]
                    if sentence:
                        _leave_all_but(drafts[place], drafts)
                    if title is None and (sentence or (len(drafts) == 1 and decoders[place].title)):
                        title = self._mask(check.checked_title(decoders[place].title))
                        items[:0] = [SummaryTitle(title)] if title else []
                    if items:
                        yield items
            rejected += sum(draft.rejected for draft in drafts)
            if any(draft.text or not draft.rejected for draft in drafts):
                break
            if title:
                yield [SummaryTitle("")]
            title = None
        yield [meter.usage, SummaryEnd(title=title or "", rejected=rejected)]

    def _shown(self, sentence: str) -> list[str]:
        return [self._mask(sentence)] if sentence else []

    def _chosen(self, language: str) -> str:
        return self._language if language == AUTO else language

    def _draft(self, decoder: SentenceGate | PartDecoder) -> "_Draft":
        return _Draft(decoder, self._usability.note)

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


class _Draft:
    """One answer of the model; `text` is what has been released of it, `rejected` 1 if the check has ended it.

    `note` is called at the end with the reason for which no text was released, or None; not if it was left, since
    another one was faster.
    """

    def __init__(self, decoder: SentenceGate | PartDecoder, note: Callable[[Reason | None, str], None]) -> None:
        self._decoder, self._note = decoder, note
        self._responded = self._reasoned = self._left = False
        self.text = ""
        self.rejected = 0

    def leave(self) -> None:
        """Note nothing of it from now on."""
        self._left = True

    async def sentences(self, answer: AsyncGenerator[Sequence[ParsedItem]]) -> AsyncGenerator[str]:
        """Yield checked text, "" for a batch that releases none. The answer is closed as soon as nothing more of it can
        be used."""
        began = time.monotonic()
        reason: Reason | None = None
        detail = ""
        cut = False
        try:
            async with aclosing(answer):
                async for items in answer:
                    cut = any(isinstance(item, Finished) and item.finish_reason == "length" for item in items)
                    text = self._decoder.feed(self._response_text(items))
                    self.text += text
                    yield text
            if text := self._decoder.close(cut):
                self.text += text
                yield text
            reason = self._silence() or "empty"
        except SentenceLimit:
            pass
        except Ungrounded as error:
            self.rejected = 1
            reason, detail = self._silence() or "rejected", str(error)
            log.info("a summary was rejected: %s", error)
        except GatewayError as error:
            reason, detail = "resting" if isinstance(error, Resting) else "failed", str(error)
            log.info("a summary failed: %s", error)
        except BaseException:
            if time.monotonic() - began >= SLOW_SECONDS:
                reason = "deadline"
            raise
        finally:
            if self._left:
                pass
            elif self.text:
                self._note(None, "")
            elif reason:
                self._note(reason, detail)

    def _response_text(self, items: Sequence[ParsedItem]) -> str:
        segments = [item for item in items if isinstance(item, Segment)]
        self._reasoned |= any(segment.kind == "reasoning" for segment in segments)
        text = "".join(segment.text for segment in segments if segment.kind == "response")
        self._responded |= bool(text.strip())
        return text

    def _silence(self) -> Reason | None:
        """Return in which way the model said nothing, if it did."""
        return None if self._responded else "only_reasoning" if self._reasoned else "empty"


def _leave_all_but(draft: _Draft, drafts: Sequence[_Draft]) -> None:
    for other in drafts:
        if other is not draft:
            other.leave()
