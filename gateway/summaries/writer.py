"""Summaries written by a model and checked while it writes: all that the Summarizer deployment does, without Ray.

    draft -> its sentences are checked one by one -> the first is rejected -> second draft -> rejected too -> extract

Deadlines and the order of the parts are the session's (`part_scheduler.py`).
"""

import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace

from gateway.errors import GatewayError
from gateway.events import WrittenBy
from gateway.reasoning import Segment
from gateway.summaries import extractive
from gateway.summaries.excerpts import evidence_of, request_of
from gateway.summaries.languages import AUTO
from gateway.summaries.part_check import PartCheck, PartDecoder, conversation_index
from gateway.summaries.prompts import part_request, prompt_request
from gateway.summaries.protocol import PartTask, SummaryEnd, SummaryItem, SummaryTitle
from gateway.summaries.sentence_gate import SentenceGate, SentenceLimit, Ungrounded
from gateway.upstream import Message, ParsedItem, UpstreamRequest

log = logging.getLogger(__name__)

Model = Callable[[UpstreamRequest], AsyncGenerator[Sequence[ParsedItem]]]


class SummaryWriter:
    """Writes summaries with `ask`, which sends a request to a model and yields its answer in batches.

    A failure of the model, as a GatewayError, ends the draft: the text so far is kept, or an extract is made.
    `language` is that of summaries for which none is asked.
    """

    def __init__(self, ask: Model, language: str = AUTO) -> None:
        self._ask, self._language = ask, language

    async def prompt(
        self, request_id: str, messages: Sequence[Message], language: str = AUTO
    ) -> AsyncGenerator[Sequence[SummaryItem]]:
        """Yield one sentence or two on what the conversation's last turn asks, in batches, and a SummaryEnd."""
        evidence = evidence_of(messages)
        draft = _Draft(SentenceGate(lambda sentence: conversation_index(evidence).unsupported_claims(sentence)))
        async with aclosing(
            draft.sentences(self._ask(prompt_request(request_id, messages, self._chosen(language))))
        ) as sentences:
            async for sentence in sentences:
                yield [sentence]
        if draft.text:
            yield [SummaryEnd(title="", written_by="model", rejected=draft.rejected)]
        else:
            yield _extract(extractive.first_sentence(request_of(messages)), "", draft.rejected)

    async def part(self, request_id: str, task: PartTask) -> AsyncGenerator[Sequence[SummaryItem]]:
        """Yield the part's title and checked sentences in batches, and a SummaryEnd."""
        task = replace(task, language=self._chosen(task.language))
        check = PartCheck(task)
        rejected, title = 0, None
        for second in (False, True):
            decoder = check.decoder()
            draft = _Draft(decoder)
            id = f"{request_id}-again" if second else request_id
            answer = self._ask(part_request(id, task, check.excerpt, second=second))
            async with aclosing(draft.sentences(answer)) as sentences:
                async for sentence in sentences:
                    if title is None:
                        title = check.checked_title(decoder.title)
                        yield [SummaryTitle(title), sentence]
                    else:
                        yield [sentence]
            rejected += draft.rejected
            if draft.text or not draft.rejected:
                break
        if draft.text:
            title = title or extractive.title(extractive.last_sentence(draft.text))
            yield [SummaryEnd(title=title, written_by="model", rejected=rejected)]
        else:
            extract = task.extract or extractive.first_and_last(check.excerpt)
            yield _extract(extract, extractive.heading(check.excerpt), rejected)

    def _chosen(self, language: str) -> str:
        return self._language if language == AUTO else language


class _Draft:
    """One answer of the model; `text` is what has been released of it, `rejected` 1 if the check has ended it."""

    def __init__(self, decoder: SentenceGate | PartDecoder) -> None:
        self._decoder = decoder
        self.text = ""
        self.rejected = 0

    async def sentences(self, answer: AsyncGenerator[Sequence[ParsedItem]]) -> AsyncGenerator[str]:
        """Yield checked text, never "". The answer is closed as soon as nothing more of it can be used."""
        try:
            async with aclosing(answer):
                async for items in answer:
                    if text := self._decoder.feed(_response_text(items)):
                        self.text += text
                        yield text
            if text := self._decoder.close():
                self.text += text
                yield text
        except SentenceLimit:
            pass
        except Ungrounded as error:
            self.rejected = 1
            log.info("a summary was rejected: %s", error)
        except GatewayError as error:
            log.warning("a summary failed: %s", error)


def _response_text(items: Sequence[ParsedItem]) -> str:
    return "".join(item.text for item in items if isinstance(item, Segment) and item.kind == "response")


def _extract(text: str, title: str, rejected: int) -> Sequence[SummaryItem]:
    """Return text and end as one batch, so that a deadline cannot separate them."""
    written_by: WrittenBy = "extract" if text else "none"
    end = SummaryEnd(title=title, written_by=written_by, rejected=rejected)
    return [text, end] if text else [end]
