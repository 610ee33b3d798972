"""One request's life against scripted parts: whole lists of events, whatever fails."""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import fields, replace
from typing import Any

import pytest

from gateway.config import DeadlineSettings, GatewaySettings, LimitSettings
from gateway.errors import ContextTooLong, GatewayError, UpstreamError
from gateway.events import Event, ReasoningDelta, StreamCompleted, ToolCallDelta, ToolCallDone, Usage
from gateway.reasoning import Segment
from gateway.requests.chat_completions import ChatCompletionsRequest
from gateway.requests.reasoning import ReasoningRequest
from gateway.session import Session
from gateway.summaries.protocol import PartTask
from gateway.summaries.stream_summaries import Summarizer
from gateway.summaries.writer import SummaryWriter
from gateway.upstream import Accepted, Finished, ThinkingEnded, ToolPiece, UpstreamRequest
from tests.fakes.session import ScriptedParser, ScriptedSummarizer
from tests.fakes.summaries import ScriptedModel

USAGE = Usage(prompt_tokens=5, completion_tokens=9, reasoning_tokens=4)
FINISHED = Finished(finish_reason="stop", usage=USAGE)
TRACE = "Six times seven. That is 42."
EXTRACT = "That is 42."
VOLATILE = ("sequence_number", "created", "seconds", "timings", "id")


def session(
    parser: ScriptedParser,
    summarizer: Summarizer | None = None,
    seconds: float = 5,
    silence: float = 30,
    limits: LimitSettings | None = None,
    beat: float = 30,
    **asked: Any,
) -> Session:
    body = {"messages": [{"role": "user", "content": "What is six times seven? Tell me."}], **asked}
    return Session(
        "rsn-1",
        ReasoningRequest.model_validate(body),
        "qwen",
        parser,
        summarizer or ScriptedSummarizer(),
        GatewaySettings(
            deadlines=DeadlineSettings(prompt_summary=seconds, reasoning_summary=seconds, upstream_silence=silence),
            limits=limits or LimitSettings(),
            heartbeat=beat,
        ),
    )


async def events(session: Session) -> list[Event]:
    await session.open()
    async with aclosing(session.events()) as batches:
        return [event async for batch in batches for event in batch]


def plain(events: Sequence[Event]) -> list[tuple[Any, ...]]:
    """Events as (type, fields that do not depend on the clock), without the cost of summaries."""
    return [
        (event.type, *(plain_field(getattr(event, f.name)) for f in fields(event) if f.name not in VOLATILE))
        for event in events
    ]


def plain_field(value: Any) -> Any:
    if isinstance(value, Usage):
        return replace(value, summary_tokens=0, summary_prompt_tokens=0, summary_cached_tokens=0)
    return value


async def said(*script: Any, **options: Any) -> list[tuple[Any, ...]]:
    return plain(await events(session(ScriptedParser(*script), **options)))


PROMPT = [
    ("stream.started", "qwen"),
    ("prompt_summary.delta", "You ask this."),
    ("prompt_summary.done", "You ask this.", "model"),
]
SUMMARY = [
    ("reasoning_summary.delta", 0, "Text."),
    ("reasoning_summary.part", 0, "Title", "Text.", (0, 28), "model"),
    ("reasoning_summary.done", "Text."),
]
ANSWER = [("response.delta", "It is "), ("response.delta", "42."), ("response.done", "It is 42.")]
COMPLETED = [("stream.completed", "stop", USAGE, "", "")]
GOOD = [
    Accepted(prompt_tokens=5),
    Segment("reasoning", "Six times seven. "),
    Segment("reasoning", "That is 42."),
    ThinkingEnded(tokens=4, ended_by="marker"),
    Segment("response", "It is "),
    Segment("response", "42."),
    FINISHED,
]


def spans(events: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Spans as pairs, to compare."""
    return [tuple((x.start, x.end) if hasattr(x, "start") else x for x in event) for event in events]


async def test_a_whole_stream_in_order() -> None:
    assert spans(await said(*GOOD)) == [
        *PROMPT,
        ("reasoning.delta", "Six times seven. "),
        ("reasoning.delta", "That is 42."),
        ("reasoning.done", 28, 4, "marker"),
        *SUMMARY,
        *ANSWER,
        *COMPLETED,
    ]


async def test_the_summarizer_gets_the_whole_trace() -> None:
    summarizer = ScriptedSummarizer()
    await events(session(ScriptedParser(*GOOD), summarizer))
    prompt = "What is six times seven? Tell me."
    assert summarizer.tasks == [PartTask(step=TRACE, request=prompt, evidence=(prompt,), trace="rsn-1")]


async def test_reasoning_that_comes_early_waits_for_the_prompt_summary() -> None:
    gate = asyncio.Event()
    parser = ScriptedParser(*GOOD)
    running = session(parser, ScriptedSummarizer(prompt=["You ask this. ", gate, "Twice."]))
    await running.open()
    seen: list[Event] = []
    async with aclosing(running.events()) as batches:
        async for batch in batches:
            seen += batch
            if plain(seen) == PROMPT[:2]:
                await parser.over.wait()
                gate.set()
    assert spans(plain(seen))[:6] == [
        *PROMPT[:2],
        ("prompt_summary.delta", " Twice."),
        ("prompt_summary.done", "You ask this. Twice.", "model"),
        ("reasoning.delta", "Six times seven. "),
        ("reasoning.delta", "That is 42."),
    ]
    assert seen[-1].type == "stream.completed"


async def test_a_prompt_summary_past_its_deadline_ends_with_what_it_has() -> None:
    summarizer = ScriptedSummarizer(prompt=["You ask this. Or", asyncio.Event(), " that."])
    got = await said(*GOOD, summarizer=summarizer, seconds=0.05)
    assert got[:3] == [PROMPT[0], PROMPT[1], ("prompt_summary.done", "You ask this.", "model")]
    assert got[-1] == COMPLETED[0]


@pytest.mark.parametrize("broken", [[UpstreamError("gone")], [asyncio.Event()], [], ["You ask for 43."]])
async def test_a_prompt_summary_that_never_begins_or_is_not_true_is_an_extract(broken: list[Any]) -> None:
    got = await said(*GOOD, summarizer=ScriptedSummarizer(prompt=broken), seconds=0.05)
    extract = "What is six times seven?"
    assert got[1:3] == [("prompt_summary.delta", extract), ("prompt_summary.done", extract, "extract")]
    assert got[-1] == COMPLETED[0]


@pytest.mark.parametrize("broken", [[UpstreamError("gone")], [asyncio.Event()], ["Title\n", asyncio.Event()]])
async def test_a_reasoning_summary_that_fails_or_is_slow_is_an_extract(broken: list[Any]) -> None:
    got = spans(await said(*GOOD, summarizer=ScriptedSummarizer(part=broken), seconds=0.05))
    assert got[6:9] == [
        ("reasoning_summary.delta", 0, EXTRACT),
        ("reasoning_summary.part", 0, "Restating the question", EXTRACT, (0, 28), "extract"),
        ("reasoning_summary.done", EXTRACT),
    ]
    assert got[9:] == [*ANSWER, *COMPLETED]


@pytest.mark.parametrize(
    ("written", "text", "title"),
    [
        (["Title\n", "It is 41. ", "Then 42."], EXTRACT, "Restating the question"),
        (["Title\n", "It is 42. ", "Then 43."], "It is 42.", "Title"),
        (["In 1999\n", "It is 42."], "It is 42.", "Restating the question"),
    ],
    ids=["first sentence", "second sentence", "title"],
)
async def test_unsupported_claims_of_a_summary_are_not_sent(written: list[str], text: str, title: str) -> None:
    summarizer = ScriptedSummarizer(part=written)
    got = spans(await said(*GOOD, summarizer=summarizer))
    written_by = "extract" if "41" in written[1] else "model"
    assert got[6:9] == [
        ("reasoning_summary.delta", 0, text),
        ("reasoning_summary.part", 0, title, text, (0, 28), written_by),
        ("reasoning_summary.done", text),
    ]
    drafts = [request.id for request in summarizer.model.requests if "-part-" in request.id]
    assert drafts == ["rsn-1-part-0", "rsn-1-part-0-again-1"][: 2 if written_by == "extract" else 1]


async def test_a_prompt_of_one_short_sentence_is_its_own_summary() -> None:
    body = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "What is six times seven?"}]
    summarizer = ScriptedSummarizer(prompt=[AssertionError("was asked")])
    got = await said(*GOOD, summarizer=summarizer, messages=body)
    said_by_itself = "What is six times seven?"
    assert got[1:3] == [("prompt_summary.delta", said_by_itself), ("prompt_summary.done", said_by_itself, "extract")]


async def test_eager_sends_the_response_before_the_summary() -> None:
    gate = asyncio.Event()
    running = session(
        ScriptedParser(*GOOD),
        ScriptedSummarizer(part=[gate, "Title\n", "Text."]),
        reasoning={"order": "eager"},
    )
    await running.open()
    seen: list[Event] = []
    async with aclosing(running.events()) as batches:
        async for batch in batches:
            seen += batch
            if batch[-1].type == "response.done":
                gate.set()
    assert spans(plain(seen))[5:] == [("reasoning.done", 28, 4, "marker"), *ANSWER, *SUMMARY, *COMPLETED]


async def test_eager_lets_no_reasoning_wait_for_the_summary_of_the_prompt() -> None:
    got = await said(*GOOD, summarizer=ScriptedSummarizer(prompt=[asyncio.Event()]), reasoning={"order": "eager"})
    extract = "What is six times seven?"
    assert got[1:3] == [("prompt_summary.delta", extract), ("prompt_summary.done", extract, "extract")]
    assert {event[0] for event in got[3:]} >= {"reasoning.delta", "reasoning_summary.part", "response.delta"}
    assert got[-1:] == COMPLETED


@pytest.mark.parametrize(
    "first", [Segment("response", "42."), ToolPiece(index=0, id="call_1", name="f")], ids=["response", "call"]
)
async def test_eager_lets_no_answer_wait_for_it_either(first: Segment | ToolPiece) -> None:
    summarizer = ScriptedSummarizer(prompt=["You ask. ", asyncio.Event()])
    got = await said(Accepted(), first, FINISHED, summarizer=summarizer, reasoning={"order": "eager"}, seconds=600)
    assert [event[0] for event in got[1:3]] == ["prompt_summary.delta", "prompt_summary.done"]
    assert got[-1:] == COMPLETED


def chat_session(script: Sequence[Any], summarizer: ScriptedSummarizer, **asked: Any) -> Session:
    """A session of the chat route, whose deadlines are never met."""
    body = {"messages": [{"role": "user", "content": "What is six times seven? Tell me."}], **asked}
    settings = GatewaySettings(deadlines=DeadlineSettings(prompt_summary=600, reasoning_summary=600))
    request = ChatCompletionsRequest.model_validate(body)
    return Session("rsn-1", request, "qwen", ScriptedParser(*script), summarizer, settings)


async def test_a_chat_answer_waits_for_no_summary_and_neither_does_its_end() -> None:
    summarizer = ScriptedSummarizer(prompt=[asyncio.Event()], part=[asyncio.Event()])
    got = spans(plain(await events(chat_session(GOOD, summarizer))))
    extract = "What is six times seven?"
    assert got[:3] == [PROMPT[0], ("prompt_summary.delta", extract), ("prompt_summary.done", extract, "extract")]
    assert [event for event in got if event[0].startswith("response")] == ANSWER
    assert got[-4:] == [
        ("reasoning_summary.delta", 0, EXTRACT),
        ("reasoning_summary.part", 0, "Restating the question", EXTRACT, (0, 28), "extract"),
        ("reasoning_summary.done", EXTRACT),
        *COMPLETED,
    ]


async def test_a_chat_answer_has_the_summaries_that_are_there_at_its_end() -> None:
    got = spans(plain(await events(chat_session(GOOD, ScriptedSummarizer()))))
    assert [event for event in got if event[0].startswith("reasoning_summary")] == SUMMARY


async def test_summaries_that_a_chat_shows_are_in_their_place_before_the_response() -> None:
    for show in ("summary", "both"):
        got = spans(plain(await events(chat_session(GOOD, ScriptedSummarizer(), reasoning={"show": show}))))
        assert [event for event in got if event[0] != "reasoning.delta"] == [
            *PROMPT,
            ("reasoning.done", 28, 4, "marker"),
            *SUMMARY,
            *ANSWER,
            *COMPLETED,
        ]


async def test_the_last_event_says_what_the_summaries_have_cost() -> None:
    counted = [Accepted(prompt_tokens=20), Finished(finish_reason="stop", usage=Usage(completion_tokens=6))]
    part = [counted[0], "Title\n", "Text.", counted[1]]
    got = (await events(session(ScriptedParser(*GOOD), ScriptedSummarizer(prompt=counted, part=part))))[-1]
    assert isinstance(got, StreamCompleted)
    assert got.usage == replace(USAGE, summary_tokens=12, summary_prompt_tokens=40)


NO_SUMMARIES = [("prompt_summary.done", "", "none"), ("reasoning_summary.done", "")]


@pytest.mark.parametrize(
    "asked",
    [
        {"max_tokens": 63},
        {"max_completion_tokens": 20},
        {"messages": [{"role": "user", "content": "Generate a title for this chat:\nWhy?"}]},
    ],
    ids=["max_tokens", "max_completion_tokens", "title"],
)
async def test_a_side_task_has_no_summaries(asked: dict[str, Any]) -> None:
    summarizer = ScriptedSummarizer()
    got = plain(await events(chat_session(GOOD, summarizer, **asked)))
    assert [event for event in got if "summary" in event[0]] == NO_SUMMARIES
    assert summarizer.model.requests == []


@pytest.mark.parametrize(
    ("asked", "summarized"),
    [
        ({}, (False, False)),
        ({"prompt_summary": True}, (True, True)),
        ({"prompt_summary": False}, (False, False)),
        ({"reasoning": {"summary": "live"}}, (True, True)),
        ({"reasoning": {"summary": "none"}}, (False, False)),
        ({"prompt_summary": False, "reasoning": {"summary": "final"}}, (False, True)),
    ],
)
async def test_a_side_task_that_names_summaries_has_them(asked: dict[str, Any], summarized: tuple[bool, bool]) -> None:
    got = await said(*GOOD, max_tokens=20, **asked)
    types = [event[0] for event in got]
    assert ("prompt_summary.delta" in types, "reasoning_summary.part" in types) == summarized


async def test_without_trace_and_summaries_only_the_response_is_sent() -> None:
    got = await said(*GOOD, prompt_summary=False, reasoning={"trace": False, "summary": "none"})
    assert got == [
        PROMPT[0],
        ("prompt_summary.done", "", "none"),
        ("reasoning.done", 28, 4, "marker"),
        ("reasoning_summary.done", ""),
        *ANSWER,
        *COMPLETED,
    ]


@pytest.mark.parametrize(("budget", "ended_by"), [(None, "absent"), (0, "request")])
async def test_the_end_of_reasoning_says_why_there_was_none(budget: int | None, ended_by: str) -> None:
    got = await said(Accepted(), Segment("response", "42."), FINISHED, reasoning={"budget": budget})
    assert got[3:] == [
        ("reasoning.done", 0, None, ended_by),
        ("reasoning_summary.done", ""),
        ("response.delta", "42."),
        ("response.done", "42."),
        *COMPLETED,
    ]


async def test_thinking_that_never_ends_stays_reasoning_and_is_truncated() -> None:
    got = spans(await said(Accepted(), Segment("reasoning", TRACE), Finished(finish_reason="length", usage=USAGE)))
    assert got[3:] == [
        ("reasoning.delta", TRACE),
        ("reasoning.done", 28, None, "truncated"),
        *SUMMARY,
        ("response.done", ""),
        ("stream.completed", "length", USAGE, "", ""),
    ]


LATE = [*GOOD[:5], Segment("reasoning", "Wait. "), GOOD[5], Segment("reasoning", "Or not."), GOOD[6]]
LATE_TRACE, LATE_SUMMARY = "Wait. Or not.", "**Title**\n\nText."


@pytest.mark.parametrize("order", ["strict", "eager"])
@pytest.mark.parametrize("summary", ["live", "final"])
async def test_reasoning_after_the_response_began_is_late_and_has_a_summary(order: str, summary: str) -> None:
    summarizer = ScriptedSummarizer()
    got = await said(*LATE, summarizer=summarizer, reasoning={"order": order, "summary": summary})
    assert got[-1] == ("stream.completed", "stop", USAGE, LATE_TRACE, LATE_SUMMARY)
    assert [task.step for task in summarizer.tasks] == [TRACE, LATE_TRACE]


async def test_late_reasoning_without_a_summary_leaves_by_itself() -> None:
    summarizer = ScriptedSummarizer()
    got = await said(*LATE, summarizer=summarizer, reasoning={"summary": "none"})
    assert got[-1] == ("stream.completed", "stop", USAGE, LATE_TRACE, "")
    assert summarizer.tasks == []


async def test_without_trace_only_the_summary_of_late_reasoning_leaves() -> None:
    got = await said(*LATE, reasoning={"trace": False})
    assert got[-1] == ("stream.completed", "stop", USAGE, "", LATE_SUMMARY)
    got = await said(*LATE, reasoning={"trace": False, "summary": "none"})
    assert got[-1] == COMPLETED[0]


@pytest.mark.parametrize("broken", [[UpstreamError("gone")], [asyncio.Event()], []])
async def test_a_summary_of_late_reasoning_that_fails_or_is_slow_is_an_extract(broken: list[Any]) -> None:
    got = await said(*LATE, summarizer=ScriptedSummarizer(part=broken), seconds=0.05)
    assert got[-1] == ("stream.completed", "stop", USAGE, LATE_TRACE, "**Checking the result**\n\nChecking the result.")


async def test_late_blank_text_is_nothing() -> None:
    assert (await said(*GOOD[:6], Segment("reasoning", " \n"), GOOD[6]))[-1] == COMPLETED[0]


async def test_closing_the_stream_cancels_the_summary_of_late_reasoning() -> None:
    asked = asyncio.Event()

    def script(request: UpstreamRequest) -> list[Any]:
        if "-part-1" not in request.id:
            return ["Title\n", "Text."]
        asked.set()
        return [asyncio.Event()]

    model = ScriptedModel(script)
    running = session(ScriptedParser(*LATE), SummaryWriter(model))
    await running.open()
    async with aclosing(running.events()) as batches:
        await anext(batches)
        await asked.wait()
    assert "rsn-1-part-1" in model.closed


CALLING = [
    *GOOD[:4],
    ToolPiece(index=0, name="f"),
    ToolPiece(index=0, arguments='{"a"'),
    ToolPiece(index=1, id="own", name="g", arguments="{}"),
    ToolPiece(index=0, arguments=": 1}"),
]
CALLS = [
    ("tool_call.delta", 0, "call_1_0", "f", ""),
    ("tool_call.delta", 0, "call_1_0", "f", '{"a"'),
    ("tool_call.delta", 1, "own", "g", "{}"),
    ("tool_call.delta", 0, "call_1_0", "f", ": 1}"),
]
WHOLE_CALLS = [("tool_call.done", 0, "call_1_0", "f", '{"a": 1}'), ("tool_call.done", 1, "own", "g", "{}")]


async def test_tool_calls_are_sent_in_pieces_and_then_whole() -> None:
    got = await events(session(ScriptedParser(*CALLING, Finished(finish_reason="tool_calls", usage=USAGE))))
    assert calls(got) == [*CALLS, *WHOLE_CALLS]
    assert [event.type for event in got][-2:] == ["response.done", "stream.completed"]


async def test_a_call_that_the_token_limit_may_have_cut_is_not_done() -> None:
    got = await events(session(ScriptedParser(*CALLING, Finished(finish_reason="length", usage=USAGE))))
    assert calls(got) == [*CALLS, WHOLE_CALLS[0]]
    assert got[-1].type == "stream.completed"


async def test_calls_that_a_failure_cut_are_not_done() -> None:
    got = await events(session(ScriptedParser(*CALLING, UpstreamError("died"))))
    assert calls(got) == CALLS
    assert [event.type for event in got][-2:] == ["response.done", "stream.failed"]


async def test_a_call_ends_thinking_that_has_no_end_marker() -> None:
    got = await said(*GOOD[:3], ToolPiece(index=0, name="f"), FINISHED)
    assert ("reasoning.done", 28, None, "marker") in got


def calls(got: Sequence[Event]) -> list[tuple[Any, ...]]:
    return [
        (event.type, event.index, event.id, event.name, event.arguments)
        for event in got
        if isinstance(event, ToolCallDelta | ToolCallDone)
    ]


async def test_an_upstream_that_accepts_late_still_answers() -> None:
    gate = asyncio.Event()
    running = session(ScriptedParser(gate, *GOOD))
    await running.open(patience=0.01)
    gate.set()
    async with aclosing(running.events()) as batches:
        got = [event async for batch in batches for event in batch]
    assert plain(got)[-3:] == [*ANSWER, *COMPLETED][-3:]


async def test_an_upstream_that_refuses_late_fails_the_stream() -> None:
    gate = asyncio.Event()
    running = session(ScriptedParser(gate, ContextTooLong("too long")))
    await running.open(patience=0.01)
    gate.set()
    async with aclosing(running.events()) as batches:
        got = [event async for batch in batches for event in batch]
    assert [event.type for event in got] == [
        "stream.started",
        "prompt_summary.delta",
        "prompt_summary.done",
        "stream.failed",
    ]


async def test_an_upstream_that_refuses_raises_before_any_event() -> None:
    parser = ScriptedParser(ContextTooLong("9000 tokens, 8192 fit", param="messages"))
    with pytest.raises(ContextTooLong, match="9000 tokens"):
        await session(parser).open()
    assert parser.closed


async def test_an_upstream_that_ends_before_it_answers_is_an_upstream_error() -> None:
    with pytest.raises(UpstreamError):
        await session(ScriptedParser()).open()


@pytest.mark.parametrize("end", [[UpstreamError("died")], []], ids=["fails", "is cut off"])
async def test_an_upstream_that_dies_in_reasoning_keeps_what_came(end: list[Exception]) -> None:
    got = await events(session(ScriptedParser(*GOOD[:3], *end)))
    types = [event.type for event in got]
    assert types[-5:] == [
        "reasoning.done",
        "reasoning_summary.delta",
        "reasoning_summary.part",
        "reasoning_summary.done",
        "stream.failed",
    ]
    assert "".join(event.delta for event in got if isinstance(event, ReasoningDelta)) == TRACE
    assert got[-1].error.stage == "upstream"  # type: ignore[union-attr]
    assert got[-1].error.type == "upstream_error"  # type: ignore[union-attr]


async def test_an_upstream_that_dies_in_the_response_keeps_what_came() -> None:
    got = spans(await said(*GOOD[:5], UpstreamError("died"), summarizer=ScriptedSummarizer(part=[asyncio.Event()])))
    assert got[-4:-1] == [
        ("reasoning_summary.done", EXTRACT),
        ("response.delta", "It is "),
        ("response.done", "It is "),
    ]
    assert got[-1][0] == "stream.failed"


async def test_an_upstream_that_dies_before_any_text_fails_the_stream() -> None:
    got = await said(Accepted(), UpstreamError("died"), summarizer=ScriptedSummarizer(prompt=[asyncio.Event()]))
    extract = "What is six times seven?"
    assert [event[0] for event in got] == [
        "stream.started",
        "prompt_summary.delta",
        "prompt_summary.done",
        "stream.failed",
    ]
    assert got[2] == ("prompt_summary.done", extract, "extract")


async def test_a_bug_of_ours_fails_the_stream_without_details(caplog: pytest.LogCaptureFixture) -> None:
    got = await events(session(ScriptedParser(*GOOD[:2], ZeroDivisionError("secret"))))
    last = got[-1]
    assert last.type == "stream.failed"
    assert (last.error.type, last.error.stage) == ("internal_error", "session")  # type: ignore[union-attr]
    assert "secret" not in last.error.message  # type: ignore[union-attr]
    assert "secret" in caplog.text


@pytest.mark.parametrize("who", ["parser", "prompt", "part"])
async def test_a_foreign_cancellation_fails_the_stream(who: str) -> None:
    stray = asyncio.CancelledError()
    parser = ScriptedParser(*GOOD[:2], stray) if who == "parser" else ScriptedParser(*GOOD)
    summarizer = ScriptedSummarizer(**{who: [stray]}) if who != "parser" else None
    got = await events(session(parser, summarizer))
    assert got[-1].type == "stream.failed"
    assert got[-1].error.type == "internal_error"  # type: ignore[union-attr]


async def test_a_client_that_does_not_read_is_too_slow() -> None:
    gate = asyncio.Event()
    parser = ScriptedParser(GOOD[0], gate, *[Segment("reasoning", "x" * 40)] * 10, FINISHED)
    running = session(parser, ScriptedSummarizer(part=[asyncio.Event()]), limits=LimitSettings(unread_characters=100))
    await running.open()
    async with aclosing(running.events()) as batches:
        first = await anext(batches)
        gate.set()
        await parser.over.wait()
        rest = [event async for batch in batches for event in batch]
    assert first[0].type == "stream.started"
    assert rest[-1].type == "stream.failed"
    assert rest[-1].error.type == "client_too_slow"  # type: ignore[union-attr]
    assert len([event for event in rest if event.type == "reasoning.delta"]) < 10


async def test_reading_stops_while_too_much_waits_for_its_turn() -> None:
    gate = asyncio.Event()
    parser = ScriptedParser(GOOD[0], *[Segment("reasoning", "x" * 40)] * 10, FINISHED)
    running = session(parser, ScriptedSummarizer(prompt=["You ask", gate]), limits=LimitSettings(early_characters=100))
    await running.open()
    async with aclosing(running.events()) as batches:
        await anext(batches)
        for _ in range(50):
            await asyncio.sleep(0)
        assert not parser.closed
        gate.set()
        rest = [event async for batch in batches for event in batch]
    assert sum(len(event.delta) for event in rest if isinstance(event, ReasoningDelta)) == 400
    assert rest[-1].type == "stream.completed"


async def test_closing_the_stream_cancels_everything_behind_it() -> None:
    parser = ScriptedParser(*GOOD[:2], asyncio.Event())
    running = session(parser)
    await running.open()
    others = asyncio.all_tasks()
    async with aclosing(running.events()) as batches:
        await anext(batches)
    assert parser.closed
    assert asyncio.all_tasks() <= others - {task for task in others if task.done()}


def test_failures_name_their_stage() -> None:
    assert GatewayError("x").failure().stage == "session"


async def test_a_batch_is_empty_after_a_heartbeat_of_silence() -> None:
    waiting = session(ScriptedParser(Segment("reasoning", "So"), asyncio.Event()), beat=0.02)
    await waiting.open()
    async with aclosing(waiting.events()) as batches:
        seen = [await anext(batches) for _ in range(6)]
    assert seen[-2:] == [[], []]
