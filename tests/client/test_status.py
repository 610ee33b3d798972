"""The status line of the client, and a view of a stream that has one."""

import io

from rich.console import Console

from client.render import Renderer
from client.status import StatusLine
from gateway.events import (
    Event,
    PromptSummaryDelta,
    PromptSummaryDone,
    ReasoningDelta,
    ReasoningDone,
    ReasoningSummaryDelta,
    ReasoningSummaryHeadline,
    ReasoningSummaryPart,
    ResponseDelta,
    Span,
    StreamCompleted,
    Timings,
    Usage,
)

HEADLINE = ReasoningSummaryHeadline(index=0, text="Trying seven", characters=800, seconds=7.5)
DONE = ReasoningDone(characters=1000, tokens=None, seconds=9.0, ended_by="marker")
COMPLETED = StreamCompleted(finish_reason="stop", usage=Usage(), timings=Timings(total=1.25))


class Recorded(StatusLine):
    """A status line that is written as a mark, so that one sees where it stood."""

    def __init__(self, file: io.StringIO) -> None:
        super().__init__(Console(file=io.StringIO()))
        self._file, self._shown = file, False

    def start(self) -> None:
        if not self._shown:
            self._file.write("<")
        self._shown = True

    def stop(self) -> None:
        if self._shown:
            self._file.write(">")
        self._shown = False


def shown(*events: Event) -> str:
    file = io.StringIO()
    renderer = Renderer(Console(file=file), Recorded(file))
    for event in events:
        renderer.show(event)
    return file.getvalue()


def part(text: str) -> ReasoningSummaryPart:
    return ReasoningSummaryPart(index=0, title="A title", text=text, span=Span(start=0, end=9), written_by="model")


def test_the_line_says_what_is_known() -> None:
    status = StatusLine(Console(file=io.StringIO()))
    assert status.text(0.4) == "Waiting · 0 s"
    status.note(ReasoningDelta(delta="x" * 7))
    assert status.text(2.0) == "Waiting · 2 s · about 1 token"
    status.note(ReasoningDelta(delta="x" * 33))
    assert status.text(2.0) == "Waiting · 2 s · about 10 tokens"
    status.note(HEADLINE)
    assert status.text(7.6) == "Trying seven · 8 s · about 200 tokens"
    status.note(DONE)
    assert status.text(9.0) == "Waiting · 9 s · about 250 tokens"


def test_the_line_stands_below_whole_text_only() -> None:
    assert shown(
        PromptSummaryDelta(delta="You ask "),
        PromptSummaryDelta(delta="why."),
        PromptSummaryDone(text="You ask why.", written_by="model"),
        HEADLINE,
        ReasoningSummaryDelta(index=0, delta="It "),
        ReasoningSummaryDelta(index=0, delta="hums."),
        part("It hums."),
        DONE,
        ResponseDelta(delta="So."),
        COMPLETED,
    ) == (
        "<>[PROMPT]\nYou ask why.\n<>\n[REASONING SUMMARY]\nA title\nIt hums.\n<><>\n[FINAL RESPONSE]\nSo.\n\n1.2 s\n"
    )


def test_the_line_stands_below_the_trace_once_that_has_ended() -> None:
    assert shown(ReasoningDelta(delta="Hm."), HEADLINE, DONE, part("It hums."), ResponseDelta(delta="So.")) == (
        "<>[REASONING]\nHm.\n<>\n[REASONING SUMMARY]\nA title\nIt hums.\n<>\n[FINAL RESPONSE]\nSo."
    )


def test_no_line_is_drawn_where_there_is_no_terminal() -> None:
    file = io.StringIO()
    status = StatusLine(Console(file=file))
    status.start()
    status.stop()
    assert file.getvalue() == ""


def test_a_terminal_has_the_line_and_loses_it_again() -> None:
    file = io.StringIO()
    status = StatusLine(Console(file=file, force_terminal=True, width=60))
    status.note(HEADLINE)
    status.start()
    status.stop()
    assert "Trying seven" in file.getvalue()
    assert file.getvalue().endswith("\x1b[1A\x1b[2K")
