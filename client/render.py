"""Show events as text: sections under headings, appended as they arrive, in colour on a terminal.

Text is only appended, so that scrollback and pipes contain all of it; the terminal wraps lines. Markup and control
characters in a model's text have no effect. Knows nothing of HTTP.
"""

from typing import Literal

from rich.console import Console
from rich.segment import Segment, Segments
from rich.style import Style

from gateway.events import (
    Event,
    FinishReason,
    PromptSummaryDelta,
    ReasoningDelta,
    ReasoningDone,
    ReasoningSummaryDelta,
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
            self._put(Segment("\n\n" if self._section else ""), Segment(footer, DIM), Segment("\n"))
        elif self._section:
            self._put(Segment("\n"))
        self._section = None

    def _open(self, section: Section) -> None:
        gap = Segment("\n\n" if self._section else "")
        self._put(gap, Segment(f"[{section}]", HEADINGS[section]), Segment("\n"))
        self._section, self._pending_space = section, ""

    def _put(self, *segments: Segment) -> None:
        self._console.print(Segments(segments), soft_wrap=True, end="")


class Renderer:
    """A view of one stream: the reasoning live, its summary once it has ended, then the response."""

    def __init__(self, console: Console) -> None:
        self._page = Page(console)
        self._thinking = False
        self._unshown: list[ReasoningSummaryDelta | ReasoningSummaryPart] = []
        self._live = False

    def show(self, event: Event) -> None:
        match event:
            case PromptSummaryDelta(delta=delta):
                self._page.write("PROMPT", delta)
            case ReasoningDelta(delta=delta):
                self._thinking = True
                self._page.write("REASONING", delta, DIM)
            case ReasoningSummaryDelta() | ReasoningSummaryPart():
                self._unshown.append(event)
                self._show_summary()
            case ReasoningDone():
                self._thinking = False
                self._show_summary()
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
        self._thinking = False
        self._show_summary()
        self._page.close()

    def _show_summary(self) -> None:
        if self._thinking:
            return
        unshown, self._unshown = self._unshown, []
        finished = {event.index for event in unshown if isinstance(event, ReasoningSummaryPart)}
        for event in unshown:
            if isinstance(event, ReasoningSummaryPart):
                self._show_part(event)
            elif event.index not in finished:
                self._live = True
                self._page.write("REASONING SUMMARY", event.delta)

    def _show_part(self, part: ReasoningSummaryPart) -> None:
        # A part's title arrives at its end: below a part that was shown live, above any other.
        title, text = (part.title, BOLD), (part.text, PLAIN)
        for line, style in [(f"({part.title})", DIM)] if self._live else [title, text]:
            self._page.feed_lines(1)
            self._page.write("REASONING SUMMARY", line, style)
        self._page.feed_lines(2)
        self._live = False


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
