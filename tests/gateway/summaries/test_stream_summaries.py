"""The two summaries of a stream over a Summarizer: what it is asked, and what is emitted if it fails."""

import asyncio
from collections.abc import AsyncGenerator, Sequence

import pytest

from gateway.config import DeadlineSettings
from gateway.errors import NotReady
from gateway.events import Event, PromptSummaryDelta, PromptSummaryDone, ReasoningSummaryDone
from gateway.requests.base import ReasoningOptions
from gateway.summaries.protocol import PartTask, SummaryItem
from gateway.summaries.stream_summaries import StreamSummaries, Summarizer
from gateway.upstream import Message, UpstreamRequest
from tests.fakes.session import ScriptedSummarizer

PROMPT = "What is six times seven? Tell me."
TRACE = "Six times seven. That is 42."


class Unreachable:
    """A Summarizer none of whose replicas is there."""

    async def prompt(
        self, request_id: str, messages: Sequence[Message], language: str
    ) -> AsyncGenerator[Sequence[SummaryItem]]:
        raise NotReady("not there")
        yield []

    async def part(self, request_id: str, task: PartTask) -> AsyncGenerator[Sequence[SummaryItem]]:
        raise NotReady("not there")
        yield []


def summaries(
    summarizer: Summarizer, put: list[Event], prompt: str = PROMPT, *, mask_secrets: bool = True, **options: str
) -> StreamSummaries:
    request = UpstreamRequest(id="rsn-1", messages=(Message(role="user", content=prompt),))
    reasoning = ReasoningOptions.model_validate(options)
    return StreamSummaries(request, reasoning, summarizer, put.append, DeadlineSettings(), mask_secrets=mask_secrets)


async def written(running: StreamSummaries, trace: str = TRACE) -> None:
    reasoning = asyncio.create_task(running.write_reasoning())
    await running.write_prompt()
    running.feed(trace)
    running.close()
    await reasoning


async def test_both_summaries_are_written_by_the_summarizer() -> None:
    put, summarizer = list[Event](), ScriptedSummarizer(part=["Title\n", "So it is 42."])
    await written(running := summaries(summarizer, put))
    assert [event for event in put if isinstance(event, PromptSummaryDelta | PromptSummaryDone)] == [
        PromptSummaryDelta(delta="You ask this."),
        PromptSummaryDone(text="You ask this.", written_by="model"),
    ]
    assert put[-1] == ReasoningSummaryDone(text="So it is 42.")
    assert [request.id for request in summarizer.model.requests] == ["rsn-1-prompt", "rsn-1-part-0"]
    assert summarizer.tasks == [PartTask(step=TRACE, request=PROMPT, evidence=(PROMPT,), trace="rsn-1")]
    assert running.rejected == 0


async def test_a_summarizer_that_cannot_be_reached_leaves_extracts() -> None:
    put = list[Event]()
    await written(running := summaries(Unreachable(), put))
    assert put[1] == PromptSummaryDone(text="What is six times seven?", written_by="extract")
    assert put[-1] == ReasoningSummaryDone(text="That is 42.")
    assert running.rejected == 0


@pytest.mark.parametrize(("mask_secrets", "shown"), [(True, "•••"), (False, "s3cr3t-w0rd")])
async def test_secrets_in_extracts_are_masked(mask_secrets: bool, shown: str) -> None:
    put, trace = list[Event](), "The password is {} for the door."
    prompt = "Where is the door? The password is {} for the door."
    secret = "s3cr3t-w0rd"
    await written(summaries(Unreachable(), put, prompt.format(secret), mask_secrets=mask_secrets), trace.format(secret))
    assert put[-1] == ReasoningSummaryDone(text=trace.format(shown))


async def test_rejected_drafts_of_both_summaries_are_counted() -> None:
    put = list[Event]()
    summarizer = ScriptedSummarizer(prompt=["You ask for 43."], part=["Title\n", "It is 41."])
    await written(running := summaries(summarizer, put))
    assert put[1] == PromptSummaryDone(text="What is six times seven?", written_by="extract")
    assert put[-1] == ReasoningSummaryDone(text="That is 42.")
    assert running.rejected == 3


@pytest.mark.parametrize("prompt", ["What is six times seven?", "六乘七是多少？"])
async def test_no_model_is_asked_for_a_prompt_of_one_short_sentence(prompt: str) -> None:
    put, summarizer = list[Event](), ScriptedSummarizer()
    await written(summaries(summarizer, put, prompt, summary="none"))
    assert put == [
        PromptSummaryDelta(delta=prompt),
        PromptSummaryDone(text=prompt, written_by="extract"),
        ReasoningSummaryDone(text=""),
    ]
    assert summarizer.model.requests == []
