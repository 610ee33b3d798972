"""`client.render`: the exact text of whole streams, without a terminal unless a test is about one."""

import io

import pytest
from rich.console import Console

from client.render import Renderer, footer
from gateway.errors import Failure
from gateway.events import (
    Event,
    FinishReason,
    PromptSummaryDelta,
    PromptSummaryDone,
    ReasoningDelta,
    ReasoningDone,
    ReasoningSummaryDelta,
    ReasoningSummaryDone,
    ReasoningSummaryPart,
    ResponseDelta,
    ResponseDone,
    Span,
    StreamCompleted,
    StreamFailed,
    StreamStarted,
    Timings,
    ToolCallDelta,
    ToolCallDone,
    Usage,
)

STARTED = StreamStarted(id="rsn-1", model="tiny", created=1)
THOUGHT = ReasoningDone(characters=9, tokens=3, seconds=0.1, ended_by="marker")
SUMMARIZED = ReasoningSummaryDone(text="")
COMPLETED = StreamCompleted(finish_reason="stop", usage=Usage(), timings=Timings(total=1.25))
FAILED = StreamFailed(error=Failure(type="upstream_error", message="it broke", stage="upstream"))


def part(index: int, title: str, text: str) -> ReasoningSummaryPart:
    return ReasoningSummaryPart(index=index, title=title, text=text, span=Span(start=0, end=9), written_by="model")


def shown(*events: Event, terminal: bool = False) -> str:
    file = io.StringIO()
    renderer = Renderer(Console(file=file, force_terminal=terminal, color_system="standard" if terminal else None))
    for event in events:
        renderer.show(event)
    return file.getvalue()


def test_a_whole_stream() -> None:
    assert shown(
        STARTED,
        PromptSummaryDelta(delta="You ask "),
        PromptSummaryDelta(delta="why."),
        PromptSummaryDone(text="You ask why.", written_by="model"),
        ReasoningDelta(delta="\nHm.\n"),
        ReasoningSummaryDelta(index=0, delta="It "),
        ReasoningDelta(delta="\nSo"),
        ReasoningSummaryDelta(index=0, delta="hums."),
        ReasoningSummaryPart(index=0, title="Humming", text="It hums.", span=Span(start=0, end=4), written_by="model"),
        ReasoningSummaryDelta(index=1, delta="It conc"),
        ReasoningDelta(delta=" be it.\n\n"),
        THOUGHT,
        ReasoningSummaryDelta(index=1, delta="ludes."),
        part(1, "Concluding", "It concludes."),
        SUMMARIZED,
        ResponseDelta(delta="\n\n"),
        ResponseDelta(delta="Because.\n"),
        ResponseDone(text="\n\nBecause.\n"),
        COMPLETED,
    ) == (
        "[PROMPT]\nYou ask why.\n\n"
        "[REASONING]\nHm.\n\nSo be it.\n\n"
        "[REASONING SUMMARY]\nHumming\nIt hums.\n\nConcluding\nIt concludes.\n\n"
        "[FINAL RESPONSE]\nBecause.\n\n"
        "1.2 s\n"
    )


def test_sections_that_never_came_have_no_heading() -> None:
    assert shown(STARTED, THOUGHT, SUMMARIZED, ResponseDelta(delta="4"), COMPLETED) == (
        "[FINAL RESPONSE]\n4\n\n1.2 s\n"
    )
    assert shown(STARTED, ResponseDelta(delta=" \n"), COMPLETED) == "1.2 s\n"


def test_without_a_trace_a_part_is_shown_once_it_is_whole() -> None:
    begun = (STARTED, ReasoningSummaryDelta(index=0, delta="It hums."))
    assert shown(*begun) == ""
    assert shown(*begun, part(0, "Humming", "It hums.")) == "[REASONING SUMMARY]\nHumming\nIt hums."


@pytest.mark.parametrize("last", [FAILED, None])
def test_a_bad_end_shows_what_waited(last: StreamFailed | None) -> None:
    file = io.StringIO()
    renderer = Renderer(Console(file=file))
    waiting = (
        ReasoningDelta(delta="Hm"),
        ReasoningSummaryDelta(index=0, delta="It hums."),
        part(0, "Humming", "It hums."),
        ReasoningSummaryDelta(index=1, delta="It con"),
    )
    for event in (*waiting, last):
        renderer.show(event) if event else renderer.close()
    assert file.getvalue() == "[REASONING]\nHm\n\n[REASONING SUMMARY]\nHumming\nIt hums.\n\nIt con\n"


def test_a_bad_start_shows_nothing() -> None:
    assert shown(STARTED, FAILED) == ""


def test_tool_calls_stand_on_their_own_lines() -> None:
    assert (
        shown(
            ResponseDelta(delta="Looking."),
            ToolCallDelta(index=0, id="1", name="look", arguments='{"at"'),
            ToolCallDone(index=0, id="1", name="look", arguments='{"at": 1}'),
            ToolCallDone(index=1, id="2", name="stop", arguments="{}"),
            COMPLETED,
        )
        == '[FINAL RESPONSE]\nLooking.\nlook({"at": 1})\nstop({})\n\n1.2 s\n'
    )


@pytest.mark.parametrize("terminal", [False, True])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[bold]x[/bold] :smile: [/]", "[bold]x[/bold] :smile: [/]"),
        ("a\x1b[2Jb\x07\x9bc\x7fd", "a[2Jbcd"),
        ("one\r\ntwo\x85three", "one\ntwo\nthree"),
        ("\tx = 1\n\ty  =  2", "\tx = 1\n\ty  =  2"),
        ("漢字" * 90 + " 👩‍👩‍👧 e\u0301 \u2028.", "漢字" * 90 + " 👩‍👩‍👧 e\u0301 \u2028."),
        ("word " * 90 + ".", "word " * 90 + "."),
        ("http://x 'a' 12 None", "http://x 'a' 12 None"),
    ],
)
def test_what_a_model_says_is_text(text: str, expected: str, terminal: bool) -> None:
    assert shown(ResponseDelta(delta=text), terminal=terminal).split("\n", 1)[1] == expected


def test_cut_anywhere_the_text_is_the_same() -> None:
    text = "One  two\n\n three\t\n4\n"
    events = [ResponseDelta(delta=letter) for letter in text]
    assert shown(*events, COMPLETED) == shown(ResponseDelta(delta=text), COMPLETED)


def test_styles_of_a_terminal() -> None:
    assert shown(
        PromptSummaryDelta(delta="You"),
        ReasoningDelta(delta="Hm\n\nhm"),
        THOUGHT,
        part(0, "T", "text"),
        ReasoningSummaryDelta(index=1, delta="live"),
        part(1, "U", "live"),
        ResponseDelta(delta="Yes"),
        COMPLETED,
        terminal=True,
    ) == (
        "\x1b[1;36m[PROMPT]\x1b[0m\nYou\n\n"
        "\x1b[1;35m[REASONING]\x1b[0m\n\x1b[2mHm\n\nhm\x1b[0m\n\n"
        "\x1b[1;33m[REASONING SUMMARY]\x1b[0m\n\x1b[1mT\x1b[0m\ntext\n\n\x1b[1mU\x1b[0m\nlive\n\n"
        "\x1b[1;32m[FINAL RESPONSE]\x1b[0m\nYes\n\n"
        "\x1b[2m1.2 s\x1b[0m\n"
    )


@pytest.mark.parametrize(
    ("tokens", "summaries", "seconds", "reason", "text"),
    [
        (120, 0, 3.2, "stop", "3.2 s · 120 tokens (80 reasoning) · 37.5 tokens/s"),
        (
            120,
            45,
            3.2,
            "length",
            "3.2 s · 120 tokens (80 reasoning) · 37.5 tokens/s · 45 tokens for summaries · stopped at the token limit",
        ),
        (120, 0, 0.0, "tool_calls", "0.0 s · 120 tokens (80 reasoning)"),
        (0, 0, 3.2, "content_filter", "3.2 s · stopped by a content filter"),
    ],
)
def test_the_last_line(tokens: int, summaries: int, seconds: float, reason: FinishReason, text: str) -> None:
    usage = Usage(prompt_tokens=9, completion_tokens=tokens, reasoning_tokens=min(tokens, 80), summary_tokens=summaries)
    event = StreamCompleted(finish_reason=reason, usage=usage, timings=Timings(total=seconds))
    assert footer(event) == text
