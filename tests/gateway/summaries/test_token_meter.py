"""The cost of summaries: whatever ends a draft, its tokens are counted once."""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing, suppress
from typing import Any

import pytest

from gateway.errors import UpstreamError, UpstreamUnreachable
from gateway.events import Usage
from gateway.summaries.protocol import PartTask, SummaryItem, SummaryUsage
from gateway.summaries.token_meter import BYTES_PER_TOKEN, REPORT_TOKENS, TokenMeter
from gateway.summaries.writer import SummaryWriter
from gateway.upstream import Accepted, Finished, Message, UpstreamRequest
from tests.fakes.summaries import ScriptedModel

REQUEST = UpstreamRequest(id="rsn-1", messages=(Message(role="user", content="x" * 10 * BYTES_PER_TOKEN),))
ESTIMATED = 11
"""The estimate of its tokens."""
ACCEPTED = Accepted(prompt_tokens=9)
TASK = PartTask(step="It is not 41. It is 42.", request="What is it?")


def finished(**usage: Any) -> Finished:
    return Finished(finish_reason="stop", usage=Usage(**usage))


async def metered(meter: TokenMeter, *script: Any) -> None:
    async with aclosing(meter.metered(REQUEST, ScriptedModel(lambda _: script)(REQUEST))) as answer:
        async for _ in answer:
            pass


@pytest.mark.parametrize(
    ("script", "usage"),
    [
        (
            [ACCEPTED, "text", finished(prompt_tokens=8, completion_tokens=3, cached_tokens=2)],
            SummaryUsage(tokens=3, prompt_tokens=8, cached_tokens=2),
        ),
        ([ACCEPTED, "text", finished(completion_tokens=3)], SummaryUsage(tokens=3, prompt_tokens=9)),
        ([Accepted(), "text", finished(completion_tokens=3)], SummaryUsage(tokens=3, prompt_tokens=ESTIMATED)),
        ([ACCEPTED, "some", " text", UpstreamError("gone")], SummaryUsage(tokens=3, prompt_tokens=9)),
        ([Accepted(), "ё"], SummaryUsage(tokens=1, prompt_tokens=ESTIMATED)),
    ],
    ids=["counted", "prompt not counted", "estimated prompt", "cut off", "estimated"],
)
async def test_a_draft_costs_what_its_upstream_says_or_else_an_estimate(script: list[Any], usage: SummaryUsage) -> None:
    counted: list[SummaryUsage] = []
    meter = TokenMeter(counted.append)
    with suppress(UpstreamError):
        await metered(meter, *script)
    assert (meter.usage, counted) == (usage, [usage])


async def test_a_draft_that_was_never_accepted_costs_nothing() -> None:
    counted: list[SummaryUsage] = []
    meter = TokenMeter(counted.append)
    with pytest.raises(UpstreamUnreachable):
        await metered(meter, UpstreamUnreachable("gone"))
    assert (meter.usage, counted) == (SummaryUsage(), [])


async def test_the_drafts_of_a_summary_are_added() -> None:
    meter = TokenMeter(lambda _: None)
    await metered(meter, ACCEPTED, "text", finished(completion_tokens=3, cached_tokens=4))
    await metered(meter, ACCEPTED, "text", finished(completion_tokens=5))
    assert meter.usage == SummaryUsage(tokens=8, prompt_tokens=18, cached_tokens=4)


async def test_usage_is_reported_at_once_and_then_every_few_tokens() -> None:
    meter = TokenMeter(lambda _: None)
    token = "x" * BYTES_PER_TOKEN
    reports: list[SummaryUsage] = []
    script = [ACCEPTED, *[token] * (2 * REPORT_TOKENS)]
    async with aclosing(meter.metered(REQUEST, ScriptedModel(lambda _: script)(REQUEST))) as answer:
        async for _ in answer:
            reports += meter.report()
    assert [usage.tokens for usage in reports] == [0, REPORT_TOKENS, 2 * REPORT_TOKENS]


async def last_usage(writer: SummaryWriter) -> SummaryUsage:
    """Return the last usage of a part, and assert that it is in the batch of its end."""
    batches: list[Sequence[SummaryItem]] = [batch async for batch in writer.part("rsn-1-part-0", TASK)]
    (usage,) = [item for item in batches[-1] if isinstance(item, SummaryUsage)]
    return usage


async def test_drafts_that_are_rejected_cost_too() -> None:
    counted: list[SummaryUsage] = []
    model = ScriptedModel(lambda _: [ACCEPTED, "Title\nIt is 43.", finished(completion_tokens=6)])
    draft = SummaryUsage(tokens=6, prompt_tokens=9)
    assert await last_usage(SummaryWriter(model, count=counted.append)) == draft + draft
    assert counted == [draft, draft]


async def test_a_summary_that_is_closed_is_counted() -> None:
    counted: list[SummaryUsage] = []
    model = ScriptedModel(lambda _: [ACCEPTED, "Title\n", asyncio.Event()])
    async with aclosing(SummaryWriter(model, count=counted.append).part("rsn-1-part-0", TASK)) as source:
        assert await anext(source) == [SummaryUsage(prompt_tokens=9)]
    assert counted == [SummaryUsage(prompt_tokens=9)]
