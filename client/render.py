"""Show events as text: sections under headings, appended as they arrive, in colour on a terminal.

Text is only appended, so that scrollback and pipes contain all of it; the terminal wraps lines. Markup and control
characters in a model's text have no effect. Knows nothing of HTTP.
"""

from typing import Literal

from rich.console import Console
from rich.segment import Segment, Segments
from rich.style import Style

from client.status import StatusLine
from gateway.events import (
    LAST_EVENTS,
    Event,
    FinishReason,
    PromptSummaryDelta,
    PromptSummaryDone,
    ReasoningDelta,
    ReasoningDone,
    ReasoningSummaryDelta,
    ReasoningSummaryHeadline,
    ReasoningSummaryPart,
    ResponseDelta,
    StreamCompleted,
    StreamFailed,
    ToolCallDone,
)

Section = Literal["PROMPT", "REASONING", "REASONING SUMMARY", "FINAL RESPONSE"]
HEADINGS: dict[Section, Style] = {
    "PROMPT": Style(bold=True, color="cyan"),
    "REASONING": Style(bold=True, color="magenta"),
    "REASONING SUMMARY": Style(bold=True, color="yellow"),
    "FINAL RESPONSE": Style(bold=True, color="green"),
}
PLAIN, DIM, BOLD = Style(), Style(dim=True), Style(bold=True)
ENDINGS: dict[FinishReason, str] = {
    "length": "stopped at the token limit",
    "content_filter": "stopped by a content filter",
}
_NEXT_LINE = 0x85
_CONTROLS: dict[int, str | None] = dict.fromkeys((*range(0x20), *range(0x7F, 0xA0)))
_CONTROLS |= {ord("\n"): "\n", ord("\t"): "\t", _NEXT_LINE: "\n"}


def printable(text: str) -> str:
    """Return `text` without the control characters that move the cursor, colour the screen or ring the bell."""
    return text.translate(_CONTROLS)


class BrokenPipeConsole(Console):
    """A console that raises BrokenPipeError, for the program to handle, where Rich would exit."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


class Page:
    """A writer of sections of text, with one blank line between them and no white space at their edges."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._section: Section | None = None
        self._pending_space = ""
        self._line_ended = False

    @property
    def rests(self) -> bool:
        """True if nothing has been written, or the last line needs nothing more. Then the cursor is moved below it."""
        if self._section and not self._line_ended:
            if not self._pending_space.startswith("\n"):
                return False
            self._put(Segment("\n"))
            self._pending_space, self._line_ended = self._pending_space[1:], True
        return True

    def write(self, section: Section, text: str, style: Style = PLAIN) -> None:
        text = printable(text)
        if section != self._section:
            if not text.strip():
                return
            self._open(section)
            text = text.lstrip("\n")
        shown = text.rstrip()
        if not shown:
            self._pending_space += text
            return
        self._put(Segment(self._pending_space), Segment(shown, style))
        self._pending_space = text[len(shown) :]

    def feed_lines(self, lines: int) -> None:
        """Put `lines` line breaks before the next text of this section, if there is any."""
        self._pending_space = "\n" * lines

    def close(self, footer: str = "") -> None:
        """End the last line, and print `footer` below."""
        if footer:
            self._put(Segment(self._gap), Segment(footer, DIM), Segment("\n"))
        elif self._section and not self._line_ended:
            self._put(Segment("\n"))
        self._section = None

    def _open(self, section: Section) -> None:
        self._put(Segment(self._gap), Segment(f"[{section}]", HEADINGS[section]), Segment("\n"))
        self._section, self._pending_space = section, ""

    @property
    def _gap(self) -> str:
        return ("\n" if self._line_ended else "\n\n") if self._section else ""

    def _put(self, *segments: Segment) -> None:
        self._line_ended = False
        self._console.print(Segments(segments), soft_wrap=True, end="")


class Renderer:
    """A view of one stream: the reasoning live, its summary once it has ended, then the response.

    `status` is shown while nothing is written and the text that has been is whole.
    """

    def __init__(self, console: Console, status: StatusLine | None = None) -> None:
        self._page, self._status = Page(console), status
        if status:
            status.start()
        self._thinking = False
        self._parts: list[ReasoningSummaryPart] = []  # not shown yet
        self._unfinished = ""  # the text so far of the part that comes next

    def show(self, event: Event) -> None:
        if self._status is None:
            self._write(event)
            return
        self._status.note(event)
        if isinstance(event, ReasoningSummaryHeadline | ReasoningSummaryDelta):
            self._write(event)  # which writes nothing yet
            return
        self._status.stop()
        self._write(event)
        if not isinstance(event, LAST_EVENTS) and self._page.rests:
            self._status.start()

    def _write(self, event: Event) -> None:
        match event:
            case PromptSummaryDelta(delta=delta):
                self._page.write("PROMPT", delta)
            case PromptSummaryDone():
                self._page.feed_lines(1)
            case ReasoningDelta(delta=delta):
                self._thinking = True
                self._page.write("REASONING", delta, DIM)
            case ReasoningSummaryDelta(delta=delta):
                self._unfinished += delta
            case ReasoningSummaryPart():
                self._parts.append(event)
                self._unfinished = ""
                self._show_parts()
            case ReasoningDone():
                if self._thinking:
                    self._page.feed_lines(1)
                self._thinking = False
                self._show_parts()
            case ResponseDelta(delta=delta):
                self._page.write("FINAL RESPONSE", delta)
            case ToolCallDone(name=name, arguments=arguments):
                self._page.feed_lines(1)
                self._page.write("FINAL RESPONSE", f"{name}({arguments})", BOLD)
                self._page.feed_lines(1)
            case StreamCompleted():
                self._page.close(footer(event))
            case StreamFailed():
                self.close()
            case _:
                pass

    def close(self) -> None:
        """End a stream that has failed: show the summary so far, and end the line."""
        if self._status:
            self._status.stop()
        self._thinking = False
        self._show_parts()
        self._page.write("REASONING SUMMARY", self._unfinished)
        self._page.close()

    def _show_parts(self) -> None:
        """Show the parts that have come, each under its title, unless the trace is still being shown.

        A title comes at the end of its part, so a part is shown as a whole.
        """
        if self._thinking:
            return
        for part in self._parts:
            if part.title:
                self._page.write("REASONING SUMMARY", part.title, BOLD)
                self._page.feed_lines(1)
            self._page.write("REASONING SUMMARY", part.text)
            self._page.feed_lines(2)
        self._parts = []


def footer(event: StreamCompleted) -> str:
    """Return "3.2 s · 120 tokens (80 reasoning) · 37.5 tokens/s · 45 tokens for summaries", without what was not
    counted."""
    seconds, usage = event.timings.total, event.usage
    notes = [f"{seconds:.1f} s"]
    if usage.completion_tokens:
        notes.append(f"{usage.completion_tokens} tokens ({usage.reasoning_tokens} reasoning)")
    if usage.completion_tokens and seconds:
        notes.append(f"{usage.completion_tokens / seconds:.1f} tokens/s")
    if usage.summary_tokens:
        notes.append(f"{usage.summary_tokens} tokens for summaries")
    return " · ".join([*notes, *filter(None, [ENDINGS.get(event.finish_reason)])])
