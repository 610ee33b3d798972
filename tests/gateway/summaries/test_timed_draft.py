"""A summary as the session receives it: whatever the source does, by its deadline there is a text."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from typing import Any

import pytest

from gateway.errors import OrderViolation, UpstreamError
from gateway.summaries.protocol import SummaryCandidate, SummaryEnd, SummaryItem, SummaryTitle, SummaryUsage
from gateway.summaries.timed_draft import TimedDraft

LONG = 3600.0
END = SummaryEnd(title="A title", rejected=1)


def extract() -> str:
    return "An extract."


def never() -> str:
    raise AssertionError("an extract was made")


class Source:
    """Plays its script; an exception in it is raised, an asyncio.Event is reported as reached and then waited for."""

    def __init__(self, *script: Any) -> None:
        self.script, self.closed, self.reached = script, False, asyncio.Event()

    async def play(self) -> AsyncGenerator[Sequence[SummaryItem]]:
        try:
            for step in self.script:
                match step:
                    case BaseException():
                        raise step
                    case asyncio.Event():
                        self.reached.set()
                        await step.wait()
                    case _:
                        yield step
        finally:
            self.closed = True


async def test_a_draft_emits_the_text_of_its_source() -> None:
    emitted: list[str] = []
    draft, source = TimedDraft(emitted.append), Source(["You"], [" ask", " this"], [], [".", END])
    await draft.run(source.play(), LONG)
    assert emitted == ["You", " ask this", "."]
    assert (draft.text, draft.title, draft.rejected) == ("You ask this.", "A title", 1)
    assert draft.fall_back_to(never) == "model"
    assert source.closed


async def test_a_candidate_is_the_text_if_none_comes_before_the_deadline() -> None:
    emitted: list[str] = []
    draft, source = (
        TimedDraft(emitted.append),
        Source([SummaryTitle("One"), SummaryCandidate("It is 1.")], asyncio.Event()),
    )
    await draft.run(source.play(), 0.01)
    assert (emitted, draft.fall_back_to(never), emitted) == (["It is 1."], "model", ["It is 1."])
    assert (draft.title, draft.text) == ("One", "It is 1.")


async def test_a_candidate_is_not_said_if_a_text_has_come() -> None:
    emitted: list[str] = []
    draft = TimedDraft(emitted.append)
    await draft.run(Source([SummaryCandidate("It is 1.")], ["It is 2.", END]).play(), LONG)
    assert (draft.fall_back_to(never), emitted) == ("model", ["It is 2."])


async def test_a_source_that_ends_without_text_leaves_the_extract() -> None:
    draft = TimedDraft(list[str]().append)
    await draft.run(Source([SummaryEnd(title="", rejected=2)]).play(), LONG)
    assert draft.fall_back_to(extract) == "extract"
    assert (draft.text, draft.title, draft.rejected) == ("An extract.", "", 2)


async def test_a_draft_past_its_deadline_has_cost_what_was_last_reported() -> None:
    draft = TimedDraft(list[str]().append)
    first, last = SummaryUsage(prompt_tokens=9), SummaryUsage(prompt_tokens=9, tokens=16)
    await draft.run(Source([first], ["You ask", last], asyncio.Event(), [END]).play(), 0.01)
    assert (draft.text, draft.usage) == ("You ask", last)


async def test_a_draft_past_its_deadline_keeps_what_it_has(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "gateway.summaries.timed_draft")
    emitted: list[str] = []
    draft, source = TimedDraft(emitted.append), Source([SummaryTitle("A title"), "You ask"], asyncio.Event(), [END])
    await draft.run(source.play(), 0.01)
    assert emitted == ["You ask"]
    assert source.closed
    assert [record.message for record in caplog.records] == ["a summary met its deadline after 7 characters"]
    assert (draft.fall_back_to(never), draft.title, draft.rejected) == ("model", "A title", 0)


async def test_a_deadline_before_any_text_leaves_the_extract() -> None:
    emitted: list[str] = []
    draft = TimedDraft(emitted.append)
    await draft.run(Source(asyncio.Event()).play(), 0.01)
    assert draft.fall_back_to(extract) == "extract"
    assert (emitted, draft.text) == (["An extract."], "An extract.")


@pytest.mark.parametrize(
    "failure",
    [UpstreamError("it died"), OrderViolation("ours"), RuntimeError("unforeseen"), TimeoutError()],
    ids=lambda failure: type(failure).__name__,
)
@pytest.mark.parametrize(
    ("before", "emitted_in_the_end", "written_by"),
    [([], ["An extract."], "extract"), ([["You ask"]], ["You ask"], "model")],
    ids=["at once", "later"],
)
async def test_a_failure_of_the_source_ends_the_draft_and_is_not_raised(
    failure: Exception,
    before: list[Any],
    emitted_in_the_end: list[str],
    written_by: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "gateway.summaries.timed_draft")
    emitted: list[str] = []
    draft, source = TimedDraft(emitted.append), Source(*before, failure)
    await draft.run(source.play(), LONG)
    assert draft.fall_back_to(extract) == written_by
    assert emitted == emitted_in_the_end
    assert source.closed
    assert len(caplog.records) == 1


async def test_a_source_whose_text_cannot_be_emitted_is_closed() -> None:
    def refuse(text: str) -> None:
        raise OrderViolation(text)

    source = Source(["You ask"], [" this."])
    playing = source.play()  # referenced here, so that it is not closed by being collected
    await TimedDraft(refuse).run(playing, LONG)
    assert source.closed
    await playing.aclose()


async def test_a_source_without_any_text_leaves_the_extract() -> None:
    draft = TimedDraft(list[str]().append)
    await draft.run(Source().play(), LONG)
    assert draft.fall_back_to(extract) == "extract"


@pytest.mark.parametrize(("text", "written_by"), [("An extract.", "extract"), ("", "none")])
async def test_blank_text_is_no_summary(text: str, written_by: str) -> None:
    emitted: list[str] = []
    draft = TimedDraft(emitted.append)
    await draft.run(Source([" \n"]).play(), LONG)
    assert draft.fall_back_to(lambda: text) == written_by
    assert emitted == [emission for emission in (" \n", text) if emission]


async def test_nothing_is_emitted_without_text() -> None:
    emitted: list[str] = []
    draft = TimedDraft(emitted.append)
    await draft.run(Source([""], [], ["", ""]).play(), LONG)
    assert draft.fall_back_to(str) == "none"
    assert emitted == []


async def test_expire_ends_a_draft_now() -> None:
    emitted: list[str] = []
    draft, source = TimedDraft(emitted.append), Source(["You ask"], asyncio.Event(), [" this."])
    task = asyncio.create_task(draft.run(source.play(), LONG))
    await source.reached.wait()
    draft.expire()
    draft.expire()
    await task
    assert emitted == ["You ask"]
    assert source.closed


async def test_a_draft_that_has_expired_before_it_runs_has_no_time() -> None:
    emitted: list[str] = []
    draft, source = TimedDraft(emitted.append), Source(asyncio.Event(), ["You ask"])
    draft.expire()
    await draft.run(source.play(), LONG)
    assert draft.fall_back_to(extract) == "extract"
    assert emitted == ["An extract."]


async def test_expire_after_the_end_of_a_draft_changes_nothing() -> None:
    draft = TimedDraft(list[str]().append)
    await draft.run(Source(["You ask"]).play(), LONG)
    draft.expire()
    assert draft.text == "You ask"


async def test_expire_while_the_deadline_passes_changes_nothing() -> None:
    """The source may take its time to close; the deadline has passed by then and cannot be moved."""
    closing, closed = asyncio.Event(), asyncio.Event()

    async def slow_to_close() -> AsyncGenerator[Sequence[SummaryItem]]:
        try:
            yield ["You ask"]
            await asyncio.Event().wait()
        finally:
            closing.set()
            await closed.wait()

    draft = TimedDraft(list[str]().append)
    task = asyncio.create_task(draft.run(slow_to_close(), 0.01))
    await closing.wait()
    draft.expire()
    closed.set()
    await task
    assert draft.text == "You ask"


async def test_cancelling_a_draft_is_raised_and_closes_the_source() -> None:
    source = Source(["You ask"], asyncio.Event())
    task = asyncio.create_task(TimedDraft(list[str]().append).run(source.play(), LONG))
    await source.reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert source.closed
